import { describe, expect, it } from 'vitest';
import { addrinfoErrno, errno } from './errno.ts';
import { FakeNet } from './net-testing.ts';
import { BLOCKING_IMPORTS } from './preview1.ts';
import { at, HandGuest } from './testing.ts';
import { ProcExit } from './world.ts';

const names = [
  ...['args_get', 'args_sizes_get', 'environ_get', 'environ_sizes_get', 'clock_res_get', 'clock_time_get', 'fd_advise'],
  ...['fd_allocate', 'fd_close', 'fd_datasync', 'fd_fdstat_get', 'fd_fdstat_set_flags', 'fd_fdstat_set_rights'],
  ...['fd_filestat_get', 'fd_filestat_set_size', 'fd_filestat_set_times', 'fd_pread', 'fd_prestat_get'],
  ...['fd_prestat_dir_name', 'fd_pwrite', 'fd_read', 'fd_readdir', 'fd_renumber', 'fd_seek', 'fd_sync', 'fd_tell'],
  ...['fd_write', 'path_create_directory', 'path_filestat_get', 'path_filestat_set_times', 'path_link', 'path_open'],
  ...['path_readlink', 'path_remove_directory', 'path_rename', 'path_symlink', 'path_unlink_file', 'poll_oneoff'],
  ...['proc_exit', 'proc_raise', 'sched_yield', 'random_get', 'sock_accept', 'sock_recv', 'sock_send', 'sock_shutdown'],
].sort();

/** WasmEdge's sockets. */
const dialect = [
  ...['open', 'bind', 'listen', 'connect', 'recv_from', 'send_to', 'getlocaladdr', 'getpeeraddr'].flatMap((name) => [
    `sock_${name}`,
    `sock_${name}_v2`,
  ]),
  ...['sock_accept_v2', 'sock_recv_v2', 'sock_send_v2', 'sock_getsockopt', 'sock_setsockopt', 'sock_getaddrinfo'],
  'epoll_oneoff',
];

/** Parameters that are i64 in the ABI, by position. */
const wide: Readonly<Record<string, readonly number[]>> = {
  clock_time_get: [1],
  fd_advise: [1, 2],
  fd_allocate: [1, 2],
  fd_fdstat_set_rights: [1, 2],
  fd_filestat_set_size: [1],
  fd_filestat_set_times: [1, 2],
  fd_pread: [3],
  fd_pwrite: [3],
  fd_readdir: [3],
  fd_seek: [1],
  path_filestat_set_times: [4, 5],
  path_open: [5, 6],
};

const arity: Readonly<Record<string, number>> = {
  ...{ args_get: 2, args_sizes_get: 2, environ_get: 2, environ_sizes_get: 2, clock_res_get: 2, clock_time_get: 3 },
  ...{ fd_advise: 4, fd_allocate: 3, fd_close: 1, fd_datasync: 1, fd_fdstat_get: 2, fd_fdstat_set_flags: 2 },
  ...{ fd_fdstat_set_rights: 3, fd_filestat_get: 2, fd_filestat_set_size: 2, fd_filestat_set_times: 4, fd_pread: 5 },
  ...{ fd_prestat_get: 2, fd_prestat_dir_name: 3, fd_pwrite: 5, fd_read: 4, fd_readdir: 5, fd_renumber: 2, fd_seek: 4 },
  ...{
    fd_sync: 1,
    fd_tell: 2,
    fd_write: 4,
    path_create_directory: 3,
    path_filestat_get: 5,
    path_filestat_set_times: 7,
  },
  ...{ path_link: 7, path_open: 9, path_readlink: 6, path_remove_directory: 3, path_rename: 6, path_symlink: 5 },
  ...{ path_unlink_file: 3, poll_oneoff: 4, proc_raise: 1, sched_yield: 0, random_get: 2, sock_accept: 3 },
  ...{ sock_recv: 6, sock_send: 5, sock_shutdown: 2, sock_open: 3, sock_bind: 3, sock_listen: 2, sock_connect: 3 },
  ...{ sock_recv_from: 7, sock_recv_from_v2: 8, sock_send_to: 7, sock_getlocaladdr: 4, sock_getlocaladdr_v2: 3 },
  ...{ sock_getpeeraddr: 4, sock_getpeeraddr_v2: 3, sock_accept_v2: 3, sock_getsockopt: 5, sock_setsockopt: 5 },
  ...{ sock_getaddrinfo: 8, epoll_oneoff: 4 },
};

describe('preview 1', () => {
  it('has all of its functions and no other', () => {
    using guest = new HandGuest();
    expect(Object.keys(guest.imports).sort()).toEqual([...names, ...dialect].sort());
    for (const name of BLOCKING_IMPORTS) expect([...names, ...dialect]).toContain(name);
  });

  it('answers every wild argument with an errno', () => {
    const net = new FakeNet();
    using guest = new HandGuest({ lower: { f: 'file' }, net });
    const numbers = [0, 1, 2, 3, 4, 5, -1, 7, 65_535, 65_536, 0x7fff_ffff, -0x8000_0000, 1024];
    let seed = 1;
    const pick = () => {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff;
      return numbers[(seed >>> 8) % numbers.length] as number;
    };
    for (let round = 0; round < 400; round++) {
      // Some rounds have an open file at 4, some memory full of pointers to nowhere.
      if (round % 50 === 0) guest.bytes.fill(round % 100 === 0 ? 0xff : 0);
      if (guest.errno('fd_fdstat_get', 4, at.out) === errno.badf) guest.open('f', { oflags: 1 });
      if (guest.errno('fd_fdstat_get', 5, at.out) === errno.badf) guest.ok('sock_open', 1, 2 - (round % 2), at.out);
      for (const [name, count] of Object.entries(arity)) {
        const args = Array.from({ length: count }, (_, index) =>
          wide[name]?.includes(index) ? BigInt(pick()) * (round % 3 === 0 ? 0x1_0000_0000n : 1n) : pick(),
        );
        // Descriptor 3 and the streams stay, so that the next calls have something to work on.
        if ((name === 'fd_close' || name === 'fd_renumber') && args.some((arg) => Number(arg) < 4 && Number(arg) >= 0))
          continue;
        if (name === 'fd_fdstat_set_rights') continue;
        const answer = guest.call(name, ...args);
        if (typeof answer === 'object') expect(BLOCKING_IMPORTS).toContain(name);
        else
          expect(answer, `${name}(${args.join()})`).toBeLessThanOrEqual(
            name === 'sock_getaddrinfo' ? addrinfoErrno.system : errno.notcapable,
          );
      }
    }
    guest.ok('fd_prestat_get', 3, at.out);
  });

  it('tells out-of-range pointers from all else', () => {
    using guest = new HandGuest({ args: ['a'], lower: { f: 'x' } });
    const end = 65_536;
    expect(guest.errno('args_get', end - 3, 0)).toBe(errno.fault);
    expect(guest.errno('clock_time_get', 1, 0n, end - 7)).toBe(errno.fault);
    expect(guest.errno('random_get', -1, 2)).toBe(errno.fault);
    expect(guest.errno('path_open', 3, 0, end - 1, 2, 0, 0n, 0n, 0, 0)).toBe(errno.fault);
    expect(guest.errno('fd_write', 1, end - 7, 1, at.out)).toBe(errno.fault);
    const [iovs, count] = guest.iovs(10);
    guest.view.setUint32(iovs, end - 5, true);
    expect(guest.errno('fd_write', 1, iovs, count, at.out)).toBe(errno.fault);
    const fd = guest.open('f');
    expect(guest.errno('fd_read', fd, iovs, count, at.out)).toBe(errno.fault);
    expect(guest.errno('fd_write', fd, iovs, 0x2000_0000, at.out)).toBe(errno.fault);
    expect(guest.stdout.records).toEqual([]);
  });

  it('follows a memory that grows', () => {
    using guest = new HandGuest({ args: ['program'] });
    guest.memory.grow(1);
    const pointer = 65_536 + 16;
    guest.ok('args_sizes_get', pointer, pointer + 4);
    expect(guest.view.getUint32(pointer + 4, true)).toBe(8);
    expect(guest.sizes).toEqual([65_536, 131_072]);
  });

  it('gives arguments and environment', () => {
    using guest = new HandGuest({ args: ['prog', '', 'ünï'], env: ['A=1', 'B='] });
    guest.ok('args_sizes_get', at.out, at.out + 4);
    expect([guest.out32(), guest.view.getUint32(at.out + 4, true)]).toEqual([3, 5 + 1 + 6]);
    guest.ok('args_get', at.text, at.other);
    const start = guest.view.getUint32(at.text + 8, true);
    expect(guest.bytes.toString('utf8', at.other, at.other + 12)).toBe('prog\0\0ünï\0');
    expect(start).toBe(at.other + 6);
    guest.ok('environ_get', at.text, at.other);
    expect(guest.bytes.toString('utf8', at.other, at.other + 7)).toBe('A=1\0B=\0');
  });

  it('ends with proc_exit, through everything', () => {
    using guest = new HandGuest();
    expect(() => guest.call('proc_exit', 33)).toThrow(ProcExit);
    expect(() => guest.call('proc_exit', -1)).toThrow(expect.objectContaining({ code: 0xffff_ffff }));
  });

  it('tells the time, and none of clocks that are not there', () => {
    using guest = new HandGuest();
    const read = (id: number) => {
      guest.ok('clock_time_get', id, 0n, at.out);
      return guest.out64();
    };
    const before = BigInt(Date.now()) * 1_000_000n;
    const off = read(0) - before;
    expect(off > -1_000_000_000n && off < 1_000_000_000n).toBe(true);
    const first = read(1);
    expect(read(1)).toBeGreaterThanOrEqual(first);
    const cpu = read(3);
    expect(cpu > 0n && cpu < first).toBe(true);
    expect(guest.errno('clock_time_get', 4, 0n, at.out)).toBe(errno.inval);
    guest.ok('clock_res_get', 1, at.out);
    expect(guest.out64()).toBe(1n);
    expect(guest.errno('clock_res_get', -1, at.out)).toBe(errno.inval);
  });

  it('gives random bytes in any number', () => {
    using guest = new HandGuest();
    for (const size of [1, 100, 256, 257, 4097]) {
      guest.bytes.fill(0, at.data, at.data + size);
      guest.ok('random_get', at.data, size);
      if (size > 16) expect(new Set(guest.bytes.subarray(at.data, at.data + size)).size).toBeGreaterThan(8);
      expect(guest.bytes[at.data + size]).toBe(0);
    }
    const seen = new Set<string>();
    for (let index = 0; index < 1000; index++) {
      guest.ok('random_get', at.data, 16);
      seen.add(guest.bytes.toString('hex', at.data, at.data + 16));
    }
    expect(seen.size).toBe(1000);
  });

  it('has no sockets and says what is none', () => {
    using guest = new HandGuest();
    expect(guest.errno('sock_shutdown', 77, 1)).toBe(errno.badf);
    expect(guest.errno('sock_shutdown', 1, 1)).toBe(errno.notsock);
    expect(guest.errno('sock_accept', 3, 0, at.out)).toBe(errno.badf);
    expect(guest.errno('proc_raise', 6)).toBe(errno.nosys);
    expect(guest.errno('sched_yield')).toBe(0);
  });

  it('closes what the guest left open', () => {
    const guest = new HandGuest({ lower: { f: 'x' } });
    guest.open('f');
    guest.preview1.dispose();
    expect(guest.errno('fd_fdstat_get', 4, 0)).toBe(errno.badf);
    guest.scratch[Symbol.dispose]();
  });
});
