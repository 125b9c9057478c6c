import type { FileStat } from './stat.ts';
import type { FileTimes } from './times.ts';

/** How a file is opened. The combinations are those of open(2). */
export interface OpenHow {
  readonly read: boolean;
  readonly write: boolean;
  /** Every write goes to the end. */
  readonly append?: boolean;
  readonly create?: boolean;
  /** With `create`: fail with EEXIST when the name is taken, even by a link. */
  readonly exclusive?: boolean;
  readonly truncate?: boolean;
  /** Permission bits of a new file; 0o644 when absent. */
  readonly mode?: number;
  /** Data (`dsync`) or data and metadata (`sync`) reach the disk before a write returns. */
  readonly sync?: boolean;
  readonly dsync?: boolean;
}

/** An open regular file. Offsets and sizes in bytes. All calls answer at once and throw FsError or Node's system error. */
export interface OpenFile {
  stat(): FileStat;
  /** Bytes read; 0 at the end. */
  read(into: Uint8Array, offset: number, length: number, position: number): number;
  readMany(into: readonly Uint8Array[], position: number): number;
  /** Bytes written. `position` is ignored while the file is open for appending. */
  write(from: Uint8Array, offset: number, length: number, position: number): number;
  writeMany(from: readonly Uint8Array[], position: number): number;
  resize(size: number): void;
  /** Space for `length` bytes at `offset`; the file grows to hold them. */
  allocate(offset: number, length: number): void;
  sync(dataOnly: boolean): void;
  setTimes(times: FileTimes): void;
  chmod(mode: number): void;
  setAppend(append: boolean): void;
  close(): void;
}
