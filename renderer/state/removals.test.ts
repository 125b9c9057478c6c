import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Removals, undoTime } from './removals.svelte.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a deletion happens when its time is over, and not before', () => {
  const removals = new Removals();
  const commit = vi.fn();
  removals.schedule(['a', 'b'], 'two', commit);
  expect([removals.has('a'), removals.has('c'), removals.size]).toEqual([true, false, 2]);
  vi.advanceTimersByTime(undoTime - 1);
  expect(commit).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(commit).toHaveBeenCalledOnce();
  expect(removals.size).toBe(0);
});

test('undo takes back the newest and nothing happens to it', () => {
  const removals = new Removals();
  const first = vi.fn();
  const second = vi.fn();
  removals.schedule(['a'], '', first);
  removals.schedule(['b'], '', second);
  removals.undo();
  expect([removals.has('a'), removals.has('b')]).toEqual([true, false]);
  vi.advanceTimersByTime(undoTime);
  expect(first).toHaveBeenCalledOnce();
  expect(second).not.toHaveBeenCalled();
});

test('closing the toast does it at once', () => {
  const removals = new Removals();
  const commit = vi.fn();
  removals.schedule(['a'], '', commit);
  removals.finish(removals.pending[0]?.id ?? -1);
  vi.advanceTimersByTime(undoTime);
  expect(commit).toHaveBeenCalledOnce();
});
