/** Questions to a runner that are answered by number, or by nothing in time: a runner that is stopped or computes does not answer. */
export class Questions<T> {
  readonly #limit: number;
  readonly #waiting = new Map<number, { readonly answer: (value: T) => void; readonly otherwise: () => T }>();
  #seq = 0;

  /** `limit` in milliseconds. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** `post` sends the question under its number; `otherwise` is the answer when there is none in time. */
  ask(post: (seq: number) => void, otherwise: () => T): Promise<T> {
    const seq = ++this.#seq;
    return new Promise((resolve) => {
      const answer = (value: T): void => {
        clearTimeout(timer);
        this.#waiting.delete(seq);
        resolve(value);
      };
      const timer = setTimeout(() => answer(otherwise()), this.#limit);
      this.#waiting.set(seq, { answer, otherwise });
      post(seq);
    });
  }

  /** An answer that came too late is nobody's. */
  answer(seq: number, value: T): void {
    this.#waiting.get(seq)?.answer(value);
  }

  /** Nobody will answer any more. */
  giveUp(): void {
    for (const { answer, otherwise } of [...this.#waiting.values()]) answer(otherwise());
  }
}
