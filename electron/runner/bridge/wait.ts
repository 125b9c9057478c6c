import { GuestTerminated, type Wait } from '../wasi/world.ts';
import { word } from './layout.ts';
import { Patience } from './patience.ts';

/** Of this thread. */
const patience = new Patience();

/**
 * The driver of a guest in its own thread: waits on the WAKE futex until the host call can be answered. Never blocks in anything but Atomics.wait,
 * so that the thread can always be ended.
 * @throws GuestTerminated when the engine has asked for the end.
 */
export function drive(words: Int32Array, answer: number | Wait): number {
  while (typeof answer !== 'number') {
    const { ready, deadline } = answer;
    for (;;) {
      const seen = Atomics.load(words, word.wake);
      if (Atomics.load(words, word.kill) === 1) throw new GuestTerminated();
      if (ready()) break;
      if (patience.worth() && patience.wait(() => Atomics.load(words, word.wake) !== seen)) continue;
      if (deadline === undefined) {
        Atomics.wait(words, word.wake, seen);
        continue;
      }
      const left = Number(deadline - process.hrtime.bigint()) / 1e6;
      if (left <= 0) break;
      Atomics.wait(words, word.wake, seen, left);
    }
    answer = answer.resume();
  }
  return answer;
}
