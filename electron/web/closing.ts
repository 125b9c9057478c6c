/** What was opened, closed in reverse: once, in order, also when it is asked for half-way through opening. */
export class Closing {
  readonly #closers: (() => Promise<void>)[] = [];
  #done: Promise<void> | undefined;

  get begun(): boolean {
    return this.#done !== undefined;
  }

  /** Remembers how to close what has just been opened; closes it at once when closing has begun. */
  async add(close: () => Promise<void>): Promise<void> {
    if (this.#done) await close();
    else this.#closers.push(close);
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
