import { expect, test } from 'vitest';
import { backOff, longest, retryAfter } from './retry.ts';

test('waits double, half of each is chance, and end at a minute', () => {
  expect([1, 2, 3].map((n) => backOff(n, () => 1))).toEqual([500, 1000, 2000]);
  expect(backOff(3, () => 0)).toBe(1000);
  expect(backOff(30, () => 1)).toBe(longest);
});

test('Retry-After: seconds, a date, a wish that is too long, nonsense', () => {
  expect(retryAfter('3')).toBe(3000);
  expect(retryAfter('Wed, 01 Jan 2025 00:00:10 GMT', Date.parse('2025-01-01T00:00:00Z'))).toBe(10_000);
  expect(retryAfter('Wed, 01 Jan 2020 00:00:00 GMT')).toBe(0);
  expect(retryAfter('100000')).toBe(longest);
  expect(retryAfter('soon')).toBeUndefined();
  expect(retryAfter(undefined)).toBeUndefined();
});
