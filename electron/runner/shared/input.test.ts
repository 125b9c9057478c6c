import { expect, test } from 'vitest';
import { SharedInput } from './input.ts';

const take = (input: SharedInput, size: number): string => {
  const into = Buffer.alloc(size);
  return into.toString('utf8', 0, input.take(into));
};

test('chunks are one stream, acknowledged as they are done with', () => {
  const done: number[] = [];
  const input = new SharedInput((bytes) => done.push(bytes));
  input.push(Buffer.from('hello '));
  input.push(Buffer.from('world'));
  input.end();
  input.push(Buffer.from('late'));
  expect([take(input, 4), input.available(), done]).toEqual(['hell', 7, []]);
  expect([take(input, 100), input.ended(), done]).toEqual(['o world', true, [6, 5]]);
  input.passEnd();
  expect(input.ended()).toBe(true);
});

test('a mark is the end for one read, and what follows comes after it', () => {
  const input = new SharedInput(() => {});
  input.push(Buffer.from('ab'));
  input.mark();
  input.push(Buffer.from('cd'));
  expect([take(input, 1), input.available(), input.ended()]).toEqual(['a', 1, false]);
  expect([take(input, 9), input.available(), input.ended(), take(input, 9)]).toEqual(['b', 0, true, '']);
  input.passEnd();
  expect([input.ended(), input.available(), take(input, 9)]).toEqual([false, 2, 'cd']);
  input.passEnd();
  expect(input.ended()).toBe(false);
});
