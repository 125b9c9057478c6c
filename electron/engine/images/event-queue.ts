/**
 * Events of several things that go on side by side as one sequence. Bounded by what it says about: an event with a `key` replaces an older one of the same key
 * that nobody has read yet.
 */
export class EventQueue<T> implements AsyncIterable<T> {
  readonly #items: { readonly key: string | undefined; event: T }[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;

  push(event: T, key?: string): void {
    const waiting = key === undefined ? undefined : this.#items.find((item) => item.key === key);
    if (waiting) waiting.event = event;
    else this.#items.push({ key, event });
    this.#wake?.();
  }

  /** Drops what is unread of a key: something newer says it all. */
  drop(key: string): void {
    const at = this.#items.findIndex((item) => item.key === key);
    if (at >= 0) this.#items.splice(at, 1);
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const item = this.#items.shift();
      if (item) yield item.event;
      else if (this.#failure) throw this.#failure.error;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** At most one call in `interval` ms; what comes too early is left out. */
export function paced(interval: number, now: () => number = () => performance.now()): () => boolean {
  let next = 0;
  return () => {
    const time = now();
    if (time < next) return false;
    next = time + interval;
    return true;
  };
}

/** Runs `work` for each, at most `width` side by side. Ends with the first failure, after the others have ended. */
export async function sideBySide<T>(
  items: readonly T[],
  width: number,
  work: (item: T, at: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    for (;;) {
      const at = next++;
      const item = items[at];
      if (item === undefined || failure) return;
      try {
        await work(item, at);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  if (failure) throw failure.error;
}
