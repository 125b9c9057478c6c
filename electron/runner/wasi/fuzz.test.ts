import { describe, expect, it } from 'vitest';
import { fuzz } from './fuzz-guest.ts';
import { meanings } from './fuzzing.ts';
import { signatures } from './signatures.ts';

describe('random calls', () => {
  it.each([
    ['a fixed seed', 1],
    ['another fixed seed', 1_000_000],
    ['a seed of this run', Date.now() % 1_000_000_000],
  ])('answer an errno and stay inside, from %s (%i)', (_what, seed) => {
    const { calls, succeeded } = fuzz(seed, 2000, (done) => done >= 70_000);
    expect(calls).toBeGreaterThanOrEqual(70_000);
    // Or the calls would all fail at their first check.
    expect(succeeded / calls).toBeGreaterThan(0.1);
  });

  it('are of every function', () => {
    const called = new Set(Object.keys(meanings).map((key) => key.replace(/\/\d+$/, '')));
    const missing = Object.keys(signatures).filter((name) => !called.has(name));
    expect(missing).toEqual(['proc_exit']);
  });
});
