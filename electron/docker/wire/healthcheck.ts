import type { Healthcheck } from '../../engine/api/index.ts';

/** Durations in nanoseconds; zeros (defaults) are left out, as Go's omitempty does. */
export function healthcheckJson(check: Healthcheck): Record<string, unknown> {
  return {
    Test: check.test,
    ...(check.interval ? { Interval: check.interval } : {}),
    ...(check.timeout ? { Timeout: check.timeout } : {}),
    ...(check.startPeriod ? { StartPeriod: check.startPeriod } : {}),
    ...(check.retries ? { Retries: check.retries } : {}),
  };
}
