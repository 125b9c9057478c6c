import { expect, test } from 'vitest';
import { LogLayout, rowsOf } from './log-layout.ts';

test('finds lines by position and positions by line, with gaps from a filter', () => {
  const layout = new LogLayout();
  layout.push(3, 1);
  layout.push(7, 3);
  layout.push(8, 1);
  expect([layout.length, layout.rows]).toEqual([3, 5]);
  expect([0, 1, 3, 4, 99].map((row) => layout.number(layout.at(row)))).toEqual([3, 7, 7, 8, 8]);
  expect(layout.top(layout.indexOf(8))).toBe(4);
  expect(layout.indexOf(5)).toBe(-1);
  expect(layout.countFrom(4)).toBe(2);
});

test('drops from the front and says how much moved', () => {
  const layout = new LogLayout();
  for (let number = 0; number < 120_000; number++) layout.push(number, 1);
  expect(layout.dropBefore(60_000)).toBe(60_000);
  expect([layout.length, layout.number(0), layout.top(0), layout.rows]).toEqual([60_000, 60_000, 0, 60_000]);
  layout.push(120_000, 2);
  expect(layout.rows).toBe(60_002);
  expect(layout.top(layout.indexOf(120_000))).toBe(60_000);
});

test('a line that grows pushes the ones below', () => {
  const layout = new LogLayout();
  layout.push(0, 1);
  layout.push(1, 1);
  layout.resize(0, 4);
  expect([layout.top(1), layout.rows]).toEqual([4, 5]);
});

test('rows of a wrapped line', () => {
  expect(['', 'a', 'x'.repeat(80), 'x'.repeat(81)].map((text) => rowsOf(text, 80))).toEqual([1, 1, 1, 2]);
  expect(rowsOf('容器'.repeat(20), 80)).toBe(1);
  expect(rowsOf('容器'.repeat(21), 80)).toBe(2);
});
