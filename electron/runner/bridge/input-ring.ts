/** stdin: plain bytes in a ring, control thread → guest. */
import { type Bridge, INPUT_SIZE, wake, word } from './layout.ts';

const MASK = INPUT_SIZE - 1;

const used = (words: Int32Array): number =>
  (Atomics.load(words, word.inputHead) - Atomics.load(words, word.inputTail)) >>> 0;

/** Values of the word `inputEnded`. */
const ENDS = { no: 0, forEver: 1, once: 2 } as const;

/** The guest's end: a GuestInput. */
export class InputReader {
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #ring: () => void;

  /** `ring` is called after taking when the control thread holds bytes that did not fit. */
  constructor(bridge: Bridge, ring: () => void) {
    this.#bytes = bridge.input;
    this.#words = bridge.words;
    this.#ring = ring;
  }

  available(): number {
    return used(this.#words);
  }

  ended(): boolean {
    // The flag first: what came before it is in the ring by then.
    return Atomics.load(this.#words, word.inputEnded) !== ENDS.no && this.available() === 0;
  }

  passEnd(): void {
    if (Atomics.compareExchange(this.#words, word.inputEnded, ENDS.once, ENDS.no) === ENDS.once) this.#ring();
  }

  take(into: Uint8Array): number {
    const count = Math.min(into.length, this.available());
    if (count === 0) return 0;
    const tail = Atomics.load(this.#words, word.inputTail);
    const at = tail & MASK;
    const first = Math.min(count, INPUT_SIZE - at);
    into.set(this.#bytes.subarray(at, at + first));
    if (first < count) into.set(this.#bytes.subarray(0, count - first), first);
    Atomics.store(this.#words, word.inputTail, (tail + count) | 0);
    if (Atomics.exchange(this.#words, word.inputPending, 0) === 1) this.#ring();
    return count;
  }
}

const MARK = new Uint8Array(0);

/** The control thread's end. Keeps what does not fit; the sender's window bounds that. */
export class InputWriter {
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  /** MARK stands for an end that one read sees. */
  #pending: Uint8Array[] = [];
  #ending = false;
  /** The guest was told of the mark that is first. */
  #marked = false;

  constructor(bridge: Bridge) {
    this.#bytes = bridge.input;
    this.#words = bridge.words;
  }

  /** Bytes that did not fit yet. */
  get pending(): number {
    return this.#pending.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  push(bytes: Uint8Array): void {
    if (!this.#ending && bytes.length > 0) this.#pending.push(bytes);
  }

  /** After what was pushed so far one read finds the end, and what is pushed from now on comes after it. */
  mark(): void {
    if (!this.#ending) this.#pending.push(MARK);
  }

  end(): void {
    this.#ending = true;
  }

  /** Moves what fits into the ring. Returns the bytes moved, for the acknowledgement. */
  flush(): number {
    let moved = 0;
    for (;;) {
      const count = this.#fill();
      moved += count;
      if (this.#pending.length === 0 || this.#pending[0] === MARK) break;
      // Say so first, then look again: the guest may have emptied the ring in between and would not ring.
      Atomics.store(this.#words, word.inputPending, 1);
      if (used(this.#words) === INPUT_SIZE) break;
      Atomics.store(this.#words, word.inputPending, 0);
    }
    const ended = this.#tellEnd();
    if (moved > 0 || ended) wake(this.#words);
    return moved;
  }

  /** True when the guest has to hear of an end that it did not know of. A mark stays until the guest has passed it. */
  #tellEnd(): boolean {
    if (this.#pending[0] === MARK) {
      if (this.#marked) return false;
      this.#marked = true;
      Atomics.store(this.#words, word.inputEnded, ENDS.once);
      return true;
    }
    if (!this.#ending || this.#pending.length > 0) return false;
    return Atomics.exchange(this.#words, word.inputEnded, ENDS.forEver) !== ENDS.forEver;
  }

  #fill(): number {
    let moved = 0;
    if (this.#marked) {
      if (Atomics.load(this.#words, word.inputEnded) === ENDS.once) return 0;
      this.#marked = false;
      this.#pending.shift();
    }
    for (;;) {
      const chunk = this.#pending[0];
      if (chunk === MARK) return moved;
      const free = INPUT_SIZE - used(this.#words);
      if (!chunk || free === 0) return moved;
      const count = Math.min(chunk.length, free);
      const head = Atomics.load(this.#words, word.inputHead);
      const at = head & MASK;
      const first = Math.min(count, INPUT_SIZE - at);
      this.#bytes.set(chunk.subarray(0, first), at);
      if (first < count) this.#bytes.set(chunk.subarray(first, count), 0);
      Atomics.store(this.#words, word.inputHead, (head + count) | 0);
      moved += count;
      if (count < chunk.length) this.#pending[0] = chunk.subarray(count);
      else this.#pending.shift();
    }
  }
}
