import { invalid } from '../../base/errors.ts';
import type { ContainerHealth, Healthcheck } from '../../engine/api/index.ts';
import type { Fields } from './fields.ts';

/** `Healthcheck` of a create request; undefined = not asked for. Texts are moby's (daemon/container.go validateHealthCheck). @throws invalid */
export function readHealthcheck(config: Fields): Healthcheck | undefined {
  const check = config.child('Healthcheck');
  const duration = (name: string): number => {
    const value = check.integer(name) ?? 0;
    if (value !== 0 && value < 1_000_000) throw invalid(`${name} in Healthcheck cannot be less than 1ms`);
    return value;
  };
  const retries = check.integer('Retries') ?? 0;
  if (retries < 0) throw invalid('Retries in Healthcheck cannot be negative');
  const health = {
    test: check.texts('Test') ?? [],
    interval: duration('Interval'),
    timeout: duration('Timeout'),
    startPeriod: duration('StartPeriod'),
    startInterval: duration('StartInterval'),
    retries,
  };
  return Object.keys(check.raw).length === 0 ? undefined : health;
}

/** Durations in nanoseconds; zeros (defaults) are left out, as Go's omitempty does. */
export function healthcheckJson(check: Healthcheck): Record<string, unknown> {
  return {
    Test: check.test,
    ...(check.interval ? { Interval: check.interval } : {}),
    ...(check.timeout ? { Timeout: check.timeout } : {}),
    ...(check.startPeriod ? { StartPeriod: check.startPeriod } : {}),
    ...(check.startInterval ? { StartInterval: check.startInterval } : {}),
    ...(check.retries ? { Retries: check.retries } : {}),
  };
}

/** `State.Health` of inspect. */
export const healthJson = ({ status, failingStreak, log }: ContainerHealth): Record<string, unknown> => ({
  Status: status,
  FailingStreak: failingStreak,
  Log: log.map(({ start, end, exitCode, output }) => ({ Start: start, End: end, ExitCode: exitCode, Output: output })),
});
