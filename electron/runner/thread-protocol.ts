/** Messages between the control thread and the guest's thread of a runner. Bytes do not travel here but in the rings; the number 0 is the doorbell: "look at the rings". */
import type { FromRunner, RunOutcome, RunSpec } from '../supervisor/protocol.ts';
import type { CompiledProgram } from './compiled-program.ts';
import type { ThreadsOver, ThreadsWanted } from './threads/protocol.ts';

export interface GuestData {
  readonly shared: SharedArrayBuffer;
  /** What earlier threads of this process have compiled. */
  readonly programs: readonly CompiledProgram[];
}

export type ToGuest = { readonly t: 'run'; readonly spec: RunSpec } | ThreadsOver;

export type FromGuest =
  | 0
  | { readonly t: 'ready' }
  | { readonly t: 'compiled'; readonly program: CompiledProgram }
  | Extract<FromRunner, { t: 'started' | 'failed' }>
  | { readonly t: 'exit'; readonly id: string; readonly outcome: RunOutcome; readonly collecting: boolean }
  /** The guest uses its network for the first time: the memory of net/remote/channel.ts. */
  | { readonly t: 'net'; readonly id: string; readonly shared: SharedArrayBuffer }
  /** The run is traced: the memory of trace/trace-ring.ts. */
  | { readonly t: 'trace'; readonly id: string; readonly memory: SharedArrayBuffer }
  | ThreadsWanted
  | { readonly t: 'idle' };
