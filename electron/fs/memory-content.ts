import { fsError } from './error.ts';

/** Bytes of one piece of a file. A piece grows from a page, so small files stay small. */
const PIECE = 64 * 1024;
const PAGE = 4096;
/** A file no longer than what JavaScript counts exactly. */
const MAX_SIZE = Number.MAX_SAFE_INTEGER;

const pages = (bytes: number): number => Math.ceil(bytes / PAGE) * PAGE;

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

  get free(): number {
    return this.size - this.#used;
  }

  take(bytes: number): void {
    if (this.#used + bytes > this.size) throw fsError('ENOSPC', '');
    this.#used += bytes;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}

interface Piece {
  /** At least `paid` long; at most twice that. */
  bytes: Uint8Array;
  /** Whole pages from its beginning. */
  paid: number;
}

/**
 * The bytes of a file in memory: pieces, made when they are written to, so that a hole costs nothing but what it shares a piece with. Paid for are whole
 * pages, so a file without holes may be as large as the limit.
 */
export class MemoryContent {
  readonly #limit: MemoryLimit;
  readonly #pieces = new Map<number, Piece>();
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
      const bytes = this.#pieces.get(Math.floor((position + done) / PIECE))?.bytes;
      const there = bytes ? bytes.subarray(at, Math.min(at + part, bytes.length)) : undefined;
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
    while (done < from.length) {
      const at = (position + done) % PIECE;
      const index = Math.floor((position + done) / PIECE);
      const wanted = Math.min(from.length - done, PIECE - at);
      const paid = this.#pieces.get(index)?.paid ?? 0;
      const most = paid + Math.floor(Math.max(0, this.#limit.free) / PAGE) * PAGE;
      const part = Math.min(wanted, most - at);
      if (part <= 0) break;
      this.#piece(index, at + part).set(from.subarray(done, done + part), at);
      done += part;
      if (part < wanted) break;
    }
    if (done === 0 && from.length > 0) throw fsError('ENOSPC', '');
    if (done > 0) this.#size = Math.max(this.#size, position + done);
    return done;
  }

  /** Makes sure that memory for the first `size` bytes is there. */
  fill(size: number): void {
    if (size > MAX_SIZE) throw fsError('EFBIG', '');
    // Refused before anything is made, not half-way.
    if (size - this.#paidBelow(size) > this.#limit.free) throw fsError('ENOSPC', '');
    for (let index = 0; index * PIECE < size; index++) this.#piece(index, Math.min(PIECE, size - index * PIECE));
    this.#size = Math.max(this.#size, size);
  }

  #paidBelow(size: number): number {
    let sum = 0;
    for (const [index, { paid }] of this.#pieces) sum += Math.min(paid, Math.max(0, size - index * PIECE));
    return sum;
  }

  resize(size: number): void {
    if (size > MAX_SIZE) throw fsError('EFBIG', '');
    if (size < this.#size) {
      const last = Math.floor(size / PIECE);
      for (const [index, piece] of this.#pieces) {
        if (index > last || size % PIECE === 0) {
          if (index < last) continue;
          this.#pieces.delete(index);
          this.#limit.give(piece.paid);
        } else if (index === last) this.#cut(piece, size % PIECE);
      }
    }
    this.#size = size;
  }

  #cut(piece: Piece, length: number): void {
    if (length >= piece.bytes.length) return;
    piece.bytes.fill(0, length);
    const paid = Math.min(piece.paid, pages(length));
    if (paid === piece.paid) return;
    this.#limit.give(piece.paid - paid);
    piece.paid = paid;
    piece.bytes = piece.bytes.slice(0, paid);
  }

  /** The bytes of a piece, paid for up to `end`. @throws ENOSPC */
  #piece(index: number, end: number): Uint8Array {
    let piece = this.#pieces.get(index);
    const paid = pages(end);
    if (piece && piece.paid >= paid) return piece.bytes;
    this.#limit.take(paid - (piece?.paid ?? 0));
    if (!piece) this.#pieces.set(index, (piece = { bytes: new Uint8Array(0), paid: 0 }));
    piece.paid = paid;
    if (piece.bytes.length < paid) {
      let length = PAGE;
      while (length < paid) length *= 2;
      const bigger = new Uint8Array(length);
      bigger.set(piece.bytes);
      piece.bytes = bigger;
    }
    return piece.bytes;
  }
}
