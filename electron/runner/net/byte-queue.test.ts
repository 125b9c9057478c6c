import { expect, test } from 'vitest';
import { ByteQueue } from './byte-queue.ts';

test('chunks in, buffers out', () => {
  const queue = new ByteQueue();
  for (const text of ['ab', '', 'cdef', 'g']) queue.push(Buffer.from(text));
  expect(queue.length).toBe(7);
  const into = [Buffer.alloc(1), Buffer.alloc(0), Buffer.alloc(4), Buffer.alloc(9)];
  expect(queue.take(into, true)).toBe(7);
  expect(into.map(String)).toEqual(['a', '', 'bcde', 'fg\0\0\0\0\0\0\0']);
  expect(queue.take([Buffer.alloc(3)])).toBe(3);
  const rest = Buffer.alloc(8);
  expect(queue.take([rest])).toBe(4);
  expect(rest.toString('latin1', 0, 4)).toBe('defg');
  expect([queue.length, queue.take([rest])]).toEqual([0, 0]);
});

test('very many very small chunks cost no more than what is in them', () => {
  const queue = new ByteQueue();
  const before = process.memoryUsage().heapUsed;
  for (let at = 0; at < 1 << 18; at++) queue.push(Uint8Array.of(at & 255));
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 << 20);
  const all = Buffer.alloc(1 << 18);
  let done = 0;
  while (queue.length > 0) done += queue.take([all.subarray(done, done + 1000)]);
  expect(all.every((byte, at) => byte === (at & 255))).toBe(true);
});
