import { expect, test } from 'vitest';
import { SLOTS } from './calls.ts';
import { THREAD_LIMIT, threadLimitOf } from './limit.ts';

test('the main thread is always there, and nobody gets more than there are slots', () => {
  expect([undefined, -1, 0, 1, 40, 1e9].map(threadLimitOf)).toEqual([THREAD_LIMIT, 1, 1, 1, 40, SLOTS]);
});
