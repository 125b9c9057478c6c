import { expect, test } from 'vitest';
import { Closing } from './closing.ts';

test('closes in reverse, once, and what was opened meanwhile at once', async () => {
  const order: string[] = [];
  const closing = new Closing();
  await closing.add(async () => void order.push('engine'));
  await closing.add(async () => void order.push('web'));
  expect(closing.begun).toBe(false);
  await Promise.all([closing.close(), closing.close()]);
  expect(closing.begun).toBe(true);
  await closing.add(async () => void order.push('late'));
  expect(order).toEqual(['web', 'engine', 'late']);
});

test('one that fails does not keep the others open', async () => {
  const order: string[] = [];
  const closing = new Closing();
  await closing.add(async () => void order.push('engine'));
  await closing.add(() => Promise.reject(new Error('stuck')));
  await expect(closing.close()).rejects.toThrow('stuck');
  expect(order).toEqual(['engine']);
});
