/** WASI preview 1 errno (witx `$errno`), and the one table from everything thrown below to it. */
import { codeOf } from '../../fs/error.ts';

export const errno = {
  success: 0,
  toobig: 1,
  acces: 2,
  addrinuse: 3,
  addrnotavail: 4,
  afnosupport: 5,
  again: 6,
  already: 7,
  badf: 8,
  busy: 10,
  canceled: 11,
  connaborted: 13,
  connrefused: 14,
  connreset: 15,
  destaddrreq: 17,
  dquot: 19,
  exist: 20,
  fault: 21,
  fbig: 22,
  hostunreach: 23,
  ilseq: 25,
  inprogress: 26,
  intr: 27,
  inval: 28,
  io: 29,
  isconn: 30,
  isdir: 31,
  loop: 32,
  mfile: 33,
  mlink: 34,
  msgsize: 35,
  nametoolong: 37,
  netdown: 38,
  netreset: 39,
  netunreach: 40,
  nfile: 41,
  nobufs: 42,
  nodev: 43,
  noent: 44,
  nomem: 48,
  noprotoopt: 50,
  nospc: 51,
  nosys: 52,
  notconn: 53,
  notdir: 54,
  notempty: 55,
  notsock: 57,
  notsup: 58,
  nxio: 60,
  overflow: 61,
  perm: 63,
  pipe: 64,
  proto: 65,
  protonosupport: 66,
  rofs: 69,
  spipe: 70,
  stale: 72,
  timedout: 73,
  txtbsy: 74,
  xdev: 75,
  notcapable: 76,
} as const;

/** What only `sock_getaddrinfo` answers: WasmEdge's numbers, past those of preview 1. */
export const addrinfoErrno = {
  addrfamily: 77,
  again: 78,
  badflag: 79,
  fail: 80,
  family: 81,
  memory: 82,
  nodata: 83,
  noname: 84,
  service: 85,
  socktype: 86,
  system: 87,
} as const;

const byCode: Readonly<Record<string, number>> = {
  E2BIG: errno.toobig,
  EACCES: errno.acces,
  EADDRINUSE: errno.addrinuse,
  EADDRNOTAVAIL: errno.addrnotavail,
  EAFNOSUPPORT: errno.afnosupport,
  EAGAIN: errno.again,
  EALREADY: errno.already,
  EBADF: errno.badf,
  EBUSY: errno.busy,
  ECANCELED: errno.canceled,
  ECONNABORTED: errno.connaborted,
  ECONNREFUSED: errno.connrefused,
  ECONNRESET: errno.connreset,
  EDESTADDRREQ: errno.destaddrreq,
  EDQUOT: errno.dquot,
  EEXIST: errno.exist,
  EFAULT: errno.fault,
  EFBIG: errno.fbig,
  EHOSTDOWN: errno.hostunreach,
  EHOSTUNREACH: errno.hostunreach,
  EILSEQ: errno.ilseq,
  EINPROGRESS: errno.inprogress,
  EINTR: errno.intr,
  EINVAL: errno.inval,
  EIO: errno.io,
  EISCONN: errno.isconn,
  EISDIR: errno.isdir,
  ELOOP: errno.loop,
  EMFILE: errno.mfile,
  EMLINK: errno.mlink,
  EMSGSIZE: errno.msgsize,
  ENAMETOOLONG: errno.nametoolong,
  ENETDOWN: errno.netdown,
  ENETRESET: errno.netreset,
  ENETUNREACH: errno.netunreach,
  ENFILE: errno.nfile,
  ENOBUFS: errno.nobufs,
  ENODEV: errno.nodev,
  ENOENT: errno.noent,
  ENOMEM: errno.nomem,
  ENOPROTOOPT: errno.noprotoopt,
  ENOSPC: errno.nospc,
  ENOSYS: errno.nosys,
  ENOTCAPABLE: errno.notcapable,
  ENOTCONN: errno.notconn,
  ENOTDIR: errno.notdir,
  ENOTEMPTY: errno.notempty,
  ENOTSOCK: errno.notsock,
  ENOTSUP: errno.notsup,
  ENXIO: errno.nxio,
  EOPNOTSUPP: errno.notsup,
  EPERM: errno.perm,
  EPIPE: errno.pipe,
  EPROTO: errno.proto,
  EPROTONOSUPPORT: errno.protonosupport,
  EROFS: errno.rofs,
  ESPIPE: errno.spipe,
  ESTALE: errno.stale,
  ETIMEDOUT: errno.timedout,
  ETXTBSY: errno.txtbsy,
  EXDEV: errno.xdev,
  EUNKNOWN: errno.io,
  UNKNOWN: errno.io,
  // node:fs checks arguments before the kernel does: a size or an offset that no file can have.
  ERR_INVALID_ARG_VALUE: errno.inval,
  ERR_OUT_OF_RANGE: errno.inval,
};

/** Thrown by the helpers of this folder to leave a call with an errno. Carries no stack. */
export class WasiError extends Error {
  readonly errno: number;
  constructor(value: number) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(`errno ${value}`);
    Error.stackTraceLimit = limit;
    this.errno = value;
  }
}

/** The errno of anything thrown by the file system or by us. What is no error of a call (proc_exit, a bug) is thrown on. */
export function errnoOf(error: unknown): number {
  if (error instanceof WasiError) return error.errno;
  const code = codeOf(error);
  const value = code === undefined ? undefined : byCode[code];
  if (value !== undefined) return value;
  if (code !== undefined && /^E[A-Z0-9]+$/.test(code)) return errno.io;
  throw error;
}
