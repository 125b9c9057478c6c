/** What was opened, closed in reverse. */
export class Closing {
  readonly #closers: (() => Promise<void>)[] = [];
  #done: Promise<void> | undefined;

  /** Remembers how to close what has just been opened. */
  add(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  /** Idempotent. One that fails does not keep the others open; its error comes out at the end. */
  close(): Promise<void> {
    this.#done ??= this.#closeAll();
    return this.#done;
  }

  async #closeAll(): Promise<void> {
    const errors: unknown[] = [];
    for (let close = this.#closers.pop(); close; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
