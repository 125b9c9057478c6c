/** The image's configuration and the request, merged (docker-api.md §6; moby: daemon/commit.go merge, daemon/container.go). */
import { posix } from 'node:path';
import { DrydockError, invalid, toDrydockError } from '../../base/errors.ts';
import type { ContainerConfig, ContainerSpec, ImageConfig } from '../api/index.ts';
import { parseIp } from '../networks/ip.ts';
import { splitExtraHost } from '../networks/lookup.ts';
import { rulesLabel, rulesOfLabel } from '../networks/rules.ts';
import { mergeHealthcheck } from './healthcheck.ts';
import { checkLimits } from './limits.ts';
import { parseSignal } from './signals.ts';

/** The names under which a runtime may be asked for, and what runs the module. */
const runtimes = [
  'wasi',
  'io.containerd.wasmedge.v1',
  'io.containerd.wasmtime.v1',
  'wasmer',
  'io.containerd.wasmer.v1',
] as const;
export const runtimeNames: readonly string[] = runtimes;

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** @throws invalid */
export function mergeConfig(spec: ContainerSpec, image: ImageConfig, id: string): ContainerConfig {
  const entrypoint = spec.entrypoint ?? image.entrypoint ?? [];
  const command = spec.command?.length ? spec.command : spec.entrypoint ? [] : (image.command ?? []);
  if (entrypoint.length + command.length === 0) {
    throw invalid('no command specified', {
      hint: 'The image names no entrypoint: give the path of the module to run.',
    });
  }
  const stopSignal = spec.stopSignal ?? image.stopSignal ?? '';
  if (stopSignal !== '') parseSignal(stopSignal);
  const runtime = spec.runtime || 'wasi';
  if (!runtimeNames.includes(runtime))
    throw invalid(`unknown or invalid runtime name: ${runtime}`, { hint: `Known are ${runtimeNames.join(', ')}.` });
  const restartPolicy = spec.restartPolicy ?? { name: 'no', maximumRetryCount: 0 };
  if (spec.autoRemove && restartPolicy.name !== 'no')
    throw invalid("can't create 'AutoRemove' container with restart policy");
  const { memory = 0, nanoCpus = 0, pidsLimit = 0, openFiles = 0, storageSize = 0 } = spec;
  checkLimits({ memory, nanoCpus, pidsLimit, openFiles, storageSize });
  const labels = { ...image.labels, ...spec.labels };
  checkRulesLabel(labels[rulesLabel]);
  checkExtraHosts(spec.extraHosts ?? []);
  return {
    image: spec.image,
    entrypoint,
    command,
    env: containerEnv(image.env, spec.env ?? []),
    labels,
    workingDir: workingDir(spec.workingDir || image.workingDir || '/'),
    hostname: spec.hostname || id.slice(0, 12),
    domainname: spec.domainname ?? '',
    user: spec.user ?? image.user,
    tty: spec.tty ?? false,
    openStdin: spec.openStdin ?? false,
    stdinOnce: spec.stdinOnce ?? false,
    attachStdin: spec.attachStdin ?? false,
    attachStdout: spec.attachStdout ?? false,
    attachStderr: spec.attachStderr ?? false,
    exposedPorts: union(image.exposedPorts, spec.exposedPorts ?? [], Object.keys(spec.portBindings ?? {})),
    volumes: union(image.volumes, spec.volumes ?? []),
    stopSignal,
    stopTimeout: spec.stopTimeout,
    healthcheck: mergeHealthcheck(spec.healthcheck, image.healthcheck),
    restartPolicy,
    autoRemove: spec.autoRemove ?? false,
    memory,
    nanoCpus,
    pidsLimit,
    openFiles,
    storageSize,
    readOnlyRoot: spec.readOnlyRoot ?? false,
    networkMode: spec.networkMode || 'default',
    extraHosts: spec.extraHosts ?? [],
    portBindings: spec.portBindings ?? {},
    publishAllPorts: spec.publishAllPorts ?? false,
    logOptions: spec.logOptions ?? {},
    runtime,
    isolation: spec.isolation ?? 'process',
    hostConfig: spec.hostConfig ?? {},
  };
}

/** @throws invalid that names the label: it may be the image's */
function checkRulesLabel(text: string | undefined): void {
  try {
    rulesOfLabel(text);
  } catch (error) {
    const { kind, message, hint } = toDrydockError(error);
    throw new DrydockError(kind, `the label ${rulesLabel}: ${message}`, { hint });
  }
}

/** Texts are moby's (opts/hosts.go). @throws invalid */
function checkExtraHosts(entries: readonly string[]): void {
  for (const entry of entries) {
    const { name, address } = splitExtraHost(entry);
    if (name === '') throw invalid(`bad format for add-host: ${JSON.stringify(entry)}`);
    if (address !== 'host-gateway' && !parseIp(address))
      throw invalid(`invalid IP address in add-host: ${JSON.stringify(address)}`);
  }
}

const union = (...lists: readonly (readonly string[])[]): readonly string[] => [...new Set(lists.flat())];

function workingDir(path: string): string {
  if (!path.startsWith('/'))
    throw invalid(`the working directory '${path}' is invalid, it needs to be an absolute path`);
  return posix.normalize(path).replace(/(.)\/$/, '$1');
}

const keyOf = (entry: string): string => entry.split('=', 1)[0] ?? '';

/** `over` replaces by key, in place, and adds at the end; an entry without '=' takes the variable away (moby: ReplaceOrAppendEnvVars). */
export function mergeEnv(base: readonly string[], over: readonly string[]): readonly string[] {
  if (over.length === 0) return base;
  const out = new Map(base.map((entry) => [keyOf(entry), entry]));
  for (const entry of over) {
    if (entry.includes('=')) out.set(keyOf(entry), entry);
    else out.delete(entry);
  }
  return [...out.values()];
}

/** A bare `KEY` of the request stays: it takes away not only what the image sets but also what every container gets (moby: daemon/commit.go merge). */
function containerEnv(image: readonly string[], asked: readonly string[]): readonly string[] {
  const merged = mergeEnv(image, asked);
  const set = new Set(merged.map(keyOf));
  return union(
    merged,
    asked.filter((entry) => entry !== '' && !entry.includes('=') && !set.has(entry)),
  );
}

/** PATH first, unless the program has its own. */
export const guestPath = (env: readonly string[]): readonly string[] => mergeEnv([`PATH=${defaultPath}`], env);

/** What the guest sees: PATH, HOSTNAME and TERM as a default, the working directory as PWD because WASI has none. */
export function guestEnv(config: ContainerConfig): readonly string[] {
  const defaults = [`PATH=${defaultPath}`, `HOSTNAME=${config.hostname}`, ...(config.tty ? ['TERM=xterm'] : [])];
  return mergeEnv([...defaults, `PWD=${config.workingDir}`], config.env);
}
