/** Messages that the other side is ready to take. */
export class Credits {
  readonly #signal: AbortSignal;
  #available = 0;
  #wake: (() => void) | undefined;

  /** @param signal ends all waiting */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
  }

  /** More than a million are not kept. */
  add(count: number): void {
    this.#available = Math.min(this.#available + count, 1_000_000);
    this.#wake?.();
  }

  /** Takes one, waiting for it. False when the channel has ended. One taker at a time. */
  async take(): Promise<boolean> {
    while (this.#available === 0 && !this.#signal.aborted) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    this.#wake = undefined;
    if (this.#signal.aborted) return false;
    this.#available--;
    return true;
  }
}
