/** Chunks to merge when there are so many and they are so small on average: each costs more than it holds. */
const MANY = 64;
const SMALL = 1024;

/** Bytes that have arrived and were not taken, in the chunks in which they came. Who fills it bounds it. */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  /** Bytes taken of the first chunk. */
  #at = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#length += bytes.length;
    if (this.#chunks.length > MANY && this.#length < this.#chunks.length * SMALL) this.#merge();
  }

  /** Copies into the buffers one after the other; `peek` leaves all there. Returns the bytes copied. */
  take(into: readonly Uint8Array[], peek = false): number {
    let index = 0;
    let at = this.#at;
    let done = 0;
    for (const target of into) {
      let filled = 0;
      while (filled < target.length && index < this.#chunks.length) {
        const chunk = this.#chunks[index] as Uint8Array;
        const count = Math.min(chunk.length - at, target.length - filled);
        target.set(at === 0 && count === chunk.length ? chunk : chunk.subarray(at, at + count), filled);
        filled += count;
        at += count;
        if (at === chunk.length) {
          index++;
          at = 0;
        }
      }
      done += filled;
    }
    if (peek) return done;
    this.#at = at;
    this.#length -= done;
    if (index === this.#chunks.length) this.#chunks = [];
    else if (index > 0) this.#chunks.splice(0, index);
    return done;
  }

  clear(): void {
    this.#chunks = [];
    this.#at = 0;
    this.#length = 0;
  }

  #merge(): void {
    const whole = new Uint8Array(this.#length);
    this.take([whole]);
    this.#chunks = [whole];
    this.#length = whole.length;
  }
}
