import { expect, test } from 'vitest';
import { markHits, pieces, plain } from './ansi.ts';

test('colours become classes, a reset ends them', () => {
  expect(pieces('\x1b[31;1merror\x1b[0m ok')).toEqual([
    { text: 'error', style: 'a-red a-bold' },
    { text: ' ok', style: '' },
  ]);
  expect(pieces('\x1b[90mdim\x1b[39m')).toEqual([{ text: 'dim', style: 'a-dim' }]);
});

test('256 and true colours fall to the nearest of ours', () => {
  expect(pieces('\x1b[38;5;196mx')[0]?.style).toBe('a-red');
  expect(pieces('\x1b[38;2;40;200;80mx')[0]?.style).toBe('a-green');
  expect(pieces('\x1b[48;5;21mx')[0]?.style).toBe('');
});

test('other sequences are left out, broken ones do no harm', () => {
  expect(plain('\x1b]0;title\x07a\x1b[2Kb\x1b[?25lc\x1b(Bd')).toBe('abcd');
  expect(plain('end\x1b[')).toContain('end');
});

test('a rewritten line shows its last version', () => {
  expect(plain('10 %\r50 %\r100 %')).toBe('100 %');
  expect(plain('done\r')).toBe('done');
});

test('hits are cut out across the borders of colours', () => {
  const parts = pieces('ab\x1b[31mcd\x1b[0mef');
  expect(
    markHits(parts, [
      [1, 3],
      [5, 6],
    ]).map((run) => [run.text, run.hit]),
  ).toEqual([
    ['a', -1],
    ['b', 0],
    ['c', 0],
    ['d', -1],
    ['e', -1],
    ['f', 1],
  ]);
});
