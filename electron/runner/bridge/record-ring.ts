/**
 * Records {header, id, argument, bytes, padding to 4} in a ring of shared memory, from one thread to another. The header is the type and the length of
 * the bytes. A record never wraps: when it does not fit before the end of the ring, a SKIP header sends the reader to the start. It becomes visible by
 * one store of the head. Heads and tails count bytes modulo 2^32.
 */
const SKIP = -1;
const HEADER = 12;
const LENGTH_BITS = 24;
const LENGTH_MASK = (1 << LENGTH_BITS) - 1;

const padded = (length: number): number => (length + 3) & ~3;

/** Where a ring lives. Its size is a power of two; `head` and `tail` are indexes into `words`, both 0 at first. */
export interface RingPlace {
  readonly words: Int32Array;
  readonly head: number;
  readonly tail: number;
  readonly bytes: Uint8Array;
}

const cellsOf = ({ bytes }: RingPlace): Int32Array =>
  new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);

export class RecordWriter {
  readonly #place: RingPlace;
  readonly #cells: Int32Array;
  readonly #size: number;
  #head: number;
  /** Where the record that was reserved begins. */
  #at = 0;

  constructor(place: RingPlace) {
    this.#place = place;
    this.#cells = cellsOf(place);
    this.#size = place.bytes.length;
    this.#head = Atomics.load(place.words, place.head);
  }

  /** Bytes of the ring that are free; not all of them in one piece. */
  get free(): number {
    return this.#size - ((this.#head - Atomics.load(this.#place.words, this.#place.tail)) >>> 0);
  }

  /**
   * A place for the bytes of one record, at least `least` and at most `most` of them; `keep` bytes of the ring stay free. To be followed by `commit`.
   * Undefined = no room.
   */
  reserve(least: number, most: number, keep = 0): Uint8Array | undefined {
    const need = HEADER + padded(least);
    let free = this.free - keep;
    if (free < need) return undefined;
    let at = this.#head & (this.#size - 1);
    const tillEnd = this.#size - at;
    if (tillEnd < need) {
      if (free < tillEnd + need) return undefined;
      this.#cells[at >> 2] = SKIP;
      this.#head = (this.#head + tillEnd) | 0;
      free -= tillEnd;
      at = 0;
    }
    const length = Math.min(most, (Math.min(free, this.#size - at) & ~3) - HEADER);
    this.#at = at;
    return this.#place.bytes.subarray(at + HEADER, at + HEADER + length);
  }

  /** Publishes the reserved record with the first `length` bytes of its place. */
  commit(type: number, id: number, argument: number, length: number): void {
    const cell = this.#at >> 2;
    this.#cells[cell] = (type << LENGTH_BITS) | length;
    this.#cells[cell + 1] = id;
    this.#cells[cell + 2] = argument;
    this.#head = (this.#head + HEADER + padded(length)) | 0;
    Atomics.store(this.#place.words, this.#place.head, this.#head);
  }

  /** A record of these bytes. False = no room. */
  put(type: number, id: number, argument: number, bytes?: Uint8Array, keep = 0): boolean {
    const length = bytes?.length ?? 0;
    const place = this.reserve(length, length, keep);
    if (!place) return false;
    if (bytes) place.set(bytes);
    this.commit(type, id, argument, length);
    return true;
  }
}

export class RecordReader {
  readonly #place: RingPlace;
  readonly #cells: Int32Array;
  readonly #size: number;
  #position: number;
  #released: number;
  /** Of the record that `next` came to. */
  type = 0;
  id = 0;
  argument = 0;
  /** Where the record begins, for `release`: everything before it can be freed. */
  start = 0;
  #at = 0;
  #length = 0;

  constructor(place: RingPlace) {
    this.#place = place;
    this.#cells = cellsOf(place);
    this.#size = place.bytes.length;
    this.#position = this.#released = Atomics.load(place.words, place.tail);
  }

  /** Goes to the next record; false = there is none now. */
  next(): boolean {
    const head = Atomics.load(this.#place.words, this.#place.head);
    while (this.#position !== head) {
      const at = this.#position & (this.#size - 1);
      const header = this.#cells[at >> 2] as number;
      if (header === SKIP) {
        this.#position = (this.#position + this.#size - at) | 0;
        continue;
      }
      this.type = header >>> LENGTH_BITS;
      this.id = this.#cells[(at >> 2) + 1] as number;
      this.argument = this.#cells[(at >> 2) + 2] as number;
      this.start = this.#position;
      this.#at = at + HEADER;
      this.#length = header & LENGTH_MASK;
      this.#position = (this.#position + HEADER + padded(this.#length)) | 0;
      return true;
    }
    return false;
  }

  /** There is a record that `next` would go to. */
  get waiting(): boolean {
    return this.#position !== Atomics.load(this.#place.words, this.#place.head);
  }

  /** The record's bytes where they lie: good until they are released. */
  get bytes(): Uint8Array {
    return this.#place.bytes.subarray(this.#at, this.#at + this.#length);
  }

  /** Everything up to here has been read. */
  get position(): number {
    return this.#position;
  }

  /** Bytes that were read and not released. */
  get held(): number {
    return (this.#position - this.#released) >>> 0;
  }

  /** Gives the room before `position` back. False when there was none to give. */
  release(position = this.#position): boolean {
    if (position === this.#released) return false;
    this.#released = position;
    Atomics.store(this.#place.words, this.#place.tail, position);
    return true;
  }
}
