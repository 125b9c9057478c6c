import { isUtf8 } from 'node:buffer';
import { decodeName } from '../../fs/name-bytes.ts';
import { errno, WasiError } from './errno.ts';

/**
 * Buffers that one call works on, as IOV_MAX of POSIX: a list of millions is cut here, and the call moves less than it was asked to, before each of them
 * becomes an object of ours.
 */
export const MAX_VECTORS = 1024;
/** Bytes of one path; longer ones cannot name anything. */
const MAX_STRING = 64 * 1024;

/**
 * The guest's linear memory. Views die when the memory grows, so every call begins with `refresh`. All reads and writes are checked here: a pointer
 * out of range is the guest's error (FAULT), never ours. Pointers arrive as signed i32.
 */
export class GuestMemory {
  #memory: WebAssembly.Memory | undefined;
  #buffer: ArrayBufferLike | undefined;
  readonly #noteSize: (bytes: number) => void;
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));

  constructor(noteSize: (bytes: number) => void) {
    this.#noteSize = noteSize;
  }

  bind(memory: WebAssembly.Memory): void {
    this.#memory = memory;
    this.refresh();
  }

  refresh(): void {
    const buffer = this.#memory?.buffer;
    if (buffer === this.#buffer || buffer === undefined) return;
    this.#buffer = buffer;
    this.bytes = Buffer.from(buffer as ArrayBuffer);
    this.view = new DataView(buffer);
    this.#noteSize(buffer.byteLength);
  }

  /** Forgets the memory; calls after this find every pointer out of range. */
  unbind(): void {
    this.#memory = undefined;
    this.#buffer = undefined;
    this.bytes = Buffer.alloc(0);
    this.view = new DataView(new ArrayBuffer(0));
  }

  /** The offset, once it is sure that `length` bytes from it are inside. */
  at(pointer: number, length: number): number {
    const offset = pointer >>> 0;
    if (offset + length > this.bytes.length) throw new WasiError(errno.fault);
    return offset;
  }

  u32(pointer: number, value: number): void {
    this.view.setUint32(this.at(pointer, 4), value, true);
  }
  u64(pointer: number, value: bigint): void {
    this.view.setBigUint64(this.at(pointer, 8), value, true);
  }

  slice(pointer: number, length: number): Uint8Array {
    const offset = this.at(pointer, length >>> 0);
    return this.bytes.subarray(offset, offset + (length >>> 0));
  }

  /**
   * A path, or what a link leads to. Where the kernel takes any bytes, so does this (fs/name-bytes.ts). @throws WasiError ILSEQ elsewhere for bytes that are no
   * UTF-8, NAMETOOLONG for what can be no path.
   */
  path(pointer: number, length: number): string {
    if (process.platform !== 'linux') return this.string(pointer, length);
    const size = length >>> 0;
    const offset = this.at(pointer, size);
    if (size > MAX_STRING) throw new WasiError(errno.nametoolong);
    const text = this.bytes.toString('utf8', offset, offset + size);
    return text.includes('\ufffd') ? decodeName(this.bytes.subarray(offset, offset + size)) : text;
  }

  /** @throws WasiError ILSEQ for bytes that are no UTF-8, NAMETOOLONG for what can be no path. */
  string(pointer: number, length: number): string {
    const size = length >>> 0;
    const offset = this.at(pointer, size);
    if (size > MAX_STRING) throw new WasiError(errno.nametoolong);
    let bytes = this.bytes.subarray(offset, offset + size);
    // Other threads may write there meanwhile, and decoding reads twice: once to measure, once to fill what was measured.
    if (this.#buffer instanceof SharedArrayBuffer) bytes = Buffer.from(bytes);
    const text = bytes.toString('utf8');
    if (text.includes('\ufffd') && !isUtf8(bytes)) throw new WasiError(errno.ilseq);
    return text;
  }

  /** The first buffers of an iovec array (8 bytes each: pointer, length), empty ones left out; at most MAX_VECTORS. */
  vectors(pointer: number, count: number): Uint8Array[] {
    const total = count >>> 0;
    const start = this.at(pointer, total * 8);
    const vectors: Uint8Array[] = [];
    for (let index = 0; index < total && vectors.length < MAX_VECTORS; index++) {
      const length = this.view.getUint32(start + index * 8 + 4, true);
      if (length > 0) vectors.push(this.slice(this.view.getUint32(start + index * 8, true), length));
    }
    return vectors;
  }
}
