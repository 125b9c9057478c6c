import type { NetAnswer, NetAsk } from '../../supervisor/protocol.ts';

export type Ask = (ask: NetAsk) => Promise<NetAnswer>;

/** Questions to the engine and their answers, by number. */
export class Asker {
  readonly #post: (seq: number, ask: NetAsk) => void;
  readonly #asked = new Map<number, (answer: NetAnswer) => void>();
  #seq = 0;
  #closed = false;

  constructor(post: (seq: number, ask: NetAsk) => void) {
    this.#post = post;
  }

  readonly ask: Ask = (ask) => {
    if (this.#closed) return Promise.resolve({ error: 'unreachable' });
    const seq = ++this.#seq;
    return new Promise((resolve) => {
      this.#asked.set(seq, resolve);
      this.#post(seq, ask);
    });
  };

  answer(seq: number, answer: NetAnswer): void {
    const resolve = this.#asked.get(seq);
    this.#asked.delete(seq);
    resolve?.(answer);
  }

  /** Nobody answers any more. */
  close(): void {
    this.#closed = true;
    for (const resolve of this.#asked.values()) resolve({ error: 'unreachable' });
    this.#asked.clear();
  }
}
