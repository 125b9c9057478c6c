import { ORPCError } from '@orpc/client';
import type { Failure } from '../../electron/contract/errors.ts';
import { LinkClosedError } from './guard.ts';

const isFailure = (data: unknown): data is Failure =>
  typeof data === 'object' && data !== null && 'kind' in data && 'message' in data && typeof data.message === 'string';

/** Any thrown value as the engine's sentence with its hint. */
export function asFailure(error: unknown): Failure {
  if (error instanceof ORPCError) {
    const data: unknown = error.data;
    if (isFailure(data)) return data;
    if (error.code === 'BAD_REQUEST') return { kind: 'invalid', message: error.message + issuesOf(data) };
    return { kind: 'internal', message: error.message };
  }
  if (error instanceof LinkClosedError) return { kind: 'unavailable', message: error.message };
  if (isFailure(error)) return error;
  return { kind: 'internal', message: error instanceof Error ? error.message : String(error) };
}

/** The paths that the contract's schema refused: " (image: …)". */
function issuesOf(data: unknown): string {
  if (typeof data !== 'object' || data === null || !('issues' in data) || !Array.isArray(data.issues)) return '';
  const issues = (data.issues as { path?: unknown[]; message?: string }[])
    .map((issue) => `${(issue.path ?? []).join('.')}: ${issue.message ?? ''}`)
    .join('; ');
  return issues === '' ? '' : ` (${issues})`;
}
