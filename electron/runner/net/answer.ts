import { errnoOfNet } from './errors.ts';
import type { Errno, Pending } from './guest-net.ts';

/** A request under way; settled once. */
export class Answer<T> implements Pending<T> {
  #value: T | undefined;
  #listener: ((value: T) => void) | undefined;

  /** One that is answered at once. */
  static of<T>(value: T): Answer<T> {
    const answer = new Answer<T>();
    answer.settle(value);
    return answer;
  }

  poll(): T | undefined {
    return this.#value;
  }

  /** The first value holds. */
  settle(value: T): void {
    if (this.#value !== undefined) return;
    this.#value = value;
    this.#listener?.(value);
  }

  /** Calls with the value, now or later. One listener. */
  then(listener: (value: T) => void): void {
    if (this.#value === undefined) this.#listener = listener;
    else listener(this.#value);
  }
}

/** The errno that a promise comes to; `settled` is called afterwards. */
export function answer(promise: Promise<Errno>, settled: () => void): Answer<Errno> {
  const result = new Answer<Errno>();
  const settle = (value: Errno): void => {
    result.settle(value);
    settled();
  };
  promise.then(settle, (error: unknown) => settle(errnoOfNet(error)));
  return result;
}
