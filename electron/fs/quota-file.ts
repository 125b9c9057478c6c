import { fsError } from './error.ts';
import type { HostFile } from './host-file.ts';
import type { OpenFile } from './open-file.ts';
import { dataCost, type Quota } from './quota.ts';
import type { FileStat } from './stat.ts';
import type { FileTimes } from './times.ts';

const BLOCK = 4096;

/** A file of the host whose growth is paid from a quota. Like a disk, it writes what there is room for, and says ENOSPC when there is none. */
export class QuotaFile implements OpenFile {
  readonly #file: HostFile;
  readonly #quota: Quota;
  readonly #name: string;
  readonly #key: string;
  #append: boolean;
  #closed = false;

  constructor(file: HostFile, quota: Quota, name: string, append: boolean) {
    this.#file = file;
    this.#quota = quota;
    this.#name = name;
    this.#append = append;
    this.#key = quota.opened(file.stat());
  }

  stat(): FileStat {
    return this.#file.stat();
  }
  read(into: Uint8Array, offset: number, length: number, position: number): number {
    return this.#file.read(into, offset, length, position);
  }
  readMany(into: readonly Uint8Array[], position: number): number {
    return this.#file.readMany(into, position);
  }

  write(from: Uint8Array, offset: number, length: number, position: number): number {
    return this.#paid(length, position, (room) => this.#file.write(from, offset, room, position));
  }

  writeMany(from: readonly Uint8Array[], position: number): number {
    const length = from.reduce((sum, part) => sum + part.length, 0);
    return this.#paid(length, position, (room) =>
      this.#file.writeMany(room < length ? firstOf(from, room) : from, position),
    );
  }

  /** Lets `write` have as many bytes as fit. Nothing is paid for what lies in the file already. */
  #paid(length: number, position: number, write: (room: number) => number): number {
    const size = this.#file.size;
    const start = this.#append ? size : position;
    const before = dataCost(size);
    const cost = (end: number): number => Math.max(0, dataCost(end) - before);
    let room = length;
    if (cost(start + length) > 0) {
      const free = Math.max(0, this.#quota.room());
      if (cost(start + length) > free) room = Math.min(length, before + Math.floor(free / BLOCK) * BLOCK - start);
      if (length > 0 && room <= 0) throw fsError('ENOSPC', this.#name);
    }
    const paid = cost(start + room);
    this.#quota.take(paid, this.#name);
    let written = 0;
    try {
      return (written = write(room));
    } finally {
      this.#quota.give(paid - cost(written === 0 ? 0 : start + written));
    }
  }

  resize(size: number): void {
    this.#grown(this.#file.size, size, () => this.#file.resize(size));
  }

  allocate(offset: number, length: number): void {
    const { size } = this.#file;
    this.#grown(size, Math.max(size, offset + length), () => this.#file.allocate(offset, length));
  }

  #grown(from: number, to: number, action: () => void): void {
    const more = dataCost(to) - dataCost(from);
    if (more > 0) this.#quota.charge(more, this.#name, action);
    else {
      action();
      this.#quota.give(-more);
    }
  }

  sync(dataOnly: boolean): void {
    this.#file.sync(dataOnly);
  }
  setTimes(times: FileTimes): void {
    this.#file.setTimes(times);
  }
  chmod(mode: number): void {
    this.#file.chmod(mode);
  }
  setAppend(append: boolean): void {
    this.#file.setAppend(append);
    this.#append = append;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#quota.closed(this.#key, () => this.#file.size);
    this.#file.close();
  }
}

function firstOf(parts: readonly Uint8Array[], length: number): Uint8Array[] {
  const first: Uint8Array[] = [];
  for (const part of parts) {
    if (length <= 0) break;
    first.push(part.subarray(0, length));
    length -= part.length;
  }
  return first;
}
