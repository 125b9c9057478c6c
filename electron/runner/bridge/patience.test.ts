import { expect, test } from 'vitest';
import { Patience } from './patience.ts';

test('waits while that pays, then only now and then', () => {
  const patience = new Patience();
  expect(patience.worth()).toBe(true);
  expect(patience.wait(() => true)).toBe(true);
  let vain = 0;
  while (patience.worth()) {
    expect(patience.wait(() => false)).toBe(false);
    vain++;
  }
  expect(vain).toBeLessThan(10);
  let passed = 1;
  while (!patience.worth()) passed++;
  expect(passed).toBeGreaterThan(10);
  // The one that finds out decides.
  patience.wait(() => false);
  expect(patience.worth()).toBe(false);
  while (!patience.worth());
  patience.wait(() => true);
  patience.wait(() => false);
  expect(patience.worth()).toBe(true);
});
