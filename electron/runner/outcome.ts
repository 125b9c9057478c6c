import type { Move } from '../module/memory-grow.ts';
import { functionNames } from '../module/names.ts';
import type { RunOutcome } from '../supervisor/protocol.ts';
import type { Ending } from './host-calls.ts';
import { describeTrap } from './trap.ts';
import { ProcExit } from './wasi/world.ts';

/**
 * What a guest that threw has ended with. `shift` = bytes by which the module's head has grown; `thread` = number of the thread, undefined for the
 * main one.
 */
export function outcomeOf(
  error: unknown,
  { reason }: Ending,
  {
    module,
    shift,
    moves,
  }: { readonly module: WebAssembly.Module; readonly shift: number; readonly moves?: readonly Move[] },
  thread?: number,
): RunOutcome {
  if (reason instanceof ProcExit) return { kind: 'exit', code: reason.code & 255 };
  if (reason) return { kind: 'terminated' };
  const section = WebAssembly.Module.customSections(module, 'name')[0];
  const names = section ? functionNames(new Uint8Array(section)) : new Map<number, string>();
  return { kind: 'trap', ...describeTrap(error, names, shift, thread, moves) };
}
