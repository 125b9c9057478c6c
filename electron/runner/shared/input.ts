import type { GuestInput } from '../wasi/world.ts';

/** stdin of one guest: what has arrived and was not taken. The sender's window bounds it. */
export class SharedInput implements GuestInput {
  readonly #taken: (bytes: number) => void;
  readonly #chunks: Uint8Array[] = [];
  /** Bytes taken of the first chunk. An empty chunk is a mark: an end that one read sees. */
  #at = 0;
  #available = 0;
  #ending = false;

  /** `taken` is told of every chunk that the guest is done with, for the acknowledgement. */
  constructor(taken: (bytes: number) => void) {
    this.#taken = taken;
  }

  push(bytes: Uint8Array): void {
    if (this.#ending || bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#available += bytes.length;
  }

  /** After what was pushed so far one read finds the end, and what is pushed from now on comes after it. */
  mark(): void {
    if (!this.#ending) this.#chunks.push(new Uint8Array(0));
  }

  end(): void {
    this.#ending = true;
  }

  /** Bytes up to the next mark. */
  available(): number {
    const marks = this.#chunks.findIndex((chunk) => chunk.length === 0);
    if (marks < 0) return this.#available;
    return marks === 0 ? 0 : this.#chunks.slice(0, marks).reduce((sum, chunk) => sum + chunk.length, 0) - this.#at;
  }

  ended(): boolean {
    return this.#chunks[0]?.length === 0 || (this.#ending && this.#available === 0);
  }

  passEnd(): void {
    if (this.#chunks[0]?.length === 0) this.#chunks.shift();
  }

  take(into: Uint8Array): number {
    let done = 0;
    for (let chunk = this.#chunks[0]; chunk && chunk.length > 0 && done < into.length; chunk = this.#chunks[0]) {
      const part = chunk.subarray(this.#at, this.#at + into.length - done);
      into.set(part, done);
      done += part.length;
      this.#at += part.length;
      if (this.#at < chunk.length) break;
      this.#chunks.shift();
      this.#at = 0;
      this.#taken(chunk.length);
    }
    this.#available -= done;
    return done;
  }
}
