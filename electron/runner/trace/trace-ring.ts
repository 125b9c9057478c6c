/** Bytes of lines that are kept; a power of two. */
const SIZE = 1 << 20;
const MASK = SIZE - 1;
/** Int32s before the bytes. */
const HEADER = 2;
const ON = 0;
/** Bytes ever written, modulo 2^32. */
const HEAD = 1;

/** Longest line; what is longer was cut by its writer. */
export const LINE_LIMIT = 4096;

export interface TraceRead {
  /** Whole lines, oldest first, each ended by a newline. */
  readonly text: string;
  /** To be given as `since` the next time. */
  readonly head: number;
  /** Lines were written since `since` that are gone. */
  readonly lost: boolean;
}

/**
 * The last lines of a trace, in memory that two threads may share: one writes, the other reads. The writer never waits and overwrites the oldest; a reader
 * takes a copy and throws away what was overwritten meanwhile.
 */
export class TraceRing {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory = new SharedArrayBuffer(HEADER * 4 + SIZE)) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, HEADER);
    this.#bytes = new Uint8Array(memory, HEADER * 4, SIZE);
  }

  get on(): boolean {
    return this.#words[ON] === 1;
  }
  set on(value: boolean) {
    Atomics.store(this.#words, ON, value ? 1 : 0);
  }

  /** One line, without its newline; only by the thread that the guest's host runs in. */
  write(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    const head = this.#words[HEAD] as number;
    const at = head & MASK;
    const first = Math.min(bytes.length, SIZE - at);
    this.#bytes.set(bytes.subarray(0, first), at);
    if (first < bytes.length) this.#bytes.set(bytes.subarray(first), 0);
    Atomics.store(this.#words, HEAD, (head + bytes.length) | 0);
  }

  /** Lines written after `since` (a `head` of an earlier read; absent = all that is kept). */
  read(since?: number): TraceRead {
    const head = Atomics.load(this.#words, HEAD);
    const written = since === undefined ? head >>> 0 : (head - since) >>> 0;
    const length = Math.min(written, SIZE);
    const copy = Buffer.allocUnsafe(length);
    const at = (head - length) & MASK;
    const first = Math.min(length, SIZE - at);
    copy.set(this.#bytes.subarray(at, at + first), 0);
    if (first < length) copy.set(this.#bytes.subarray(0, length - first), first);
    // A line is written before the head moves, so one more than the head tells may have been begun.
    const overwritten = ((Atomics.load(this.#words, HEAD) - head) >>> 0) + LINE_LIMIT;
    const room = SIZE - length;
    let from = overwritten > room ? overwritten - room : 0;
    const lost = written > SIZE || from > 0;
    if (lost) {
      const newline = copy.indexOf(10, Math.min(from, length));
      from = newline < 0 ? length : newline + 1;
    }
    return { text: copy.toString('utf8', from), head, lost };
  }
}
