import type { Directory } from '../../fs/directory.ts';
import { encodeName } from '../../fs/name-bytes.ts';
import { errno, WasiError } from './errno.ts';
import { guarded, type Family, type Host } from './host.ts';
import { statOfFile, timesAsked, writeStat } from './stat-layout.ts';
import {
  ASKED_RIGHTS,
  DIRECTORY_RIGHTS,
  fdflag,
  FILE_RIGHTS,
  INHERITED_RIGHTS,
  LOOKUP_FOLLOW,
  oflag,
  right,
  WRITING_RIGHTS,
} from './types.ts';

/** The functions that name a file by a path below a directory. */
export function pathFamily({ world, memory, descriptors }: Host): Family {
  const { mounts } = world;

  /** A path below a descriptor: never absolute, because the descriptor is all that the guest has. */
  const path = (pointer: number, length: number): string => {
    const text = memory.path(pointer, length);
    if (text.startsWith('/')) throw new WasiError(errno.notcapable);
    return text;
  };
  const at = (fd: number, needs: number): Directory => descriptors.directory(fd, needs).directory;
  const following = (flags: number): { follow: boolean } => ({ follow: (flags & LOOKUP_FOLLOW) !== 0 });

  return guarded(memory, {
    path_open: (
      fd: number,
      lookup: number,
      pointer: number,
      length: number,
      oflags: number,
      base: bigint,
      _inheriting: bigint,
      fdflags: number,
      out: number,
    ) => {
      const below = descriptors.directory(fd, right.pathOpen);
      const name = path(pointer, length);
      const fdOut = memory.at(out, 4);
      if ((oflags & ~0xf) !== 0 || (fdflags & ~0x1f) !== 0) return errno.inval;
      const create = (oflags & oflag.creat) !== 0;
      const truncate = (oflags & oflag.trunc) !== 0;
      const onlyDirectory = (oflags & oflag.directory) !== 0;
      if (create && onlyDirectory) return errno.inval;
      if (create && (below.rights & right.pathCreateFile) === 0) return errno.notcapable;
      if (truncate && (below.rights & right.pathFilestatSetSize) === 0) return errno.notcapable;
      const asked = Number(BigInt.asUintN(30, base)) & below.inheriting;
      const write = (asked & WRITING_RIGHTS) !== 0;
      const opened = mounts.open(below.directory, name, {
        // The kernel wants one of the two, and truncating is writing.
        read: (asked & right.fdRead) !== 0 || !(write || truncate),
        write: write || truncate,
        append: (fdflags & fdflag.append) !== 0,
        create,
        exclusive: (oflags & oflag.excl) !== 0,
        truncate,
        sync: (fdflags & (fdflag.sync | fdflag.rsync)) !== 0,
        dsync: (fdflags & fdflag.dsync) !== 0,
        onlyDirectory,
        ...following(lookup),
      });
      const granted = (asked | ~ASKED_RIGHTS) & below.inheriting;
      const number =
        'file' in opened
          ? descriptors.add({
              kind: 'file',
              file: opened.file,
              position: 0,
              rights: granted & FILE_RIGHTS,
              inheriting: 0,
              flags: fdflags,
            })
          : descriptors.add({
              kind: 'directory',
              directory: opened.directory,
              preopen: undefined,
              listing: undefined,
              rights: granted & DIRECTORY_RIGHTS,
              inheriting: below.inheriting & INHERITED_RIGHTS,
              flags: 0,
            });
      memory.view.setUint32(fdOut, number, true);
      return errno.success;
    },

    path_filestat_get: (fd: number, lookup: number, pointer: number, length: number, out: number) => {
      const directory = at(fd, right.pathFilestatGet);
      writeStat(memory, out, statOfFile(mounts.stat(directory, path(pointer, length), following(lookup))));
    },

    path_filestat_set_times: (
      fd: number,
      lookup: number,
      pointer: number,
      length: number,
      atim: bigint,
      mtim: bigint,
      flags: number,
    ) => {
      const directory = at(fd, right.pathFilestatSetTimes);
      const times = timesAsked(atim, mtim, flags);
      mounts.setTimes(directory, path(pointer, length), times, following(lookup));
    },

    path_create_directory: (fd: number, pointer: number, length: number) => {
      mounts.makeDirectory(at(fd, right.pathCreateDirectory), path(pointer, length));
    },

    path_remove_directory: (fd: number, pointer: number, length: number) => {
      mounts.removeDirectory(at(fd, right.pathRemoveDirectory), path(pointer, length));
    },

    path_unlink_file: (fd: number, pointer: number, length: number) => {
      mounts.unlink(at(fd, right.pathUnlinkFile), path(pointer, length));
    },

    path_rename: (fd: number, pointer: number, length: number, toFd: number, toPointer: number, toLength: number) => {
      const from = at(fd, right.pathRenameSource);
      const to = at(toFd, right.pathRenameTarget);
      mounts.rename(from, path(pointer, length), to, path(toPointer, toLength));
    },

    path_link: (
      fd: number,
      lookup: number,
      pointer: number,
      length: number,
      toFd: number,
      toPointer: number,
      toLength: number,
    ) => {
      const from = at(fd, right.pathLinkSource);
      const to = at(toFd, right.pathLinkTarget);
      mounts.link(from, path(pointer, length), following(lookup), to, path(toPointer, toLength));
    },

    path_symlink: (targetPointer: number, targetLength: number, fd: number, pointer: number, length: number) => {
      const directory = at(fd, right.pathSymlink);
      const target = memory.path(targetPointer, targetLength);
      // WASI lets no guest make one. Those that came with the image or a volume work, and lead from the container's root.
      if (target.startsWith('/')) return errno.perm;
      mounts.symlink(target, directory, path(pointer, length));
      return errno.success;
    },

    path_readlink: (fd: number, pointer: number, length: number, into: number, intoLength: number, sizeOut: number) => {
      const directory = at(fd, right.pathReadlink);
      const out = memory.at(sizeOut, 4);
      const buffer = memory.slice(into, intoLength);
      const target = Buffer.from(encodeName(mounts.readLink(directory, path(pointer, length))) as string);
      const size = Math.min(target.length, buffer.length);
      buffer.set(target.subarray(0, size));
      memory.view.setUint32(out, size, true);
    },
  });
}
