import { expect, test } from 'vitest';
import type { Stat } from '../../electron/contract/containers.ts';
import { History, keptSamples, ribs, ribScale } from './history.ts';

const stat = (part: Partial<Stat>): Stat => ({
  id: 'a',
  cpu: 0,
  memory: 0,
  memoryLimit: 0,
  threads: 1,
  readBytes: 0,
  writtenBytes: 0,
  receivedBytes: 0,
  sentBytes: 0,
  ...part,
});

test('rates are bytes a second; a counter that went back is a new start', () => {
  const history = new History();
  history.push(1000, stat({ readBytes: 100 }));
  history.push(3000, stat({ readBytes: 5100, writtenBytes: 10 }));
  history.push(4000, stat({ readBytes: 50 }));
  expect(history.samples.map((sample) => sample.readRate)).toEqual([0, 2500, 0]);
  expect(history.samples[1]?.writeRate).toBe(5);
});

test('what was measured before is not measured again', () => {
  const history = new History();
  history.push(2000, stat({ cpu: 1 }));
  history.push(2000, stat({ cpu: 2 }));
  history.push(1000, stat({ cpu: 3 }));
  expect(history.samples.map((sample) => sample.cpu)).toEqual([1]);
});

test('memory is bounded', () => {
  const history = new History();
  for (let i = 0; i < keptSamples * 2; i++) history.push(i * 1000, stat({}));
  expect(history.samples.length).toBeLessThanOrEqual(keptSamples + 600);
  expect(history.samples[history.samples.length - 1]?.at).toBe((keptSamples * 2 - 1) * 1000);
});

test('a rib is the peak of its three seconds, newest right', () => {
  const history = new History();
  for (const [at, cpu] of [
    [0, 5],
    [1000, 9],
    [3000, 2],
    [6000, 7],
  ] as const)
    history.push(at, stat({ cpu }));
  expect(ribs(history.samples, 4, 3)).toEqual([0, 9, 2, 7]);
  expect(ribs([], 3, 3)).toEqual([0, 0, 0]);
});

test('a quiet container does not look busy: the scale is at least 10 % of the limit', () => {
  expect(ribScale([1, 2], 0.5, 8)).toBe(5);
  expect(ribScale([1, 90], 0.5, 8)).toBe(90);
  expect(ribScale([1], 0, 8)).toBe(80);
});
