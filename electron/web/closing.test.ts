import { expect, test } from 'vitest';
import { Closing } from './closing.ts';

test('closes in reverse, and once', async () => {
  const order: string[] = [];
  const closing = new Closing();
  closing.add(async () => void order.push('engine'));
  closing.add(async () => void order.push('web'));
  await Promise.all([closing.close(), closing.close()]);
  expect(order).toEqual(['web', 'engine']);
});

test('one that fails does not keep the others open', async () => {
  const order: string[] = [];
  const closing = new Closing();
  closing.add(async () => void order.push('engine'));
  closing.add(() => Promise.reject(new Error('stuck')));
  await expect(closing.close()).rejects.toThrow('stuck');
  expect(order).toEqual(['engine']);
});
