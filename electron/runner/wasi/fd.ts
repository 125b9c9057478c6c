import { errno, WasiError } from './errno.ts';
import { guarded, type Family, type Host } from './host.ts';
import { statOfDescriptor, timesAsked, typeOfDescriptor, writeStat } from './stat-layout.ts';
import { fdflag, right } from './types.ts';

const SYNC_FLAGS = fdflag.dsync | fdflag.rsync | fdflag.sync;
const KNOWN_FLAGS = SYNC_FLAGS | fdflag.append | fdflag.nonblock;
const LAST_ADVICE = 5;

/** Sizes and offsets of files, exact up to 2^53. */
export function sizeOf(value: bigint): number {
  const size = Number(BigInt.asUintN(64, value));
  if (size > Number.MAX_SAFE_INTEGER) throw new WasiError(errno.fbig);
  return size;
}

/** Rights come as u64; only the 30 low bits have a meaning. */
const rightsOf = (value: bigint): number => Number(BigInt.asUintN(30, value));
/** Rights that do not exist cannot be had. */
const beyond = (value: bigint): boolean => BigInt.asUintN(64, value) >> 30n !== 0n;

/** The functions on a descriptor that move no data and list no names. */
export function fdFamily({ memory, descriptors }: Host): Family {
  return guarded(memory, {
    fd_close: (fd: number) => descriptors.close(fd),
    fd_renumber: (from: number, to: number) => descriptors.renumber(from, to),

    fd_fdstat_get: (fd: number, out: number) => {
      const descriptor = descriptors.get(fd);
      const at = memory.at(out, 24);
      const { view } = memory;
      view.setUint16(at, typeOfDescriptor(descriptor), true);
      view.setUint16(at + 2, descriptor.flags, true);
      view.setUint32(at + 4, 0, true);
      view.setBigUint64(at + 8, BigInt(descriptor.rights), true);
      view.setBigUint64(at + 16, BigInt(descriptor.inheriting), true);
    },

    fd_fdstat_set_flags: (fd: number, flags: number) => {
      const descriptor = descriptors.get(fd);
      if ((flags & ~KNOWN_FLAGS) !== 0) return errno.inval;
      if (descriptor.kind === 'directory') return flags === 0 ? errno.success : errno.isdir;
      if ((descriptor.rights & right.fdFdstatSetFlags) === 0) return errno.notcapable;
      // How a file reaches the disk is decided when it is opened.
      if (((flags ^ descriptor.flags) & SYNC_FLAGS) !== 0) return errno.notsup;
      if (descriptor.kind === 'file') descriptor.file.setAppend((flags & fdflag.append) !== 0);
      descriptor.flags = flags;
      return errno.success;
    },

    fd_fdstat_set_rights: (fd: number, base: bigint, inheriting: bigint) => {
      const descriptor = descriptors.get(fd);
      const wanted = rightsOf(base);
      const wantedBelow = rightsOf(inheriting);
      if (beyond(base) || beyond(inheriting)) return errno.notcapable;
      if ((wanted & ~descriptor.rights) !== 0 || (wantedBelow & ~descriptor.inheriting) !== 0) return errno.notcapable;
      descriptor.rights = wanted;
      descriptor.inheriting = wantedBelow;
      return errno.success;
    },

    fd_filestat_get: (fd: number, out: number) => {
      const descriptor = descriptors.get(fd);
      if ((descriptor.rights & right.fdFilestatGet) === 0) return errno.notcapable;
      writeStat(memory, out, statOfDescriptor(descriptor, fd));
      return errno.success;
    },

    fd_filestat_set_size: (fd: number, size: bigint) => {
      const file = descriptors.file(fd, 0);
      // POSIX: a descriptor that is not open for writing is EINVAL; one that has lost the right is a matter of rights.
      if ((file.rights & right.fdFilestatSetSize) === 0) return errno.inval;
      file.file.resize(sizeOf(size));
      return errno.success;
    },

    fd_filestat_set_times: (fd: number, atim: bigint, mtim: bigint, flags: number) => {
      const descriptor = descriptors.get(fd);
      const times = timesAsked(atim, mtim, flags);
      if ((descriptor.rights & right.fdFilestatSetTimes) === 0) return errno.notcapable;
      if (descriptor.kind === 'file') descriptor.file.setTimes(times);
      else if (descriptor.kind === 'directory') descriptor.directory.setOwnTimes(times);
      else return errno.inval;
      return errno.success;
    },

    fd_allocate: (fd: number, from: bigint, length: bigint) => {
      const file = descriptors.file(fd, 0);
      if ((file.rights & right.fdAllocate) === 0) return errno.badf;
      if (length === 0n) return errno.inval;
      const start = sizeOf(from);
      sizeOf(BigInt(start) + BigInt.asUintN(64, length));
      file.file.allocate(start, sizeOf(length));
      return errno.success;
    },

    fd_advise: (fd: number, _from: bigint, _length: bigint, advice: number) => {
      descriptors.file(fd, right.fdAdvise);
      return advice >>> 0 > LAST_ADVICE ? errno.inval : errno.success;
    },

    fd_sync: (fd: number) => synchronise(fd, right.fdSync, false),
    fd_datasync: (fd: number) => synchronise(fd, right.fdDatasync, true),
  });

  function synchronise(fd: number, needs: number, dataOnly: boolean): number {
    const descriptor = descriptors.get(fd);
    if (descriptor.kind === 'stream' || descriptor.kind === 'socket') return errno.inval;
    if ((descriptor.rights & needs) === 0) return errno.notcapable;
    if (descriptor.kind === 'file') descriptor.file.sync(dataOnly);
    return errno.success;
  }
}
