/** What a HEALTHCHECK comes to: settled at create, made into a command at each start (moby: daemon/health.go). */
import { closeSync, openSync, readSync } from 'node:fs';
import { invalid } from '../../base/errors.ts';
import type { ContainerConfig, Healthcheck } from '../api/index.ts';
import { findProgram } from '../images/find-program.ts';
import type { Context } from './context.ts';
import type { ContainerRecord } from './record.ts';

const kinds = ['NONE', 'CMD', 'CMD-SHELL'];

/**
 * As asked; a request without a test has the image's, with intervals of its own (moby: daemon/commit.go merge). @throws invalid for a request that
 * cannot be understood; an image that cannot be has no health check
 */
export function mergeHealthcheck(
  asked: Healthcheck | undefined,
  image: Healthcheck | undefined,
): Healthcheck | undefined {
  if (!asked) return image;
  const [kind, ...words] = asked.test;
  if (kind !== undefined) {
    if (!kinds.includes(kind))
      throw invalid(`unknown kind of healthcheck: ${JSON.stringify(kind)}`, {
        hint: 'Begin the test with "CMD" and the program, or with "NONE".',
      });
    if (kind !== 'NONE' && words.length === 0) throw invalid(`the healthcheck ${kind} names no program`);
    return asked;
  }
  if (!image) return asked;
  return {
    test: image.test,
    interval: asked.interval || image.interval,
    timeout: asked.timeout || image.timeout,
    startPeriod: asked.startPeriod || image.startPeriod,
    startInterval: asked.startInterval || image.startInterval || 0,
    retries: asked.retries || image.retries,
  };
}

/** Milliseconds, defaults filled in. */
export interface ProbeTimes {
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

/** The longest time that a timer can wait. */
const longest = 2 ** 31 - 1;

export function probeTimes(check: Healthcheck): ProbeTimes {
  const milliseconds = (nanoseconds: number | undefined, otherwise: number): number =>
    nanoseconds ? Math.min(Math.max(1, Math.round(nanoseconds / 1e6)), longest) : otherwise;
  return {
    interval: milliseconds(check.interval, 30_000),
    timeout: milliseconds(check.timeout, 30_000),
    startPeriod: milliseconds(check.startPeriod, 0),
    startInterval: milliseconds(check.startInterval, 5_000),
    retries: check.retries || 3,
  };
}

type Needs = Pick<Context, 'images' | 'roots'>;

/** What a probe runs; undefined when there is nothing that could. */
export async function probeCommand(
  context: Needs,
  { imageId, config }: Pick<ContainerRecord, 'imageId' | 'config'>,
): Promise<readonly string[] | undefined> {
  const [kind, ...words] = config.healthcheck?.test ?? [];
  if (words.length === 0) return undefined;
  if (kind === 'CMD') return words;
  if (kind !== 'CMD-SHELL') return undefined;
  const shell = shellOf(context, imageId);
  return (await hasShell(context, imageId, config, shell)) ? [...shell, words.join(' ')] : undefined;
}

/** What of a health check will have no effect, said at create. */
export async function healthWarnings(
  context: Needs,
  imageId: string,
  config: ContainerConfig,
): Promise<readonly string[]> {
  if (config.healthcheck?.test[0] !== 'CMD-SHELL') return [];
  const shell = shellOf(context, imageId);
  if (await hasShell(context, imageId, config, shell)) return [];
  return [
    `HEALTHCHECK has no effect: its command is for a shell, and the image has no WebAssembly program ${shell[0] ?? ''}; use the exec form, CMD ["program.wasm", "argument"]`,
  ];
}

const defaultShell = ['/bin/sh', '-c'];

function shellOf({ images }: Needs, imageId: string): readonly string[] {
  try {
    return images.get(imageId).config.shell ?? defaultShell;
  } catch {
    // Removed by force while the container kept it.
    return defaultShell;
  }
}

async function hasShell(
  { roots }: Needs,
  imageId: string,
  { env, workingDir }: ContainerConfig,
  [program = '']: readonly string[],
): Promise<boolean> {
  const found = await findProgram(await roots.of(imageId), program, { env, workingDir });
  return found !== undefined && isWasm(found.hostPath);
}

function isWasm(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const magic = Buffer.alloc(4);
    return readSync(file, magic, 0, 4, 0) === 4 && magic.toString('latin1') === '\0asm';
  } finally {
    closeSync(file);
  }
}
