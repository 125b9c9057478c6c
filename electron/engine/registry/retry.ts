import { setTimeout as wait } from 'node:timers/promises';
import { DrydockError } from '../../base/errors.ts';

/** Waits; replaced by tests that need no time. @throws AbortError */
export type Sleep = (milliseconds: number, signal?: AbortSignal) => Promise<void>;

export const systemSleep: Sleep = async (milliseconds, signal) => {
  await wait(milliseconds, undefined, signal && { signal });
};

/** Attempts for one question before its error is the answer. */
export const attempts = 5;
const first = 500;
/** The longest wait, also when a server asks for more: somebody sits before it. */
export const longest = 60_000;

/** Milliseconds before attempt `n` (1 = the second): doubled each time, half of it chance, so that many clients do not come back at once. */
export function backOff(n: number, random: () => number = Math.random): number {
  const full = Math.min(longest, first * 2 ** (n - 1));
  return full / 2 + (random() * full) / 2;
}

/** Retry-After in milliseconds: seconds or a date (RFC 9110, 10.2.3); undefined when there is none. */
export function retryAfter(header: string | undefined, now: number = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  const milliseconds = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(milliseconds) ? undefined : Math.min(longest, Math.max(0, milliseconds));
}

/** Answers that may be different a moment later. */
export const isPassing = (status: number): boolean =>
  status === 408 || status === 429 || status === 500 || (status >= 502 && status <= 504);

/** Whether a failure may be gone next time: a connection that broke, a server that was busy. Refused, unknown and untrusted hosts stay so. */
export const isBroken = (error: unknown): boolean =>
  error instanceof DrydockError &&
  error.kind === 'unavailable' &&
  (error.data['passing'] === true || isPassing(Number(error.data['status'])));
