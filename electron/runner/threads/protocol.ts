/** Messages about the threads of a run: host thread ⇄ control thread ⇄ threads. Host calls do not travel here but in `calls.ts`. */
import type { ErrorKind } from '../../base/errors.ts';
import type { RunOutcome } from '../../supervisor/protocol.ts';
import type { CompiledProgram } from '../compiled-program.ts';

/** What every thread of a run is made from. Modules and shared memories are not copied on their way. */
export interface ThreadedProgram {
  /** As in RunSpec.module, for messages. */
  readonly name: string;
  readonly compiled: CompiledProgram;
  readonly memory: WebAssembly.Memory;
  /** As in RunSpec. */
  readonly memoryLimit: number | undefined;
  /** Exports that the main thread calls, in order. */
  readonly entries: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Of the bridge, and of `calls.ts`. */
  readonly bridge: SharedArrayBuffer;
  readonly calls: SharedArrayBuffer;
}

/** Host thread → control: the run has threads; start its main one. */
export interface ThreadsWanted {
  readonly t: 'threads';
  readonly id: string;
  /** Where the module was found. */
  readonly path: string;
  readonly program: ThreadedProgram;
}

/** How a run of threads has ended. */
export type Verdict =
  | RunOutcome
  /** The main thread never ran. */
  | {
      readonly kind: 'failed';
      readonly error: ErrorKind;
      readonly exitCode: 125 | 126 | 127;
      readonly message: string;
    };

/** Control → host thread: no thread is left. */
export interface ThreadsOver {
  readonly t: 'verdict';
  readonly verdict: Verdict;
}

export type ToThread =
  | {
      readonly t: 'begin';
      readonly program: ThreadedProgram;
      readonly slot: number;
      /** 0 = the main thread. */
      readonly tid: number;
      /** What thread-spawn was given. */
      readonly argument: number;
    }
  /** The run is over: collect garbage. */
  | { readonly t: 'clean' };

export type FromThread =
  /** The main thread is linked and about to run. */
  | { readonly t: 'started' }
  /** thread-spawn; the answer goes to the thread's slot. */
  | { readonly t: 'spawn'; readonly argument: number }
  /** The thread has returned. The main one's return is `over`. */
  | { readonly t: 'done' }
  /** The process ends with this. */
  | { readonly t: 'over'; readonly verdict: Verdict }
  | { readonly t: 'cleaned' };
