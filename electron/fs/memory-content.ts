import { fsError } from './error.ts';

/** Bytes of one piece of a file. The first piece grows from a page, so small files stay small. */
const PIECE = 64 * 1024;
const PAGE = 4096;
/** A file no longer than what JavaScript counts exactly. */
const MAX_SIZE = Number.MAX_SAFE_INTEGER;

/** What a tmpfs may hold, in bytes. */
export class MemoryLimit {
  readonly size: number;
  #used = 0;

  constructor(size: number) {
    this.size = size;
  }

  get used(): number {
    return this.#used;
  }

  take(bytes: number): void {
    if (this.#used + bytes > this.size) throw fsError('ENOSPC', '');
    this.#used += bytes;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}

/** The bytes of a file in memory: pieces, made when they are written to, so that a hole costs nothing. */
export class MemoryContent {
  readonly #limit: MemoryLimit;
  readonly #pieces = new Map<number, Uint8Array>();
  #size = 0;

  constructor(limit: MemoryLimit) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  /** Fills `into` from `position`; bytes read. */
  read(into: Uint8Array, position: number): number {
    const length = Math.max(0, Math.min(into.length, this.#size - position));
    for (let done = 0; done < length;) {
      const at = (position + done) % PIECE;
      const part = Math.min(length - done, PIECE - at);
      const piece = this.#pieces.get(Math.floor((position + done) / PIECE));
      const there = piece ? piece.subarray(at, Math.min(at + part, piece.length)) : undefined;
      if (there) into.set(there, done);
      into.fill(0, done + (there?.length ?? 0), done + part);
      done += part;
    }
    return length;
  }

  /** Writes what fits and says how much; throws ENOSPC when nothing does. */
  write(from: Uint8Array, position: number): number {
    if (position + from.length > MAX_SIZE) throw fsError('EFBIG', '');
    let done = 0;
    try {
      while (done < from.length) {
        const at = (position + done) % PIECE;
        const part = Math.min(from.length - done, PIECE - at);
        const piece = this.#piece(Math.floor((position + done) / PIECE), at + part);
        piece.set(from.subarray(done, done + part), at);
        done += part;
      }
    } catch (error) {
      if (done === 0) throw error;
    }
    if (done > 0) this.#size = Math.max(this.#size, position + done);
    return done;
  }

  /** Makes sure that memory for the first `size` bytes is there. */
  fill(size: number): void {
    if (size > MAX_SIZE) throw fsError('EFBIG', '');
    // Refused before anything is made, not half-way.
    if (size - this.#size > this.#limit.size - this.#limit.used) throw fsError('ENOSPC', '');
    for (let index = 0; index * PIECE < size; index++) this.#piece(index, Math.min(PIECE, size - index * PIECE));
    this.#size = Math.max(this.#size, size);
  }

  resize(size: number): void {
    if (size > MAX_SIZE) throw fsError('EFBIG', '');
    if (size < this.#size) {
      const last = Math.floor(size / PIECE);
      for (const [index, piece] of this.#pieces) {
        if (index > last || size === 0) {
          this.#pieces.delete(index);
          this.#limit.give(piece.length);
        } else if (index === last) piece.fill(0, size % PIECE);
      }
    }
    this.#size = size;
  }

  #piece(index: number, atLeast: number): Uint8Array {
    const piece = this.#pieces.get(index);
    if (piece && piece.length >= atLeast) return piece;
    let length = index === 0 ? PAGE : PIECE;
    while (length < atLeast) length *= 2;
    this.#limit.take(length - (piece?.length ?? 0));
    const bigger = new Uint8Array(length);
    if (piece) bigger.set(piece);
    this.#pieces.set(index, bigger);
    return bigger;
  }
}
