import { invalid } from '../base/errors.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes with a position. Every read is checked against `end`; what runs over it throws `invalid` and says where and in which part. */
export class Reader {
  readonly bytes: Uint8Array;
  /** What is being read, for messages: "section 'import'". */
  readonly part: string;
  readonly end: number;
  position: number;

  constructor(bytes: Uint8Array, part: string, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.part = part;
    this.position = start;
    this.end = end;
  }

  get done(): boolean {
    return this.position >= this.end;
  }

  /** @throws invalid always: `what` in a sentence with the place. */
  fail(what: string): never {
    throw invalid(`not a valid WebAssembly module: ${what} at byte ${this.position} in ${this.part}`, {
      hint: 'The file is damaged or cut short. Build or download it again.',
    });
  }

  byte(): number {
    if (this.position >= this.end) this.fail('truncated');
    return this.bytes[this.position++] as number;
  }

  peek(): number {
    if (this.position >= this.end) this.fail('truncated');
    return this.bytes[this.position] as number;
  }

  /** Unsigned LEB128 of at most 32 bits. */
  u32(): number {
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      if (shift === 28 && byte > 0x0f) this.fail('number too large');
      result += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return result;
    }
    return this.fail('number too long');
  }

  /** Unsigned LEB128 of at most 64 bits; exact up to 2^53, which is more than any file or memory here. */
  u64(): number {
    let result = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
      result += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return result;
    }
    return this.fail('number too long');
  }

  /** Skips a signed LEB128 of at most 33 bits and tells its value; heap types and value types are written so. */
  s33(): number {
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      result += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return byte & 0x40 ? result - 2 ** (shift + 7) : result;
    }
    return this.fail('number too long');
  }

  /** A count of things; `limit` is V8's own, so that garbage cannot make us build huge lists. */
  count(limit: number, what: string): number {
    const count = this.u32();
    if (count > limit) this.fail(`${count} ${what} (at most ${limit})`);
    return count;
  }

  name(): string {
    const length = this.u32();
    if (length > this.end - this.position) this.fail('truncated name');
    const bytes = this.bytes.subarray(this.position, this.position + length);
    try {
      const text = utf8.decode(bytes);
      this.position += length;
      return text;
    } catch {
      return this.fail('name that is not UTF-8');
    }
  }

  /** A reader of the next `length` bytes; this one moves past them. */
  slice(length: number, part: string): Reader {
    if (length > this.end - this.position) this.fail(`truncated (${part} needs ${length} bytes)`);
    const inner = new Reader(this.bytes, part, this.position, this.position + length);
    this.position += length;
    return inner;
  }
}
