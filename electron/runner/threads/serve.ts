import type { ModuleImport } from '../../module/describe.ts';
import { word } from '../bridge/layout.ts';
import type { HostFunction, Wait } from '../wasi/world.ts';
import type { Answerer } from './calls.ts';

export interface ServedFunction {
  readonly call: HostFunction;
  /** Types of the parameters as the module declares them. */
  readonly params: readonly string[];
}

type Call = (...args: (number | bigint)[]) => number | void | Wait;

/** A call that cannot be answered yet. */
interface Sleeping {
  readonly slot: number;
  wait: Wait;
}

/** Functions by their place among the imports of a module; empty where a thread needs nobody. */
export type ServedFunctions = readonly (ServedFunction | undefined)[];

export const served = ({ params = [] }: ModuleImport, call: HostFunction): ServedFunction => ({ call, params });

/**
 * Answers the host calls of all threads of a run, one at a time, until the run ends. A call that has to wait is put aside and tested again whenever
 * something has changed; meanwhile others are answered. Blocks only in Atomics.wait on the bridge's one futex (`words`).
 */
export function serve(calls: Answerer, functions: ServedFunctions, words: Int32Array): void {
  let sleeping: Sleeping[] = [];

  /** Goes on with a call: answers it, or returns what it waits for. */
  const proceed = (slot: number, step: () => number | void | Wait): Wait | undefined => {
    try {
      const answer = step();
      if (typeof answer === 'object') return answer;
      calls.answer(slot, answer ?? undefined);
    } catch (error) {
      calls.fail(slot, error instanceof Error ? error.message : String(error));
    }
    return undefined;
  };

  /** False once it is answered. */
  const stillSleeps = (one: Sleeping): boolean => {
    for (;;) {
      const { ready, deadline, resume } = one.wait;
      const due = deadline !== undefined && process.hrtime.bigint() >= deadline;
      let next: Wait | undefined;
      if (due) next = proceed(one.slot, resume);
      else {
        let asleep = true;
        next = proceed(one.slot, () => {
          if (!ready()) return one.wait;
          asleep = false;
          return resume();
        });
        if (asleep && next) return true;
      }
      if (!next) return false;
      one.wait = next;
    }
  };

  const begin = (slot: number): void => {
    const entry = functions[calls.functionOf(slot)];
    if (!entry) return calls.fail(slot, 'no such host function');
    const wait = proceed(slot, () => (entry.call as Call)(...calls.argsOf(slot, entry.params)));
    const one = wait && { slot, wait };
    // It may be ready already, and then nothing changes that would wake anybody.
    if (one && stillSleeps(one)) sleeping.push(one);
  };

  for (;;) {
    const seen = Atomics.load(words, word.wake);
    if (Atomics.load(words, word.kill) === 1 || calls.ending) return;
    calls.take(begin);
    // What one thread has done may be what another waits for (a closed descriptor, a socket shut down), and wakes nobody.
    for (let before = Infinity; sleeping.length > 0 && sleeping.length < before;) {
      before = sleeping.length;
      sleeping = sleeping.filter(stillSleeps);
    }
    Atomics.wait(words, word.wake, seen, timeLeft(sleeping));
  }
}

/** Milliseconds until the first deadline. */
function timeLeft(sleeping: readonly Sleeping[]): number {
  let first: bigint | undefined;
  for (const { wait } of sleeping)
    if (wait.deadline !== undefined && (first === undefined || wait.deadline < first)) first = wait.deadline;
  return first === undefined ? Infinity : Math.max(0, Number(first - process.hrtime.bigint()) / 1e6);
}
