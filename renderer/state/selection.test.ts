import { expect, test } from 'vitest';
import { Selection } from './selection.svelte.ts';

const order = ['a', 'b', 'c', 'd'];

test('the cursor starts at an end, stops at the ends, and takes an open drawer along', () => {
  const selection = new Selection();
  selection.move(order, 1);
  expect(selection.cursor).toBe('a');
  selection.open = 'a';
  selection.move(order, 2);
  expect([selection.cursor, selection.open]).toEqual(['c', 'c']);
  selection.move(order, 9);
  expect(selection.cursor).toBe('d');
  const fresh = new Selection();
  fresh.move(order, order.length);
  expect(fresh.cursor).toBe('d');
});

test('shift chooses a path from the last plain place', () => {
  const selection = new Selection();
  selection.point('b');
  selection.move(order, 1, true);
  selection.move(order, 1, true);
  expect([...selection.chosen]).toEqual(['b', 'c', 'd']);
});

test('all, and all again is none', () => {
  const selection = new Selection();
  selection.toggle('b');
  selection.chooseAll(order);
  expect(selection.chosen.size).toBe(4);
  selection.chooseAll(order);
  expect(selection.chosen.size).toBe(0);
});

test('rows that are gone are not chosen any more', () => {
  const selection = new Selection();
  selection.toggle('a');
  selection.toggle('b');
  selection.open = 'a';
  selection.keep((key) => key !== 'a');
  expect([[...selection.chosen], selection.open]).toEqual([['b'], '']);
});
