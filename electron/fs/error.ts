/** The one error of this folder: a POSIX errno name and the guest path it is about. runner/wasi/errno.ts turns it into a WASI errno. */

/** What can go wrong, in POSIX's names. ENOTCAPABLE is WASI's own: a path that would leave the directory it was opened from. */
const meanings = {
  E2BIG: 'argument list too long',
  EACCES: 'permission denied',
  EAGAIN: 'not ready, try again',
  EBADF: 'the descriptor is not open for this',
  EBUSY: 'in use as a mount point',
  EDQUOT: 'disk quota exceeded',
  EEXIST: 'already exists',
  EFBIG: 'file too large',
  EILSEQ: 'the name is not valid UTF-8',
  EINVAL: 'invalid argument',
  EIO: 'input or output failed',
  EISDIR: 'is a directory',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many open files',
  EMLINK: 'too many links',
  ENAMETOOLONG: 'name too long',
  ENFILE: 'too many open files in the system',
  ENODEV: 'no such device',
  ENOENT: 'no such file or directory',
  ENOMEM: 'out of memory',
  ENOSPC: 'no space left',
  ENOSYS: 'not possible here',
  ENOTCAPABLE: 'the path leads out of the directory it starts from',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
  ENOTSUP: 'not supported',
  ENXIO: 'devices, pipes and sockets of the host are not opened for guests',
  EPERM: 'operation not permitted',
  EROFS: 'read-only file system',
  ESPIPE: 'cannot seek',
  ESTALE: 'the file was replaced meanwhile',
  ETXTBSY: 'the program is running',
  EXDEV: 'on another mount',
} as const;

export type FsCode = keyof typeof meanings;

export class FsError extends Error {
  override readonly name = 'FsError';
  readonly code: FsCode;
  /** The guest path, or the last name of it where only that is known. */
  readonly path: string;

  constructor(code: FsCode, path: string, cause?: unknown) {
    super(`${code}: ${meanings[code]}: ${path}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.path = path;
  }
}

/** Makes an FsError without a stack: guests cause thousands of them (a search along a path), and a stack costs more than the call itself. */
export function fsError(code: FsCode, path: string, cause?: unknown): FsError {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return new FsError(code, path, cause);
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** The errno name of anything thrown by node:fs or by us; undefined for errors that are no system errors. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Any error as an FsError about the guest path. Errors that are not the system's (a bug of ours) are passed on as they are. */
export function toFsError(error: unknown, path: string): unknown {
  if (error instanceof FsError) return error.path === path ? error : fsError(error.code, path, error.cause);
  const code = codeOf(error);
  if (code === undefined) return error;
  if (code in meanings) return fsError(code as FsCode, path, error);
  if (code === 'EOPNOTSUPP') return fsError('ENOTSUP', path, error);
  // Node's own checks of arguments: a size or a time that no file system takes.
  if (code === 'ERR_OUT_OF_RANGE' || code.startsWith('ERR_INVALID_ARG')) return fsError('EINVAL', path, error);
  return code.startsWith('E') && !code.startsWith('ERR_') ? fsError('EIO', path, error) : error;
}
