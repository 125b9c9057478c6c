import { expect, test } from 'vitest';
import { indexAt, maxScrollHeight, offsetsOf, scale, windowOf } from './virtual.ts';

test('the window holds exactly what touches the viewport', () => {
  const offsets = offsetsOf([40, 40, 64, 36, 40], (height) => height);
  expect([...offsets]).toEqual([0, 40, 80, 144, 180, 220]);
  expect(windowOf(offsets, 0, 40, 0)).toEqual({ first: 0, end: 2 });
  expect(windowOf(offsets, 81, 60, 0)).toEqual({ first: 2, end: 3 });
  expect(windowOf(offsets, 10_000, 100, 0)).toEqual({ first: 5, end: 5 });
  expect(windowOf(new Float64Array(1), 0, 100)).toEqual({ first: 0, end: 0 });
});

test('indexAt finds the item under a position', () => {
  const offsets = offsetsOf([10, 10, 10], (height) => height);
  expect([-1, 0, 9, 10, 29].map((top) => indexAt(offsets, top))).toEqual([-1, 0, 0, 1, 2]);
});

test('100,000 rows of 40 px: a screenful is drawn', () => {
  const offsets = offsetsOf(new Array<number>(100_000).fill(40), (height) => height);
  const { first, end } = windowOf(offsets, 2_000_000, 700, 200);
  expect(first).toBe(49_995);
  expect(end - first).toBeLessThan(32);
});

test('a list higher than a browser can scroll is scrolled in proportion, and its end is reachable', () => {
  const total = 40_000_000;
  const box = scale(total, 600);
  expect(box.height).toBe(maxScrollHeight);
  expect(box.toList(box.height - 600)).toBeCloseTo(total - 600);
  expect(box.toScroll(box.toList(123_456))).toBeCloseTo(123_456);
  expect(scale(8000, 600).toList(100)).toBe(100);
});
