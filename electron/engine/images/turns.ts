import { setImmediate } from 'node:timers/promises';

/** Milliseconds that a row of synchronous calls may take before others get their turn. */
const turn = 5;

/** For loops of small system calls: made at once they cost a tenth of what the thread pool takes, but they must not hold everybody up. */
export function takingTurns(): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < turn) return undefined;
    return setImmediate().then(() => {
      since = performance.now();
    });
  };
}
