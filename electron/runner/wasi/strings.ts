import type { GuestMemory } from './guest-memory.ts';

/** A list of strings as the guest gets it: NUL-terminated one after another, and a table of pointers to them. */
export class StringList {
  readonly #bytes: Buffer;
  readonly #offsets: readonly number[];

  constructor(strings: readonly string[]) {
    const encoded = strings.map((text) => Buffer.from(`${text}\0`, 'utf8'));
    this.#bytes = Buffer.concat(encoded);
    let offset = 0;
    this.#offsets = encoded.map((text) => (offset += text.length) - text.length);
  }

  sizes(memory: GuestMemory, countOut: number, bytesOut: number): void {
    memory.u32(countOut, this.#offsets.length);
    memory.u32(bytesOut, this.#bytes.length);
  }

  write(memory: GuestMemory, pointersOut: number, bytesOut: number): void {
    const pointers = memory.at(pointersOut, this.#offsets.length * 4);
    const bytes = memory.at(bytesOut, this.#bytes.length);
    this.#offsets.forEach((offset, index) => memory.view.setUint32(pointers + index * 4, bytes + offset, true));
    memory.bytes.set(this.#bytes, bytes);
  }
}
