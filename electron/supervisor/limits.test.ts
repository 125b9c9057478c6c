import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileFixtures, fixture } from '../../test/fixtures/compile.ts';
import { openTestRunner, type TestRunner } from '../../test/support/runner.ts';
import { until } from '../../test/support/until.ts';
import type { Isolation } from './api.ts';

const MIB = 1 << 20;

describe('limits of real runs', () => {
  let runner: TestRunner;
  beforeAll(async () => {
    await compileFixtures();
    runner = await openTestRunner();
    runner.write('limits.wasm', readFileSync(fixture('limits')));
  });
  afterAll(() => runner?.close());

  const start = (args: readonly string[], memoryLimit?: number, isolation: Isolation = 'process') =>
    runner.start('/limits.wasm', args, { isolation, ...(memoryLimit === undefined ? {} : { memoryLimit }) });

  describe.each<Isolation>(['process', 'shared'])('memory, isolation %s', (isolation) => {
    const outcome = async (what: string, limit?: number) => (await start([what], limit, isolation).end()).outcome;

    it('is what an abort after malloc gave nothing is put down to', async () => {
      const run = start(['oom'], 16 * MIB, isolation);
      const { outcome } = await run.end();
      expect(outcome).toMatchObject({
        kind: 'trap',
        message: 'unreachable: the memory limit of 16 MiB was reached',
        outOfMemory: true,
      });
      expect(run.text()).toMatch(/^took 1[0-5]\n$/);
      // The trace is that of the file, with names.
      expect(run.text('stderr')).toMatch(/^wasm trap: unreachable\n {2}at abort \(wasm-function\[\d+\]:0x/);
      expect(run.text('stderr')).toMatch(/\nthe memory limit of 16 MiB was reached\n$/);
    });

    it('is not the reason of an end that the guest chose, of a trap that has another, or where there is no limit', async () => {
      expect(await outcome('oom-handled', 16 * MIB)).toEqual({ kind: 'exit', code: 0 });
      expect(await outcome('oom-exit', 16 * MIB)).toEqual({ kind: 'exit', code: 3 });
      // Far from the limit; after a refusal that was followed by memory that was given; without a limit.
      for (const [what, limit] of [
        ['abort', 16 * MIB],
        ['oom-big', 64 * MIB],
        ['abort', undefined],
      ] as const) {
        const ended = await outcome(what, limit);
        expect(ended).toMatchObject({ kind: 'trap', message: 'unreachable' });
        expect(ended).not.toHaveProperty('outOfMemory');
      }
    });
  });

  it('a trap is told at the same place with and without a limit', async () => {
    const traces = [];
    for (const limit of [undefined, 16 * MIB]) {
      const run = start(['abort'], limit);
      await run.end();
      traces.push(run.text('stderr'));
    }
    expect(traces[1]).toBe(traces[0]);
  });

  describe.skipIf(process.platform === 'win32')('CPU time', () => {
    const spin = async () => {
      const run = start(['spin']);
      await run.run.started;
      await run.grown;
      return run;
    };
    const cpu = async (run: Awaited<ReturnType<typeof spin>>): Promise<number> => {
      const { cpuUser, cpuSystem } = await run.run.usage();
      return (cpuUser + cpuSystem) / 1000;
    };

    it('of a guest that computes is held to the limit, and no longer when that is lifted', async () => {
      const run = await spin();
      run.run.limitCpus(0.25);
      await until('the first stop', () => run.run.throttling.throttledPeriods > 0);
      const [began, before] = [performance.now(), await cpu(run)];
      const { periods } = run.run.throttling;
      await until('two seconds of periods', () => run.run.throttling.periods - periods >= 20);
      const share = ((await cpu(run)) - before) / (performance.now() - began);
      expect(share).toBeLessThan(0.4);
      // On a busy machine it needs little holding.
      await until('half a second of standing still', () => run.run.throttling.throttledTime > 500);

      run.run.limitCpus(undefined);
      const free = await cpu(run);
      await until('a second of CPU time without a stop', async () => (await cpu(run)) - free > 1000);
      run.run.terminate();
      expect((await run.end()).outcome).toEqual({ kind: 'terminated' });
    });

    it('does not stand in the way of pause, usage and the end', async () => {
      const run = await spin();
      run.run.limitCpus(0.01);
      await until('the first stop', () => run.run.throttling.throttledPeriods > 0);
      run.run.pause();
      const { throttledTime } = run.run.throttling;
      await run.run.usage();
      expect(run.run.throttling.throttledTime).toBe(throttledTime);
      run.run.resume();
      await until('the next stop', () => run.run.throttling.throttledTime > throttledTime);
      const began = performance.now();
      run.run.terminate();
      const end = await run.end();
      expect(end.outcome).toEqual({ kind: 'terminated' });
      // Not by the kill that a deaf process gets after two seconds: then nobody could say where the log ends.
      expect(end.offset).toBeGreaterThan(0);
      expect(performance.now() - began).toBeLessThan(2000);
    });

    it('is not limited any more for the next run in the same process', async () => {
      const first = await spin();
      first.run.limitCpus(0.05);
      await until('the first stop', () => first.run.throttling.throttledPeriods > 0);
      first.run.terminate();
      await first.end();
      const next = start(['oom-handled'], 16 * MIB);
      expect((await next.end()).outcome).toEqual({ kind: 'exit', code: 0 });
      expect(next.run.throttling).toEqual({ periods: 0, throttledPeriods: 0, throttledTime: 0 });
    });

    it('of a guest that sleeps costs nothing', async () => {
      const run = start(['sleep']);
      await run.grown;
      run.run.limitCpus(0.1);
      await until('some periods', async () => (await cpu(run)) >= 0);
      run.run.terminate();
      expect((await run.end()).outcome).toEqual({ kind: 'terminated' });
      expect(run.run.throttling.throttledPeriods).toBeLessThanOrEqual(1);
    });
  });

  it('open files may be more than ten thousand, and no more than allowed', async () => {
    const files = async (most: number, descriptorLimit?: number): Promise<string> => {
      const run = runner.start('/limits.wasm', ['files', String(most)], {
        ...(descriptorLimit === undefined ? {} : { descriptorLimit }),
      });
      expect((await run.end()).outcome).toEqual({ kind: 'exit', code: 0 });
      return run.text();
    };
    expect(await files(10_000, 16_384)).toBe('10000 all\n');
    expect(await files(100, 24)).toBe('20 No file descriptors available\n');
  });
});
