import { kindOf, toDrydockError } from '../base/errors.ts';
import type { ErrorKind } from '../base/errors.ts';

/** What each meaning is in HTTP. No special cases anywhere else (cf. moby daemon/server/httpstatus). */
const statuses: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthorized: 401,
  denied: 403,
  notFound: 404,
  conflict: 409,
  notModified: 304,
  unsupported: 501,
  unavailable: 503,
  cancelled: 499,
  full: 507,
  damaged: 500,
  internal: 500,
};

/** The HTTP status of anything thrown. */
export const statusOf = (error: unknown): number => statuses[kindOf(error)];

/** The sentence that the CLI prints after "Error response from daemon: ", the hint in brackets. */
export function messageOf(error: unknown): string {
  const { message, hint } = toDrydockError(error);
  return hint === undefined ? message : `${message} (${hint})`;
}
