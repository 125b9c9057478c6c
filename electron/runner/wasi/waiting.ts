/** Waits of calls: each begins anew when it goes on, because the memory may have grown meanwhile. */
import type { Pending } from '../net/guest-net.ts';
import { errnoOf } from './errno.ts';
import type { GuestMemory } from './guest-memory.ts';
import type { Wait } from './world.ts';

type Answer = number | Wait;

/** A call that goes on after a wait: views are fresh, and its errors are answers, as in the first try. */
export function again(memory: GuestMemory, run: () => Answer): Answer {
  memory.refresh();
  try {
    return run();
  } catch (error) {
    return errnoOf(error);
  }
}

/** Goes on with `then` as soon as `ready` is true; with `late` at the deadline (ns of the monotonic clock). */
export function waitFor(
  memory: GuestMemory,
  ready: () => boolean,
  then: () => Answer,
  deadline?: bigint,
  late: () => Answer = then,
): Wait {
  const wait: Wait = {
    ready,
    ...(deadline === undefined ? {} : { deadline }),
    resume: () => {
      if (ready()) return again(memory, then);
      if (deadline !== undefined && process.hrtime.bigint() >= deadline) return again(memory, late);
      return wait;
    },
  };
  return wait;
}

/** Goes on with what a request is answered with. */
export function answered<T>(
  memory: GuestMemory,
  pending: Pending<T>,
  then: (value: T) => Answer,
  deadline?: bigint,
  late?: () => Answer,
): Answer {
  let value = pending.poll();
  if (value !== undefined) return then(value);
  const ready = (): boolean => (value ??= pending.poll()) !== undefined;
  return waitFor(memory, ready, () => then(value as T), deadline, late);
}
