/**
 * Errors are meanings. Any layer throws a DrydockError of one kind; three tables turn the kind into an HTTP status
 * (electron/docker/status.ts), a WASI errno (electron/runner/wasi/errno.ts) and a sentence for people (the message itself,
 * with `hint` saying what to do next). Modelled on the idea of moby's errdefs: no layer invents codes of its own.
 */
export type ErrorKind =
  | 'invalid' // the request itself is wrong
  | 'unauthorized' // credentials missing or wrong
  | 'denied' // understood, not allowed
  | 'notFound'
  | 'conflict' // name taken, wrong state
  | 'notModified' // already in the wanted state
  | 'unsupported' // has no meaning without containers, or not built yet
  | 'unavailable' // a peer (registry, runner) does not answer
  | 'cancelled'
  | 'full' // disk or quota
  | 'damaged' // stored data does not verify
  | 'internal';

/** What a thrower may add to the sentence. `hint` says what to do; `data` names the things for programs. */
export interface ErrorDetails {
  readonly hint?: string | undefined;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

export class DrydockError extends Error {
  override readonly name = 'DrydockError';
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.hint = details.hint;
    this.data = details.data ?? {};
  }
}

const make =
  (kind: ErrorKind) =>
  (message: string, details?: ErrorDetails): DrydockError =>
    new DrydockError(kind, message, details);

export const invalid = make('invalid');
export const unauthorized = make('unauthorized');
export const denied = make('denied');
export const notFound = make('notFound');
export const conflict = make('conflict');
export const notModified = make('notModified');
export const unsupported = make('unsupported');
export const unavailable = make('unavailable');
export const cancelled = make('cancelled');
export const full = make('full');
export const damaged = make('damaged');
export const internal = make('internal');

/** The kind of any thrown value; Node's system errors are translated once, here. */
export function kindOf(error: unknown): ErrorKind {
  if (error instanceof DrydockError) return error.kind;
  if (error instanceof Error) {
    if (error.name === 'AbortError') return 'cancelled';
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC' || code === 'EDQUOT') return 'full';
    if (code === 'ENOENT') return 'notFound';
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'denied';
  }
  return 'internal';
}

/** Wraps anything thrown so that upper layers handle one type. Keeps DrydockErrors as they are. */
export function toDrydockError(error: unknown): DrydockError {
  if (error instanceof DrydockError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new DrydockError(kindOf(error), message, { cause: error });
}

/** For exhaustive switches over unions. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
