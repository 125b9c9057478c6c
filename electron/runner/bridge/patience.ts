/** Milliseconds that are waited without sleep: about what it takes to wake a sleeping thread. */
const MOMENT = 0.05;
/** Waits in vain after which it is given up for a while, and how many occasions are let pass then. */
const LIMIT = 4;
const PASSED = 64;

/** Decides whether it pays to wait for another thread without sleeping: while it has paid lately, and now and then to find out. */
export class Patience {
  /** Waits in vain that still are tolerated; below 0, occasions to let pass. */
  #left = LIMIT;

  /** True when this occasion is worth a wait. */
  worth(): boolean {
    if (this.#left > 0) return true;
    if (++this.#left < 0) return false;
    this.#left = 1;
    return true;
  }

  /** Waits a moment for the condition; whether it came true. */
  wait(condition: () => boolean): boolean {
    const limit = performance.now() + MOMENT;
    do {
      if (!condition()) continue;
      this.#left = LIMIT;
      return true;
    } while (performance.now() < limit);
    if (--this.#left <= 0) this.#left = -PASSED;
    return false;
  }
}
