import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { MountSpec } from '../../electron/fs/mounts.ts';
import { fuzzModule } from '../../electron/runner/wasi/fuzz-module.ts';
import { DrydockError } from '../../electron/base/errors.ts';
import type { TestRunner } from '../support/runner.ts';

/** Milliseconds after which a guest that sleeps or waits is ended. */
const PATIENCE = 1000;
/** Milliseconds after which a runner that was told to end a guest has failed. */
const LIMIT = 20_000;

export const SECRET = 'outside of every mount';

/** A directory that guests may change, with links that lead out of it to a secret beside it. */
export function plantMounts(runner: TestRunner): readonly MountSpec[] {
  const base = dirname(runner.lower);
  writeFileSync(join(base, 'secret'), SECRET);
  mkdirSync(join(base, 'shared'), { recursive: true });
  writeFileSync(join(base, 'shared/x'), 'shared');
  return [
    { type: 'overlay', target: '/', lower: runner.lower, upper: runner.upper, readOnly: false },
    { type: 'bind', target: '/mnt', source: join(base, 'shared'), readOnly: false },
    { type: 'tmpfs', target: '/tmp', size: 1 << 20, readOnly: false },
  ];
}

/** Runs the module of a seed in a real runner. @throws when its end is none that a module can bring about */
export async function runModule(
  runner: TestRunner,
  seed: number,
  calls: number,
  mounts: readonly MountSpec[],
): Promise<string> {
  const { bytes, mistyped } = fuzzModule(seed, calls);
  const path = `fuzz-${seed}.wasm`;
  runner.write(path, bytes);
  const { run } = runner.start(`/${path}`, [], { mounts });
  const timer = setTimeout(() => run.terminate(), PATIENCE);
  try {
    try {
      await run.started;
    } catch (error) {
      if (mistyped && error instanceof DrydockError && error.data['exitCode'] === 126) return 'refused';
      throw error;
    }
    const late = Promise.withResolvers<never>();
    const limit = setTimeout(() => late.reject(new Error('it cannot be ended')), LIMIT);
    const { outcome } = await Promise.race([run.ended, late.promise]).finally(() => clearTimeout(limit));
    if (outcome.kind === 'crashed') throw new Error(`its runner ended: ${String(outcome.code ?? outcome.signal)}`);
    if (outcome.kind === 'trap' && /host function failed/.test(outcome.message)) throw new Error(outcome.stack);
    if (mistyped) throw new Error(`it ran although an import has the wrong type: ${outcome.kind}`);
    return outcome.kind;
  } catch (error) {
    throw new Error(`module of seed ${seed}: ${(error as Error).message}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
