import { encodeName } from '../../fs/name-bytes.ts';
import type { DirectoryEntry } from '../../fs/stat.ts';
import type { DirectoryDescriptor } from './descriptors.ts';
import { errno } from './errno.ts';
import { guarded, type Family, type Host } from './host.ts';
import { filetype, filetypeOf, right } from './types.ts';

/** Bytes of a dirent before its name: d_next 0, d_ino 8, d_namlen 16, d_type 20. */
const HEADER = 24;
/** Cookies 0 and 1 are `.` and `..`. */
const DOTS = 2;

/** fd_prestat_get, fd_prestat_dir_name, fd_readdir. */
export function fdDirectoryFamily({ world, memory, descriptors }: Host): Family {
  const preopenOf = (fd: number): Buffer | undefined => {
    const descriptor = descriptors.get(fd);
    return descriptor.kind === 'directory' && descriptor.preopen !== undefined
      ? Buffer.from(descriptor.preopen)
      : undefined;
  };
  let scratch = Buffer.alloc(HEADER + 1024);

  /** The dirent that `cookie` stands for, in the scratch buffer; its length. */
  const encode = (descriptor: DirectoryDescriptor, listing: readonly DirectoryEntry[], cookie: number): number => {
    const { directory } = descriptor;
    let name: string;
    let type: number = filetype.directory;
    let inode: bigint;
    if (cookie === 0) [name, inode] = ['.', directory.stat().ino];
    else if (cookie === 1) [name, inode] = ['..', (directory.parent ?? directory).stat().ino];
    else {
      const entry = listing[cookie - DOTS] as DirectoryEntry;
      name = entry.name;
      // It may have gone since the list was taken; then there is no inode to tell.
      const stat = directory.lookup(name);
      inode = stat?.ino ?? 0n;
      type = filetypeOf[stat?.kind ?? entry.kind];
    }
    const bytes = encodeName(name);
    const length = typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
    if (scratch.length < HEADER + length) scratch = Buffer.alloc(HEADER + length);
    scratch.writeBigUInt64LE(BigInt(cookie + 1), 0);
    scratch.writeBigUInt64LE(inode, 8);
    scratch.writeUInt32LE(length, 16);
    scratch.writeUInt32LE(type, 20);
    if (typeof bytes === 'string') scratch.write(bytes, HEADER);
    else bytes.copy(scratch, HEADER);
    return HEADER + length;
  };

  return guarded(memory, {
    fd_prestat_get: (fd: number, out: number) => {
      const name = preopenOf(fd);
      if (!name) return errno.badf;
      memory.u32(out, 0);
      memory.u32(out + 4, name.length);
      return errno.success;
    },

    fd_prestat_dir_name: (fd: number, pointer: number, length: number) => {
      const name = preopenOf(fd);
      if (!name) return errno.badf;
      if (length >>> 0 < name.length) return errno.nametoolong;
      memory.slice(pointer, name.length).set(name);
      return errno.success;
    },

    fd_readdir: (fd: number, pointer: number, length: number, cookie: bigint, sizeOut: number) => {
      const descriptor = descriptors.directory(fd, right.fdReaddir);
      const into = memory.slice(pointer, length);
      const out = memory.at(sizeOut, 4);
      let next = Number(BigInt.asUintN(64, cookie));
      // From the start: as it is now. Further on: as it was, so that nothing is told twice or left out.
      if (next === 0 || !descriptor.listing) descriptor.listing = world.mounts.list(descriptor.directory);
      const { listing } = descriptor;
      let used = 0;
      for (; next < listing.length + DOTS && used < into.length; next++) {
        const size = encode(descriptor, listing, next);
        const part = Math.min(size, into.length - used);
        into.set(scratch.subarray(0, part), used);
        used += part;
      }
      // Told to the end: the names need not be kept.
      if (used < into.length) descriptor.listing = undefined;
      memory.view.setUint32(out, used, true);
      return errno.success;
    },
  });
}
