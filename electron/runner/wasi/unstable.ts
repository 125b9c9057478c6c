import { guarded } from './host.ts';
import { pollFamily, UNSTABLE_SUBSCRIPTION } from './poll.ts';
import type { Preview1 } from './preview1.ts';
import { statOfDescriptor, statOfFile, writeUnstableStat } from './stat-layout.ts';
import { errno } from './errno.ts';
import { LOOKUP_FOLLOW, right, whence } from './types.ts';
import type { HostFunction } from './world.ts';

/** sock_accept came with preview 1's last change, and all of WasmEdge's sockets later. */
const LATER = /^epoll_|^sock_(?!(recv|send|shutdown)$)/;

/** wasi_unstable counts CUR, END, SET. */
const whenceOf = [whence.cur, whence.end, whence.set];

/**
 * `wasi_unstable`, the ABI before preview 1: the same functions, but for the order of whence, a `filestat` of 56 bytes and a subscription of 56.
 */
export function createUnstable(preview1: Preview1): Record<string, HostFunction> {
  const { host, imports } = preview1;
  const { memory, descriptors, world } = host;
  const seek = imports['fd_seek'] as (fd: number, by: bigint, from: number, out: number) => number;
  const same = Object.fromEntries(Object.entries(imports).filter(([name]) => !LATER.test(name)));
  return {
    ...same,
    poll_oneoff: pollFamily(host, UNSTABLE_SUBSCRIPTION)['poll_oneoff'] as HostFunction,
    ...guarded(memory, {
      fd_seek: (fd: number, by: bigint, from: number, out: number) => {
        const known = whenceOf[from];
        return known === undefined ? errno.inval : seek(fd, by, known, out);
      },
      fd_filestat_get: (fd: number, out: number) => {
        const descriptor = descriptors.get(fd);
        if ((descriptor.rights & right.fdFilestatGet) === 0) return errno.notcapable;
        writeUnstableStat(memory, out, statOfDescriptor(descriptor, fd));
        return errno.success;
      },
      path_filestat_get: (fd: number, lookup: number, pointer: number, length: number, out: number) => {
        const { directory } = descriptors.directory(fd, right.pathFilestatGet);
        const path = memory.path(pointer, length);
        if (path.startsWith('/')) return errno.notcapable;
        const stat = world.mounts.stat(directory, path, { follow: (lookup & LOOKUP_FOLLOW) !== 0 });
        writeUnstableStat(memory, out, statOfFile(stat));
        return errno.success;
      },
    }),
  };
}
