import { GROW_FAILED } from '../module/memory-grow.ts';
import type { RunOutcome } from '../supervisor/protocol.ts';
import type { CompiledProgram } from './compiled-program.ts';
import { mib, typeOfMemory } from './memory.ts';

const PAGE = 65536;

/**
 * A trap is the limit's doing when the guest's last attempt to get more memory had failed, and the limit was what it met (not a smaller maximum of its
 * own). A guest that calls proc_exit has not died of it, whatever its code: it was told that there is no memory and chose its end (Python's MemoryError).
 * @param instance of the thread that trapped; undefined when it trapped before there was one.
 */
export function markOutOfMemory(
  outcome: RunOutcome,
  program: Pick<CompiledProgram, 'ownMemory' | 'description' | 'moves'>,
  limit: number | undefined,
  instance: WebAssembly.Instance | undefined,
): RunOutcome {
  if (outcome.kind !== 'trap' || limit === undefined || !program.moves || !instance) return outcome;
  const failed = instance.exports[GROW_FAILED];
  if (!(failed instanceof WebAssembly.Global) || failed.value !== 1) return outcome;
  const maximum = typeOfMemory(program)?.maximum;
  if (maximum !== undefined && maximum < Math.floor(limit / PAGE)) return outcome;
  const why = `the memory limit of ${mib(limit)} MiB was reached`;
  return {
    ...outcome,
    message: `${outcome.message}: ${why}`,
    stack: `${outcome.stack}${why}\n`,
    outOfMemory: true,
  };
}
