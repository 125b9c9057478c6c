/** For tests only: random calls of host functions, the same ones for the same seed. */
import { fdflag, oflag, right } from './types.ts';

/** xorshift32: small, fast, and good enough to pick nasty numbers. */
export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = (seed ^ 0x9e37_79b9) | 0 || 1;
    for (let index = 0; index < 8; index++) this.next();
  }
  /** 0 … 2^32 - 1. */
  next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }
  /** 0 … limit - 1. */
  below(limit: number): number {
    return this.next() % limit;
  }
  chance(one: number, of: number): boolean {
    return this.below(of) < one;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** Where a call's buffers are written, and what is open. */
export interface Ground {
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Descriptors that path_open gave; some may be closed again. */
  readonly opened: readonly number[];
  readonly sockets: readonly number[];
}

/**
 * What each parameter means, so that many calls get past the first check. `path` and `iovs` stand for two parameters (pointer and length or count), as
 * `buf` does; `events` for the three pointers and the count of poll_oneoff.
 */
export const meanings: Readonly<Record<string, string>> = {
  args_get: 'out out',
  args_sizes_get: 'out out',
  clock_res_get: 'clock out',
  clock_time_get: 'clock u64 out',
  environ_get: 'out out',
  environ_sizes_get: 'out out',
  fd_advise: 'fd size size small',
  fd_allocate: 'fd size size',
  fd_close: 'spare',
  fd_datasync: 'fd',
  fd_fdstat_get: 'fd out',
  fd_fdstat_set_flags: 'fd fdflags',
  fd_fdstat_set_rights: 'spare rights rights',
  fd_filestat_get: 'fd out',
  fd_filestat_set_size: 'fd size',
  fd_filestat_set_times: 'fd u64 u64 fst',
  fd_pread: 'fd iovs size out',
  fd_prestat_dir_name: 'fd buf',
  fd_prestat_get: 'fd out',
  fd_pwrite: 'fd iovs size out',
  fd_read: 'fd iovs out',
  fd_readdir: 'dir buf cookie out',
  fd_renumber: 'spare spare',
  fd_seek: 'fd size small out',
  fd_sync: 'fd',
  fd_tell: 'fd out',
  fd_write: 'fd iovs out',
  path_create_directory: 'dir path',
  path_filestat_get: 'dir small path out',
  path_filestat_set_times: 'dir small path u64 u64 fst',
  path_link: 'dir small path dir path',
  path_open: 'dir small path oflags rights rights fdflags out',
  path_readlink: 'dir path buf out',
  path_remove_directory: 'dir path',
  path_rename: 'dir path dir path',
  path_symlink: 'path dir path',
  path_unlink_file: 'dir path',
  poll_oneoff: 'events',
  proc_raise: 'u32',
  random_get: 'buf',
  sched_yield: '',
  // Where a name has several shapes: the number of parameters after a slash.
  'sock_accept/2': 'sock out',
  'sock_accept/3': 'sock fdflags out',
  sock_bind: 'sock address port',
  sock_connect: 'sock address port',
  sock_getaddrinfo: 'host host out chain small out',
  'sock_getlocaladdr/3': 'sock address out',
  'sock_getlocaladdr/4': 'sock address out out',
  'sock_getpeeraddr/3': 'sock address out',
  'sock_getpeeraddr/4': 'sock address out out',
  sock_getsockopt: 'sock level option buffer out',
  sock_listen: 'sock small',
  sock_open: 'small small out',
  sock_recv: 'sock iovs small out out',
  'sock_recv_from/7': 'sock iovs address small out out',
  'sock_recv_from/8': 'sock iovs address small out out out',
  sock_send: 'sock iovs small out',
  sock_send_to: 'sock iovs address port small out',
  sock_setsockopt: 'sock level option buf',
  sock_shutdown: 'sock small',
  epoll_oneoff: 'events',
};

const wild = [0, 1, 7, 8, 0xffff, 0x1_0000, 0x7fff_ffff, -0x8000_0000, -1, -2, -8, 0x2000_0000];
const wide = [
  0n,
  1n,
  -1n,
  2n,
  100n,
  4096n,
  65_536n,
  1n << 20n,
  (1n << 31n) - 1n,
  1n << 31n,
  1n << 32n,
  1n << 40n,
  (1n << 53n) - 1n,
  1n << 53n,
  (1n << 63n) - 1n,
  -(1n << 63n),
  1_700_000_000_000_000_001n,
];
const names = [
  ...['a', 'b', 'c', 'd', 'd/e', 'd/e/f', 'f', '.', '..', '../..', '/', '//', './', 'd/', 'a/', 'd//e', 'd/./e/../e'],
  ...['mnt', 'mnt/x', 'mnt/y', 'mnt/sub', 'mnt/sub/z', 'ro', 'ro/x', 'ro/y', 'tmp', 'tmp/t', 'tmp/u', 'tmp/v/w', 'one'],
  ...['up', 'mnt/up', 'magic', 'mnt/magic', 'loop', 'mnt/loop', 'mnt/dangling', 'folder/secret', 'mnt/folder/secret'],
  ...['../secret', '../../secret', 'mnt/../../secret', 'magic/etc/passwd', '/etc/passwd', '.wh.a', '.wh..wh..opq'],
  ...[
    '',
    'nul\0here',
    'n'.repeat(255),
    'n'.repeat(256),
    'long/'.repeat(900),
    'd/e/../../../..',
    'mnt/pipe',
    'con',
    'a:b',
  ],
];
const raw = [Buffer.from([0x61, 0xff, 0xfe]), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from([0xc3])];

/** The arguments of one call, with what they point to already written. */
export function argumentsFor(name: string, dice: Dice, ground: Ground): (number | bigint)[] {
  const { bytes, view, opened, sockets } = ground;
  const size = bytes.length;
  /** A pointer, usually to `length` bytes that are there. */
  const pointer = (length: number): number => {
    if (dice.chance(1, 24)) return dice.pick(wild);
    if (dice.chance(1, 24)) return size - dice.below(length + 8);
    const room = Math.max(1, size - length);
    const at = dice.below(room);
    return dice.chance(3, 4) ? at & ~7 : at;
  };
  const inside = (length: number): number => dice.below(Math.max(1, size - length)) & ~7;
  const fd = (): number => {
    if (dice.chance(1, 16)) return dice.pick([...wild, 99, 4095, 4096]);
    return opened.length > 0 && dice.chance(3, 4) ? dice.pick(opened) : dice.below(12);
  };
  const meaning: Readonly<Record<string, () => (number | bigint)[]>> = {
    fd: () => [fd()],
    dir: () => [dice.chance(2, 3) ? 3 : fd()],
    // The streams and the root stay, or little would be left to call.
    spare: () => [dice.chance(1, 200) ? fd() : 4 + dice.below(9)],
    out: () => [pointer(64)],
    u32: () => [dice.chance(1, 2) ? dice.pick(wild) : dice.next() | 0],
    u64: () => [dice.chance(1, 2) ? dice.pick(wide) : (BigInt(dice.next()) << 32n) | BigInt(dice.next())],
    size: () => [dice.chance(2, 3) ? BigInt(dice.below(70_000)) : dice.pick(wide)],
    sock: () => [sockets.length > 0 && dice.chance(5, 6) ? dice.pick(sockets) : fd()],
    level: () => [dice.chance(7, 8) ? 0 : dice.pick(wild)],
    option: () => [dice.chance(7, 8) ? dice.below(16) : dice.pick(wild)],
    port: () => [dice.chance(3, 4) ? 40_000 + dice.below(8) : dice.pick([0, ...wild])],
    buffer: () => [pointer(16)],
    address: () => {
      const at = inside(160);
      view.setInt32(at, dice.chance(1, 30) ? dice.pick(wild) : at + 16, true);
      view.setInt32(at + 4, dice.chance(1, 20) ? dice.pick(wild) : dice.pick([4, 4, 16, 128]), true);
      view.setUint16(at + 16, dice.below(4), true);
      if (dice.chance(3, 4)) view.setUint32(at + 16 + dice.pick([0, 2]), dice.pick([0, 0x0100_007f]), true);
      return [at];
    },
    host: () => {
      const text = Buffer.from(
        dice.pick(['', 'localhost', 'web', '127.0.0.1', '::1', '80', 'http\0', 'x'.repeat(300)]),
      );
      const at = inside(text.length);
      text.copy(bytes, at);
      return [at, dice.chance(1, 30) ? dice.pick(wild) : text.length];
    },
    chain: () => {
      const at = inside(120);
      view.setUint32(at, at + 4, true);
      view.setUint32(at + 4 + 12, at + 40, true);
      view.setUint32(at + 4 + 24, dice.chance(1, 2) ? 0 : at + 4, true);
      view.setUint32(at + 40 + 8, at + 60, true);
      return [dice.chance(1, 10) ? dice.pick(wild) : at];
    },
    cookie: () => [dice.chance(3, 4) ? BigInt(dice.below(20)) : dice.pick(wide)],
    rights: () => [
      dice.chance(1, 2)
        ? (1n << 30n) - 1n
        : dice.chance(1, 2)
          ? BigInt(right.fdRead | right.fdWrite)
          : BigInt(dice.next()),
    ],
    clock: () => [dice.chance(7, 8) ? dice.below(5) : dice.pick(wild)],
    small: () => [dice.chance(7, 8) ? dice.below(4) : dice.pick(wild)],
    fst: () => [dice.chance(7, 8) ? dice.below(16) : dice.pick(wild)],
    fdflags: () => [
      dice.chance(3, 4) ? dice.pick([0, 0, fdflag.append, fdflag.nonblock, fdflag.sync]) : dice.below(64),
    ],
    oflags: () => [dice.chance(3, 4) ? dice.pick([0, oflag.creat, oflag.directory, oflag.trunc | 1]) : dice.below(32)],
    buf: () => {
      const length = dice.chance(1, 10) ? dice.pick(wild) : dice.below(dice.chance(1, 4) ? size : 300);
      return [pointer(length > 0 ? length : 8), length];
    },
    path: () => {
      const text = dice.chance(1, 30) ? dice.pick(raw) : Buffer.from(dice.pick(names));
      const at = inside(text.length);
      text.copy(bytes, at);
      if (dice.chance(1, 40)) return [pointer(8), dice.pick(wild)];
      return [at, dice.chance(1, 40) ? dice.below(text.length + 20) : text.length];
    },
    iovs: () => {
      const count = dice.chance(1, 8) ? dice.below(2000) : dice.below(5);
      const at = inside(count * 8);
      if (at + count * 8 <= size)
        for (let index = 0; index < count; index++) {
          const length = dice.chance(1, 60) ? dice.pick(wild) : dice.below(dice.chance(1, 8) ? size : 100);
          view.setInt32(at + index * 8, dice.chance(1, 60) ? dice.pick(wild) : inside(length > 0 ? length : 0), true);
          view.setInt32(at + index * 8 + 4, length, true);
        }
      return [at, dice.chance(1, 30) ? dice.pick(wild) : count];
    },
    events: () => {
      const count = dice.below(6);
      const at = inside(count * 56);
      for (let index = 0; index < count && at + index * 56 + 56 <= size; index++) {
        const start = at + index * 48;
        view.setUint8(start + 8, dice.chance(7, 8) ? dice.below(3) : dice.below(256));
        view.setInt32(start + 16, dice.chance(1, 2) ? fd() : dice.below(4), true);
        view.setBigUint64(
          start + 24,
          BigInt.asUintN(64, dice.chance(3, 4) ? BigInt(dice.below(1e6)) : dice.pick(wide)),
          true,
        );
        view.setUint16(start + 40, dice.below(3), true);
      }
      return [at, pointer(count * 32), dice.chance(1, 20) ? dice.pick(wild) : count, pointer(4)];
    },
  };
  return (meanings[name] ?? '')
    .split(' ')
    .filter((word) => word !== '')
    .flatMap((word) => (meaning[word] as () => (number | bigint)[])());
}
