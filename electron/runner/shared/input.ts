import type { GuestInput } from '../wasi/world.ts';

/** stdin of one guest: what has arrived and was not taken. The sender's window bounds it. */
export class SharedInput implements GuestInput {
  readonly #taken: (bytes: number) => void;
  readonly #chunks: Uint8Array[] = [];
  /** Bytes taken of the first chunk. */
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

  end(): void {
    this.#ending = true;
  }

  available(): number {
    return this.#available;
  }

  ended(): boolean {
    return this.#ending && this.#available === 0;
  }

  take(into: Uint8Array): number {
    let done = 0;
    for (let chunk = this.#chunks[0]; chunk && done < into.length; chunk = this.#chunks[0]) {
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
