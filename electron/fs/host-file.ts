import {
  closeSync,
  constants,
  fchmodSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  futimesSync,
  openSync,
  readSync,
  readvSync,
  writeSync,
  writevSync,
} from 'node:fs';
import { fsError } from './error.ts';
import { hasDescriptorPaths } from './host-directory.ts';
import type { OpenFile, OpenHow } from './open-file.ts';
import { toFileStat, type FileStat } from './stat.ts';
import { toSeconds, type ExactTimes, type FileTimes } from './times.ts';

const exactly = { bigint: true } as const;

/** open(2)'s flags. */
export function openFlags(how: OpenHow): number {
  let flags = how.write ? (how.read ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY;
  if (how.create) flags |= constants.O_CREAT;
  if (how.exclusive) flags |= constants.O_EXCL;
  if (how.truncate) flags |= constants.O_TRUNC;
  // Elsewhere a positioned write ignores O_APPEND, so the end is looked up instead.
  if (how.append && hasDescriptorPaths) flags |= constants.O_APPEND;
  if (how.sync) flags |= constants.O_SYNC ?? 0;
  if (how.dsync) flags |= constants.O_DSYNC ?? 0;
  return flags;
}

/** A regular file of the host. */
export class HostFile implements OpenFile {
  #fd: number;
  #append: boolean;
  readonly #how: OpenHow;
  readonly #times: ExactTimes;
  /** The mount is read-only: the owner of a file may set its times through any descriptor, a guest may not. */
  readonly #readOnly: boolean;

  constructor(fd: number, how: OpenHow, times: ExactTimes, readOnly: boolean) {
    this.#fd = fd;
    this.#how = how;
    this.#append = how.append === true;
    this.#times = times;
    this.#readOnly = readOnly;
  }

  stat(): FileStat {
    return this.#times.exact(toFileStat(fstatSync(this.#fd, exactly)));
  }

  /** Bytes, now. */
  get size(): number {
    return fstatSync(this.#fd).size;
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    return readSync(this.#fd, into, offset, length, position);
  }

  readMany(into: readonly Uint8Array[], position: number): number {
    return readvSync(this.#fd, into as Uint8Array[], position);
  }

  write(from: Uint8Array, offset: number, length: number, position: number): number {
    return writeSync(this.#fd, from, offset, length, this.#place(position));
  }

  writeMany(from: readonly Uint8Array[], position: number): number {
    return writevSync(this.#fd, from as Uint8Array[], this.#place(position));
  }

  #place(position: number): number {
    if (!this.#append) return position;
    return hasDescriptorPaths ? 0 : fstatSync(this.#fd).size;
  }

  resize(size: number): void {
    ftruncateSync(this.#fd, size);
  }

  /** node:fs has no fallocate: a longer file is the visible half of it, and the only half that a copy-on-write disk keeps anyway. */
  allocate(offset: number, length: number): void {
    if (fstatSync(this.#fd).size < offset + length) ftruncateSync(this.#fd, offset + length);
  }

  sync(dataOnly: boolean): void {
    if (dataOnly) fdatasyncSync(this.#fd);
    else fsyncSync(this.#fd);
  }

  setTimes(times: FileTimes): void {
    if (this.#readOnly) throw fsError('EROFS', '');
    const before = this.stat();
    const asked = { atime: times.atime ?? before.atime, mtime: times.mtime ?? before.mtime };
    futimesSync(this.#fd, toSeconds(asked.atime), toSeconds(asked.mtime));
    this.#times.remember(toFileStat(fstatSync(this.#fd, exactly)), asked);
  }

  chmod(mode: number): void {
    if (this.#readOnly) throw fsError('EROFS', '');
    fchmodSync(this.#fd, mode);
  }

  /** Linux can open the same file again with the other flag; elsewhere the end is looked up before each write. */
  setAppend(append: boolean): void {
    if (append === this.#append) return;
    if (hasDescriptorPaths) {
      const flags = openFlags({ ...this.#how, append, create: false, exclusive: false, truncate: false });
      const fd = openSync(`/proc/self/fd/${this.#fd}`, flags);
      closeSync(this.#fd);
      this.#fd = fd;
    }
    this.#append = append;
  }

  close(): void {
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#fd = -1;
  }
}
