import { toDrydockError, type ErrorKind } from '../base/errors.ts';
import type { Failure } from '../contract/errors.ts';

const statuses: Record<ErrorKind, number> = {
  invalid: 400,
  unauthorized: 401,
  denied: 403,
  notFound: 404,
  conflict: 409,
  notModified: 409,
  unsupported: 501,
  unavailable: 503,
  cancelled: 499,
  full: 507,
  damaged: 500,
  internal: 500,
};

/** HTTP status of a kind, for the window's doors (the Docker door has its own table: moby's). */
export const statusOf = (kind: ErrorKind): number => statuses[kind];

/** Anything thrown, as the contract says it. */
export function failureOf(error: unknown): Failure {
  const { kind, message, hint } = toDrydockError(error);
  return hint === undefined ? { kind, message } : { kind, message, hint };
}
