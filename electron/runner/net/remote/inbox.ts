import { RecordReader, type RingPlace } from '../../bridge/record-ring.ts';

/** The bytes of one record, in the ring as long as there is room, then in a copy. */
export class Segment {
  bytes: Uint8Array;
  /** Bytes of the record. */
  readonly size: number;
  /** Bytes of `bytes` that were taken. */
  at = 0;
  /** Where its record begins. */
  readonly start: number;
  /** It needs its place in the ring no more. */
  done = false;

  constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes;
    this.size = bytes.length;
    this.start = start;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  /** Makes room in the ring. */
  leave(): void {
    if (this.done) return;
    this.done = true;
    const rest = this.bytes.subarray(this.at);
    this.bytes = Buffer.from(rest);
    this.at = 0;
  }
}

/** Segments that are done, after which the list is cut. */
const MANY = 1024;

/**
 * Reads a ring whose records may stay where they are until a guest takes their bytes: data is copied once, from the ring into the guest's memory. The
 * ring is given back in order, so what a slow socket leaves there is copied out when it is in the way.
 */
export class Inbox {
  readonly reader: RecordReader;
  readonly #most: number;
  #segments: Segment[] = [];
  /** Those before are done. */
  #first = 0;

  constructor(place: RingPlace) {
    this.reader = new RecordReader(place);
    this.#most = place.bytes.length / 2;
  }

  /** Keeps the record that the reader is at. */
  keep(): Segment {
    const segment = new Segment(this.reader.bytes, this.reader.start);
    this.#segments.push(segment);
    return segment;
  }

  /** Gives back what is not needed any more. True when that was anything. */
  release(): boolean {
    const { reader } = this;
    const segments = this.#segments;
    for (; this.#first < segments.length; this.#first++) {
      const segment = segments[this.#first] as Segment;
      if (segment.done) continue;
      if ((reader.position - segment.start) >>> 0 <= this.#most) break;
      segment.leave();
    }
    const next = segments[this.#first];
    if (!next) this.#segments = [];
    else if (this.#first > MANY) this.#segments = segments.slice(this.#first);
    if (this.#segments !== segments) this.#first = 0;
    return reader.release(next?.start ?? reader.position);
  }
}
