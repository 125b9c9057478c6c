import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Throttle } from './throttle.ts';

/** A process that computes on `cores` cores whenever it is not stopped, or sleeps. */
class Process {
  cores: number;
  stopped = false;
  signals = 0;
  looks = 0;
  readonly #from: number;
  #since = performance.now();
  #used = 0;

  constructor(cores: number) {
    this.cores = cores;
    this.#from = this.#since;
  }

  #settle(): void {
    const now = performance.now();
    if (!this.stopped) this.#used += (now - this.#since) * this.cores;
    this.#since = now;
  }

  cpuTime(): number {
    this.looks++;
    this.#settle();
    // By tens, as /proc has it.
    return Math.floor(this.#used / 10) * 10;
  }
  stop(): void {
    this.#settle();
    this.stopped = true;
    this.signals++;
  }
  go(): void {
    this.#settle();
    this.stopped = false;
    this.signals++;
  }
  becomes(cores: number): void {
    this.#settle();
    this.cores = cores;
  }

  /** Cores used on average since it began. */
  get average(): number {
    this.#settle();
    return this.#used / (this.#since - this.#from);
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

test.each([
  [0.25, 1],
  [0.5, 2],
  [0.01, 1],
  [1.5, 4],
])('%d cores are what a process gets that wants %d', async (limit, wanted) => {
  const process = new Process(wanted);
  const throttle = new Throttle(process, limit);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(process.average).toBeGreaterThan(limit * 0.9);
  expect(process.average).toBeLessThan(limit * 1.1);
  const { periods, throttledPeriods, throttledTime } = throttle.throttling;
  expect(periods).toBeGreaterThan(190);
  expect(throttledPeriods).toBeGreaterThan(100);
  expect(throttledTime).toBeGreaterThan(0.5 * 20_000 * (1 - limit / wanted));
  throttle.end();
});

test('a process within its quota is never stopped', async () => {
  const process = new Process(0.2);
  const throttle = new Throttle(process, 0.25);
  await vi.advanceTimersByTimeAsync(5000);
  expect(process.signals).toBe(0);
  expect(throttle.throttling).toMatchObject({ throttledPeriods: 0, throttledTime: 0 });
  throttle.end();
});

test('one that sleeps is looked at once a second, and held back again when it wakes', async () => {
  const process = new Process(0);
  const throttle = new Throttle(process, 0.25);
  await vi.advanceTimersByTimeAsync(10_000);
  const looks = process.looks;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(process.looks - looks).toBeLessThanOrEqual(10);
  process.becomes(1);
  await vi.advanceTimersByTimeAsync(1100);
  expect(process.stopped).toBe(true);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(process.average * 41_100).toBeLessThan(0.25 * 21_100 * 1.1);
  throttle.end();
});

test('what is owed has an end', async () => {
  const process = new Process(8);
  const throttle = new Throttle(process, 0.01);
  await vi.advanceTimersByTimeAsync(150);
  expect(process.stopped).toBe(true);
  process.becomes(0);
  await vi.advanceTimersByTimeAsync(1200);
  expect(process.stopped).toBe(false);
  throttle.end();
});

test('while it is held nobody signals, and afterwards it goes on as before', async () => {
  const process = new Process(1);
  const throttle = new Throttle(process, 0.25);
  await vi.advanceTimersByTimeAsync(1000);
  throttle.hold();
  process.stop();
  const { signals } = process;
  await vi.advanceTimersByTimeAsync(5000);
  expect(process.signals).toBe(signals);
  process.go();
  throttle.release();
  await vi.advanceTimersByTimeAsync(1000);
  expect(process.signals).toBeGreaterThan(signals + 5);
  throttle.end();
});

test('at the end it goes on, for good', async () => {
  const process = new Process(1);
  const throttle = new Throttle(process, 0.1);
  await vi.advanceTimersByTimeAsync(50);
  expect(process.stopped).toBe(true);
  expect(throttle.stopped).toBe(true);
  throttle.end();
  expect(process.stopped).toBe(false);
  const { looks } = process;
  await vi.advanceTimersByTimeAsync(5000);
  expect([process.looks, process.stopped]).toEqual([looks, false]);
});

test('another limit counts at once', async () => {
  const process = new Process(1);
  const throttle = new Throttle(process, 0.01);
  await vi.advanceTimersByTimeAsync(500);
  expect(process.stopped).toBe(true);
  throttle.cores = 0.9;
  expect(process.stopped).toBe(false);
  const before = process.average * 500;
  await vi.advanceTimersByTimeAsync(5000);
  expect(process.average * 5500 - before).toBeGreaterThan(0.8 * 5000);
  throttle.end();
});

test('a time that is not known stops nobody', async () => {
  const calls: string[] = [];
  const throttle = new Throttle(
    { cpuTime: () => Promise.resolve(undefined), stop: () => calls.push('stop'), go: () => calls.push('go') },
    0.1,
  );
  await vi.advanceTimersByTimeAsync(3000);
  expect(calls).toEqual([]);
  throttle.end();
});
