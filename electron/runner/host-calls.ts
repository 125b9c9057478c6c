/** Host functions as a guest in its own thread may call them: those that wait do so here, and ends pass through the guest as traps. */
import { drive } from './bridge/wait.ts';
import { throwThroughGuest } from './uncatchable.ts';
import { GuestTerminated, type HostFunction, ProcExit, type Wait } from './wasi/world.ts';

/** Why the guest's frames are being left, when it is not a trap of its own. */
export interface Ending {
  reason: ProcExit | GuestTerminated | undefined;
}

type Call = (...args: unknown[]) => number | void | Wait;

/** A blocking import: answers only when the call can be answered. */
export function blocking(host: HostFunction, words: Int32Array, ending: Ending): HostFunction {
  const call = host as Call;
  return (...args: never[]) => {
    const answer = call(...args);
    if (typeof answer !== 'object') return answer;
    try {
      return drive(words, answer);
    } catch (error) {
      if (!(error instanceof GuestTerminated)) throw error;
      ending.reason = error;
      return throwThroughGuest();
    }
  };
}

/** proc_exit. */
export function exiting(host: HostFunction, ending: Ending): HostFunction {
  const call = host as Call;
  return (...args: never[]) => {
    try {
      return call(...args);
    } catch (error) {
      if (!(error instanceof ProcExit)) throw error;
      ending.reason = error;
      return throwThroughGuest();
    }
  };
}
