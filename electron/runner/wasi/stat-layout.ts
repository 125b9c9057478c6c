import type { FileStat } from '../../fs/stat.ts';
import type { FileTimes } from '../../fs/times.ts';
import { realtime } from './clock.ts';
import type { Descriptor } from './descriptors.ts';
import { errno, WasiError } from './errno.ts';
import type { GuestMemory } from './guest-memory.ts';
import { filetype, filetypeOf, fstflag } from './types.ts';

/** What a `filestat` tells, whatever its layout. */
export interface GuestStat {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly type: number;
  readonly nlink: bigint;
  readonly size: bigint;
  readonly atime: bigint;
  readonly mtime: bigint;
  readonly ctime: bigint;
}

export const statOfFile = (stat: FileStat): GuestStat => ({
  dev: stat.dev,
  ino: stat.ino,
  type: filetypeOf[stat.kind],
  nlink: stat.nlink,
  size: stat.size,
  atime: stat.atime,
  mtime: stat.mtime,
  ctime: stat.ctime,
});

/** A terminal is a character device; a pipe has no type in WASI, and isatty is false for everything that is no character device. */
export const typeOfDescriptor = (descriptor: Descriptor): number => {
  if (descriptor.kind === 'file') return filetype.regularFile;
  if (descriptor.kind === 'directory') return filetype.directory;
  if (descriptor.kind === 'socket')
    return descriptor.socket.type === 'stream' ? filetype.socketStream : filetype.socketDgram;
  return descriptor.tty ? filetype.characterDevice : filetype.unknown;
};

export function statOfDescriptor(descriptor: Descriptor, fd: number): GuestStat {
  if (descriptor.kind === 'file') return statOfFile(descriptor.file.stat());
  if (descriptor.kind === 'directory') return statOfFile(descriptor.directory.stat());
  return {
    dev: 0n,
    ino: BigInt(fd >>> 0),
    type: typeOfDescriptor(descriptor),
    nlink: 1n,
    size: 0n,
    atime: 0n,
    mtime: 0n,
    ctime: 0n,
  };
}

export type StatWriter = (memory: GuestMemory, pointer: number, stat: GuestStat) => void;

/** 64 bytes: dev 0, ino 8, type 16, nlink 24, size 32, atim 40, mtim 48, ctim 56. */
export const writeStat: StatWriter = (memory, pointer, stat) => {
  const at = memory.at(pointer, 64);
  const { view } = memory;
  view.setBigUint64(at, stat.dev, true);
  view.setBigUint64(at + 8, stat.ino, true);
  view.setBigUint64(at + 16, BigInt(stat.type), true);
  view.setBigUint64(at + 24, stat.nlink, true);
  view.setBigUint64(at + 32, stat.size, true);
  view.setBigUint64(at + 40, stat.atime, true);
  view.setBigUint64(at + 48, stat.mtime, true);
  view.setBigUint64(at + 56, stat.ctime, true);
};

/** wasi_unstable's 56 bytes: dev 0, ino 8, type 16, nlink u32 20, size 24, atim 32, mtim 40, ctim 48. */
export const writeUnstableStat: StatWriter = (memory, pointer, stat) => {
  const at = memory.at(pointer, 56);
  const { view } = memory;
  view.setBigUint64(at, stat.dev, true);
  view.setBigUint64(at + 8, stat.ino, true);
  view.setUint32(at + 16, stat.type, true);
  view.setUint32(at + 20, Number(stat.nlink), true);
  view.setBigUint64(at + 24, stat.size, true);
  view.setBigUint64(at + 32, stat.atime, true);
  view.setBigUint64(at + 40, stat.mtime, true);
  view.setBigUint64(at + 48, stat.ctime, true);
};

/** The times that the flags of a set_times call ask for. */
export function timesAsked(atim: bigint, mtim: bigint, flags: number): FileTimes {
  const one = (set: number, now: number, value: bigint): bigint | undefined => {
    if ((flags & set) !== 0 && (flags & now) !== 0) throw new WasiError(errno.inval);
    if ((flags & now) !== 0) return realtime();
    return (flags & set) !== 0 ? BigInt.asUintN(64, value) : undefined;
  };
  if ((flags & ~0xf) !== 0) throw new WasiError(errno.inval);
  return {
    atime: one(fstflag.atim, fstflag.atimNow, atim),
    mtime: one(fstflag.mtim, fstflag.mtimNow, mtim),
  };
}
