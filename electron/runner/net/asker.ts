import type { NetAnswer, NetAsk } from '../../supervisor/protocol.ts';

export type Ask = (ask: NetAsk) => Promise<NetAnswer>;

/** Questions that are with the engine at once: others have some too. */
const AT_ONCE = 256;
/** Questions that wait for their turn before a guest is better not heard for a moment. */
const CROWD = 1024;
/** Questions that wait for their turn; beyond, a guest that never stops asking is told to try again. */
const WAITING = 16_384;

interface Question {
  readonly ask: NetAsk;
  readonly resolve: (answer: NetAnswer) => void;
}

/** Questions to the engine and their answers, by number. Asked in order. */
export class Asker {
  readonly #post: (seq: number, ask: NetAsk) => void;
  readonly #asked = new Map<number, (answer: NetAnswer) => void>();
  #waiting: Question[] = [];
  #seq = 0;
  #closed = false;

  constructor(post: (seq: number, ask: NetAsk) => void) {
    this.#post = post;
  }

  readonly ask: Ask = (ask) => {
    if (this.#closed) return Promise.resolve({ error: 'unreachable' });
    // A port that is given up must become free.
    if (this.#waiting.length >= WAITING && ask.ask !== 'unlisten') return Promise.resolve({ error: 'tryAgain' });
    return new Promise((resolve) => {
      if (this.#asked.size < AT_ONCE && this.#waiting.length === 0) this.#send({ ask, resolve });
      else this.#waiting.push({ ask, resolve });
    });
  };

  /** More wait than the engine answers soon. */
  get crowded(): boolean {
    return this.#waiting.length > CROWD;
  }

  answer(seq: number, answer: NetAnswer): void {
    const resolve = this.#asked.get(seq);
    if (!resolve) return;
    this.#asked.delete(seq);
    resolve(answer);
    // Half of them at a time: to take them out one by one would move the rest each time.
    if (this.#waiting.length === 0 || this.#asked.size > AT_ONCE / 2) return;
    for (const next of this.#waiting.splice(0, AT_ONCE - this.#asked.size)) this.#send(next);
  }

  /** Nobody answers any more. */
  close(): void {
    this.#closed = true;
    for (const resolve of this.#asked.values()) resolve({ error: 'unreachable' });
    for (const { resolve } of this.#waiting.splice(0)) resolve({ error: 'unreachable' });
    this.#asked.clear();
  }

  #send({ ask, resolve }: Question): void {
    const seq = ++this.#seq;
    this.#asked.set(seq, resolve);
    this.#post(seq, ask);
  }
}
