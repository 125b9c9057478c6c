import { expect, test } from 'vitest';
import { hitsIn, matcher, nextHit } from './log-search.ts';

const find = (
  text: string,
  line: string,
  options: { regex?: boolean; matchCase?: boolean } = {},
): [number, number][] => {
  const found = matcher({ text, regex: false, matchCase: false, ...options });
  if (!found || 'error' in found) throw new Error('no matcher');
  return hitsIn(line, found.pattern);
};

test('plain text is taken literally, case does not matter unless asked', () => {
  expect(find('a.b', 'xA.Bx a-b')).toEqual([[1, 4]]);
  expect(find('Timeout', 'timeout', { matchCase: true })).toEqual([]);
});

test('regular expressions, and what they cannot be', () => {
  expect(find('4\\d\\d', 'GET 404 in 412 ms', { regex: true })).toEqual([
    [4, 7],
    [11, 14],
  ]);
  expect(find('x*', 'abc', { regex: true })).toEqual([]);
  expect(matcher({ text: '(', regex: true, matchCase: false })).toHaveProperty('error');
  expect(matcher({ text: '', regex: true, matchCase: false })).toBeUndefined();
});

test('next and previous go round', () => {
  const found = [2, 5, 9];
  expect([0, 2, 3, 10].map((from) => nextHit(found, from, 1))).toEqual([0, 0, 1, 0]);
  expect([1, 2, 8, 10].map((from) => nextHit(found, from, -1))).toEqual([2, 0, 1, 2]);
  expect(nextHit([], 4, 1)).toBe(-1);
});
