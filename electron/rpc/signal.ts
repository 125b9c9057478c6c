/** Something happened: fired any number of times before it is waited for counts once. One waiter at a time. */
export class Signal {
  #fired = false;
  #wake: (() => void) | undefined;

  fire(): void {
    this.#fired = true;
    this.#wake?.();
  }

  /** Resolves at the next fire (or at once after an unseen one), and when the signal aborts. */
  async wait(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#fired && !signal?.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          signal?.removeEventListener('abort', done);
          this.#wake = undefined;
          resolve();
        };
        this.#wake = done;
        signal?.addEventListener('abort', done, { once: true });
      });
    }
    this.#fired = false;
  }
}

/** Resolves after `milliseconds`, or when the signal aborts. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done, { once: true });
  });
}
