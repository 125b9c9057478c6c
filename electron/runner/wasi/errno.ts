/** WASI preview 1 errno (witx `$errno`), and the one table from everything thrown below to it. */
import { codeOf } from '../../fs/error.ts';

export const errno = {
  success: 0,
  toobig: 1,
  acces: 2,
  again: 6,
  badf: 8,
  busy: 10,
  dquot: 19,
  exist: 20,
  fault: 21,
  fbig: 22,
  ilseq: 25,
  intr: 27,
  inval: 28,
  io: 29,
  isdir: 31,
  loop: 32,
  mfile: 33,
  mlink: 34,
  nametoolong: 37,
  nfile: 41,
  nodev: 43,
  noent: 44,
  nomem: 48,
  nospc: 51,
  nosys: 52,
  notdir: 54,
  notempty: 55,
  notsock: 57,
  notsup: 58,
  nxio: 60,
  overflow: 61,
  perm: 63,
  pipe: 64,
  rofs: 69,
  spipe: 70,
  stale: 72,
  txtbsy: 74,
  xdev: 75,
  notcapable: 76,
} as const;

const byCode: Readonly<Record<string, number>> = {
  E2BIG: errno.toobig,
  EACCES: errno.acces,
  EAGAIN: errno.again,
  EBADF: errno.badf,
  EBUSY: errno.busy,
  EDQUOT: errno.dquot,
  EEXIST: errno.exist,
  EFAULT: errno.fault,
  EFBIG: errno.fbig,
  EILSEQ: errno.ilseq,
  EINTR: errno.intr,
  EINVAL: errno.inval,
  EIO: errno.io,
  EISDIR: errno.isdir,
  ELOOP: errno.loop,
  EMFILE: errno.mfile,
  EMLINK: errno.mlink,
  ENAMETOOLONG: errno.nametoolong,
  ENFILE: errno.nfile,
  ENODEV: errno.nodev,
  ENOENT: errno.noent,
  ENOMEM: errno.nomem,
  ENOSPC: errno.nospc,
  ENOSYS: errno.nosys,
  ENOTCAPABLE: errno.notcapable,
  ENOTDIR: errno.notdir,
  ENOTEMPTY: errno.notempty,
  ENOTSUP: errno.notsup,
  ENXIO: errno.nxio,
  EOPNOTSUPP: errno.notsup,
  EPERM: errno.perm,
  EPIPE: errno.pipe,
  EROFS: errno.rofs,
  ESPIPE: errno.spipe,
  ESTALE: errno.stale,
  ETXTBSY: errno.txtbsy,
  EUNKNOWN: errno.io,
  EXDEV: errno.xdev,
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
