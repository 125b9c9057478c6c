/**
 * Records {header, bytes, padding to 4} in a ring. The header is the length, its top bit the stream. A record never wraps: when it does not fit
 * before the end of the ring, a SKIP header sends the reader to the start. A record becomes visible by one store of the head, after its bytes: a
 * guest that is terminated in between leaves nothing half-written (the prototype published first, and its reader then spun for ever).
 */
import { type Bridge, OUTPUT_SIZE, word } from './layout.ts';

const SKIP = -1;
const STDERR = 1 << 31;
const MASK = OUTPUT_SIZE - 1;

/** Bytes of one record at most; larger writes are taken in parts. */
export const RECORD_LIMIT = 1 << 17;
/** A record of any size fits when so much is free, even if it has to skip the ring's end. */
const ROOM = 2 * (RECORD_LIMIT + 8);

const padded = (length: number): number => (length + 7) & ~3;

/** The guest's end. */
export class OutputWriter {
  readonly #bytes: Uint8Array;
  readonly #headers: Int32Array;
  readonly #words: Int32Array;
  readonly #ring: () => void;
  #head = 0;

  /** `ring` is called when the control thread sleeps and there is something new. */
  constructor(bridge: Bridge, ring: () => void) {
    this.#bytes = bridge.output;
    this.#headers = new Int32Array(bridge.output.buffer, bridge.output.byteOffset, OUTPUT_SIZE / 4);
    this.#words = bridge.words;
    this.#ring = ring;
  }

  /** After resetBridge. */
  reset(head = 0): void {
    this.#head = head;
  }

  #free(): number {
    return OUTPUT_SIZE - ((this.#head - Atomics.load(this.#words, word.outputTail)) >>> 0);
  }

  writable(): boolean {
    return this.#free() >= ROOM;
  }

  /** One record of the bytes of all chunks, as far as RECORD_LIMIT allows. Returns the bytes taken; 0 = no room, wait until `writable()`. */
  write(stream: 0 | 1, chunks: readonly Uint8Array[]): number {
    let length = 0;
    for (const chunk of chunks) length += chunk.length;
    if (length === 0) return 0;
    if (length > RECORD_LIMIT) length = RECORD_LIMIT;
    const need = padded(length);
    let head = this.#head;
    let at = head & MASK;
    const tillEnd = OUTPUT_SIZE - at;
    const skip = need > tillEnd ? tillEnd : 0;
    if (this.#free() < need + skip) return 0;
    if (skip > 0) {
      this.#headers[at >> 2] = SKIP;
      head = (head + skip) | 0;
      at = 0;
    }
    this.#headers[at >> 2] = stream === 1 ? length | STDERR : length;
    let to = at + 4;
    let left = length;
    for (const chunk of chunks) {
      if (left === 0) break;
      const part = chunk.length <= left ? chunk : chunk.subarray(0, left);
      this.#bytes.set(part, to);
      to += part.length;
      left -= part.length;
    }
    this.#head = (head + need) | 0;
    Atomics.store(this.#words, word.outputHead, this.#head);
    if (Atomics.exchange(this.#words, word.controlSleeps, 0) === 1) this.#ring();
    return length;
  }
}

/** The control thread's end. */
export class OutputReader {
  readonly #bytes: Buffer;
  readonly #headers: Int32Array;
  readonly #words: Int32Array;

  constructor(bridge: Bridge) {
    const { buffer, byteOffset } = bridge.output;
    this.#bytes = Buffer.from(buffer, byteOffset, OUTPUT_SIZE);
    this.#headers = new Int32Array(buffer, byteOffset, OUTPUT_SIZE / 4);
    this.#words = bridge.words;
  }

  empty(): boolean {
    return Atomics.load(this.#words, word.outputHead) === Atomics.load(this.#words, word.outputTail);
  }

  /**
   * Hands up to about `limit` bytes of records to `take`, which must be done with them when it returns, then frees their room.
   * @returns the bytes of ring that were freed; 0 = there was nothing.
   */
  read(limit: number, take: (stream: 0 | 1, bytes: Buffer, start: number, end: number) => void): number {
    const from = Atomics.load(this.#words, word.outputTail);
    const head = Atomics.load(this.#words, word.outputHead);
    let tail = from;
    while (tail !== head && (tail - from) >>> 0 < limit) {
      const at = tail & MASK;
      const header = this.#headers[at >> 2] as number;
      if (header === SKIP) {
        tail = (tail + OUTPUT_SIZE - at) | 0;
        continue;
      }
      const length = header & ~STDERR;
      take(header < 0 ? 1 : 0, this.#bytes, at + 4, at + 4 + length);
      tail = (tail + padded(length)) | 0;
    }
    if (tail !== from) Atomics.store(this.#words, word.outputTail, tail);
    return (tail - from) >>> 0;
  }

  /** Asks for a message at the next output. False when there is some already. */
  sleep(): boolean {
    Atomics.store(this.#words, word.controlSleeps, 1);
    if (this.empty()) return true;
    Atomics.store(this.#words, word.controlSleeps, 0);
    return false;
  }
}
