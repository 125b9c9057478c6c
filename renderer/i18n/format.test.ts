import { expect, test } from 'vitest';
import { bytes, clockTime, cores, count, percent, span } from './format.ts';

test('sizes are SI, with one digit where it says something', () => {
  expect(
    [0, 512, 84_000, 999_499, 999_500, 2_100_000, 61_300_000, 148_200_000, 1_300_000_000].map((n) => bytes(n, 'en')),
  ).toEqual(['0 B', '512 B', '84 kB', '999 kB', '1.0 MB', '2.1 MB', '61.3 MB', '148 MB', '1.3 GB']);
});

test('numbers keep their digits', () => {
  expect(percent(11.249, 'en')).toBe('11.2 %');
  expect([0, 99.94, 99.96, 188.2].map((value) => percent(value, 'en'))).toEqual(['0.0 %', '99.9 %', '100 %', '188 %']);
  expect([percent(50, 'en', 0), bytes(64_000_000, 'en', 0), bytes(64_500_000, 'en', 0)]).toEqual([
    '50 %',
    '64 MB',
    '64.5 MB',
  ]);
  expect(cores(28, 'en')).toBe('0.28');
  expect(count(1_048_188, 'en')).toBe('1,048,188');
});

test('a log line’s time is local, to the millisecond', () => {
  expect(clockTime(new Date(2026, 10, 24, 9, 41, 2, 8).getTime())).toBe('09:41:02.008');
});

test('spans use the largest units and never go negative', () => {
  const minute = 60_000;
  const hour = 60 * minute;
  expect(span(-5, 1)).toEqual([{ value: 0, unit: 'second' }]);
  expect(span(59_999, 1)).toEqual([{ value: 59, unit: 'second' }]);
  expect(span(2 * hour + 14 * minute, 1)).toEqual([{ value: 2, unit: 'hour' }]);
  expect(span(2 * hour + 14 * minute, 2)).toEqual([
    { value: 2, unit: 'hour' },
    { value: 14, unit: 'minute' },
  ]);
  expect(span(2 * hour, 2)).toEqual([{ value: 2, unit: 'hour' }]);
  expect(span(40 * 24 * hour, 1)).toEqual([{ value: 1, unit: 'month' }]);
});
