import { afterEach, expect, test, vi } from 'vitest';
import { Slices } from './slices.ts';

afterEach(() => vi.restoreAllMocks());

test('tells of a slice of more than a second, and of a turn that is long; the time between slices counts for nothing', () => {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  vi.spyOn(process, 'threadCpuUsage').mockImplementation((since) =>
    since ? { user: now * 1000 - since.user, system: 1 } : { user: now * 1000, system: 0 },
  );
  let hogged = 0;
  const slices = new Slices(() => hogged++);
  const slice = (from: number, until: number): void => {
    now = from;
    slices.enter();
    now = until;
    slices.leave();
  };
  slice(0, 1000);
  expect(hogged).toBe(0);
  slice(5000, 6001);
  expect(hogged).toBe(1);
  // Leaving twice is leaving once: a wait that ends the guest.
  slices.leave();
  expect(hogged).toBe(1);
  expect(slices.total).toEqual({ user: 2_001_000, system: 2 });
  slices.enter();
  expect(slices.isLong).toBe(false);
  now += 11;
  expect(slices.isLong).toBe(true);
});
