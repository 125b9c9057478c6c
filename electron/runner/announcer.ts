import type { FromRunner } from '../supervisor/protocol.ts';

/** Milliseconds in which growth of the log is told once. */
const GROWN_INTERVAL = 4;

/** Tells the engine how far a run's log reaches: the first growth at once, later growth at most every few milliseconds. */
export class Announcer {
  readonly #id: string;
  readonly #offset: () => number;
  readonly #post: (message: FromRunner) => void;
  #told: number;
  #toldAt = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `offset`: where the log ends now; what it says at this moment is taken as known. */
  constructor(id: string, offset: () => number, post: (message: FromRunner) => void) {
    this.#id = id;
    this.#offset = offset;
    this.#post = post;
    this.#told = offset();
  }

  /** To be called whenever the log may have grown: the engine would wait for ever for growth it was not told of. */
  announce(): void {
    const offset = this.#offset();
    if (offset === this.#told || this.#timer) return;
    const wait = this.#toldAt + GROWN_INTERVAL - performance.now();
    if (wait > 0 && this.#toldAt > 0) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.announce();
      }, wait);
      return;
    }
    this.#told = offset;
    this.#toldAt = performance.now();
    this.#post({ t: 'grown', id: this.#id, offset });
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
