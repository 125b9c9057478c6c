import { invalid } from '../../base/errors.ts';
import type { ContainerSpec, RestartPolicy } from '../../engine/api/index.ts';
import { Fields } from './fields.ts';
import { readHealthcheck } from './healthcheck.ts';
import { ignoredOptions } from './ignored.ts';
import { readMemory, readNanoCpus, readOpenFiles, readPidsLimit, readStorageSize } from './limits.ts';
import { readLogOptions } from './logging.ts';
import { parseVolumesFrom, readMounts } from './mounts.ts';
import { readEndpoint } from './network.ts';
import { parsePort, readPortBindings } from './ports.ts';
import { readIsolation, readRuntime } from './runtime.ts';

/**
 * The body of `POST /containers/create` as what the engine is asked for; `warnings` name what was accepted but has no effect.
 * Everything that can be judged without looking at images or the disk is judged here. @throws invalid, unsupported
 */
export function readCreate(
  body: Readonly<Record<string, unknown>> | undefined,
  query: { readonly name?: string | undefined; readonly platform?: string | undefined },
): { readonly spec: ContainerSpec; readonly warnings: readonly string[] } {
  if (!body) throw invalid('config cannot be empty in order to create a container');
  const config = new Fields(body);
  const host = config.child('HostConfig');
  const log = readLogOptions(host);
  const warnings = [...ignoredOptions(config, host), ...log.warnings];
  const restartPolicy = readRestartPolicy(host.child('RestartPolicy'));
  const autoRemove = host.flag('AutoRemove') ?? false;
  if (autoRemove && restartPolicy && restartPolicy.name !== 'no')
    throw invalid("can't create 'AutoRemove' container with restart policy");

  const spec: ContainerSpec = withoutUndefined({
    name: query.name,
    platform: query.platform,
    image: config.text('Image') ?? '',
    entrypoint: readEntrypoint(config.words('Entrypoint')),
    command: config.words('Cmd'),
    env: readEnv(config.texts('Env')),
    labels: config.record('Labels'),
    workingDir: readWorkingDir(config.filled('WorkingDir')),
    hostname: config.filled('Hostname'),
    domainname: config.filled('Domainname'),
    user: config.filled('User'),
    tty: config.flag('Tty'),
    openStdin: config.flag('OpenStdin'),
    stdinOnce: config.flag('StdinOnce'),
    attachStdin: config.flag('AttachStdin'),
    attachStdout: config.flag('AttachStdout'),
    attachStderr: config.flag('AttachStderr'),
    exposedPorts: config.keys('ExposedPorts')?.map(parsePort),
    volumes: config.keys('Volumes')?.map(readVolumePath),
    mounts: readMounts(host),
    volumesFrom: host.texts('VolumesFrom')?.map(parseVolumesFrom),
    networkMode: host.filled('NetworkMode'),
    networks: readNetworks(config.child('NetworkingConfig').child('EndpointsConfig')),
    extraHosts: host.texts('ExtraHosts'),
    portBindings: readPortBindings(host),
    publishAllPorts: host.flag('PublishAllPorts'),
    stopSignal: config.filled('StopSignal'),
    stopTimeout: config.integer('StopTimeout'),
    healthcheck: readHealthcheck(config),
    restartPolicy,
    autoRemove,
    memory: readMemory(host),
    nanoCpus: readNanoCpus(host),
    pidsLimit: readPidsLimit(host),
    openFiles: readOpenFiles(host),
    storageSize: readStorageSize(host),
    readOnlyRoot: host.flag('ReadonlyRootfs'),
    logOptions: log.options,
    runtime: readRuntime(host.text('Runtime')),
    isolation: readIsolation(host.text('Isolation')),
    hostConfig: host.raw,
    consoleSize: readConsoleSize(host.value('ConsoleSize')),
  });
  return { spec, warnings };
}

/** `{Name, MaximumRetryCount}`; '' and absent = not asked for. Texts are moby's. @throws invalid */
export function readRestartPolicy(policy: Fields): RestartPolicy | undefined {
  const name = policy.text('Name') ?? '';
  const maximumRetryCount = policy.integer('MaximumRetryCount') ?? 0;
  if (maximumRetryCount < 0) throw invalid('invalid restart policy: maximum retry count cannot be negative');
  switch (name) {
    case '':
    case 'no':
    case 'always':
    case 'unless-stopped':
      if (maximumRetryCount > 0)
        throw invalid("invalid restart policy: maximum retry count can only be used with 'on-failure'");
      return name === '' ? undefined : { name, maximumRetryCount: 0 };
    case 'on-failure':
      return { name, maximumRetryCount };
    default:
      throw invalid(
        `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
      );
  }
}

/** `[""]` and `[]` take the image's entrypoint away. */
function readEntrypoint(words: readonly string[] | undefined): readonly string[] | undefined {
  if (!words) return undefined;
  return words.length === 1 && words[0] === '' ? [] : words;
}

function readEnv(env: readonly string[] | undefined): readonly string[] | undefined {
  for (const entry of env ?? []) {
    if (entry === '' || entry.startsWith('=')) throw invalid(`invalid environment variable: ${entry}`);
  }
  return env;
}

function readWorkingDir(path: string | undefined): string | undefined {
  if (path !== undefined && !path.startsWith('/'))
    throw invalid(`the working directory '${path}' is invalid, it needs to be an absolute path`);
  return path;
}

function readVolumePath(path: string): string {
  if (!path.startsWith('/')) throw invalid(`invalid mount path: '${path}' mount path must be absolute`);
  return path;
}

function readNetworks(endpoints: Fields): ContainerSpec['networks'] {
  const names = Object.keys(endpoints.raw);
  if (names.length === 0) return undefined;
  return Object.fromEntries(names.map((name) => [name, readEndpoint(endpoints.child(name))]));
}

function readConsoleSize(value: unknown): readonly [number, number] | undefined {
  if (!Array.isArray(value)) return undefined;
  const [rows, columns] = value as unknown[];
  return typeof rows === 'number' && typeof columns === 'number' && rows > 0 && columns > 0
    ? [rows, columns]
    : undefined;
}

/** Drops keys whose value is undefined: the engine's types tell "absent" from "undefined". */
function withoutUndefined<T>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}
