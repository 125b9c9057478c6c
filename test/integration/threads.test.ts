import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixture } from '../fixtures/compile.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { openTestRunner, type RunOptions, type TestRunner } from '../support/runner.ts';
import { programImage } from '../support/program-image.ts';
import { hasDocker } from '../support/tools.ts';
import { until } from '../support/until.ts';

describe('a guest with threads', () => {
  let runner: TestRunner;
  beforeAll(async () => {
    runner = await openTestRunner();
    runner.write('threads.wasm', readFileSync(fixture('threads')));
  });
  afterAll(() => runner?.close());

  const start = (args: readonly string[], options?: RunOptions) => runner.start('/threads.wasm', args, options);
  /** What it printed, once it has ended with 0. */
  const said = async (args: readonly string[], options?: RunOptions): Promise<string> => {
    const run = start(args, options);
    expect((await run.end()).outcome).toEqual({ kind: 'exit', code: 0 });
    return run.text();
  };

  test('shares memory: atomics add up, a futex keeps others out', async () => {
    expect(await said(['sum', '4', '50000'])).toBe('sum 200000\n');
    expect(await said(['mutex', '4', '5000'])).toBe('mutex 20000\n');
  });

  test('gives every living thread a number of its own, and workers are used again', async () => {
    expect(await said(['tids', '12'])).toBe('clashes 0\n');
    expect(await said(['turns', '100'])).toBe('turns 100\n');
  });

  test('ends as a whole with proc_exit of any thread, though others compute and wait', async () => {
    expect((await start(['exit', '1', '33']).end()).outcome).toEqual({ kind: 'exit', code: 33 });
  });

  test('ends as a whole with a trap, whose text names the thread', async () => {
    const run = start(['trap']);
    const { outcome } = await run.end();
    expect(outcome).toMatchObject({ kind: 'trap', message: 'unreachable (in thread 1)' });
    expect(run.text('stderr')).toMatch(/^wasm trap: unreachable \(in thread 1\)\n {2}at broken .*\n {2}at trap /);
  });

  test('traps in a thread whose stack is at its end', async () => {
    expect((await start(['overflow']).end()).outcome).toMatchObject({
      kind: 'trap',
      message: 'call stack exhausted (in thread 1)',
    });
  });

  test('ends with 0 when main returns, though others compute, wait and read', async () => {
    expect(await said(['return'], { stdin: 'open' })).toBe('');
  });

  test('gets a negative number for a thread too many, and another one later', async () => {
    expect(await said(['bomb'], { threadLimit: 9 })).toBe('made 8\nthen -6\nagain 1\n');
    expect(await said(['bomb'], { threadLimit: 1 })).toBe('made 0\nthen -6\n');
  });

  test('has one set of descriptors: stdin reaches a thread, all write to one file at one position', async () => {
    const run = start(['read'], { stdin: 'open' });
    await run.run.writeStdin(Buffer.from('to a thread\n'));
    expect((await run.end()).outcome).toEqual({ kind: 'exit', code: 0 });
    expect(run.text()).toBe('to a thread\n');

    expect(await said(['file', '4', '500'])).toBe('bytes 32000\n');
    expect(readFileSync(join(runner.upper, 'lines'), 'utf8')).toBe('0123456789abcde\n'.repeat(2000));
  });

  test('grows its memory while others use it: the host sees the new pages at once', async () => {
    const text = await said(['grow', '3', '100']);
    expect(text.slice(0, text.indexOf('\n'))).toBe('.'.repeat(400));
    expect(text).toMatch(/\npages 465\n$/);
  });

  test('stays below its memory limit', async () => {
    expect(await said(['grow', '3', '100'], { memoryLimit: 100 * 65536 })).toMatch(/^\.{35}\npages 100\n$/);
    await expect(start(['sum'], { memoryLimit: 10 * 65536 }).run.started).rejects.toThrow(/at least .* MiB of memory/);
  });

  test('sleeps in some threads while others go on', async () => {
    expect(await said(['sleep', '6', '3600000'])).toBe('slept 1\nawake\n');
  });

  test('is ended by force though all its threads compute or wait; its process is used again', async () => {
    const run = start(['spin', '4']);
    await run.grown;
    const { pid } = run.run;
    expect((await run.run.usage()).threads).toBe(5);
    run.run.terminate();
    expect((await run.run.ended).outcome).toEqual({ kind: 'terminated' });
    const next = start(['sum', '2', '10']);
    await next.end();
    expect(next.text()).toBe('sum 20\n');
    expect(next.run.pid).toBe(pid);
  });

  test('is refused where many guests share one thread', async () => {
    await expect(start(['sum'], { isolation: 'shared' }).run.started).rejects.toThrow(
      /starts threads.*isolation "process"/,
    );
  });

  test.skipIf(!existsSync('/proc/self/smaps_rollup'))('gives its memory back when it has ended', async () => {
    const dirty = (pid: number): number =>
      Number(/Private_Dirty: +(\d+)/.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) / 1024;
    const image = 'large';
    let pid = 0;
    for (let round = 0; round < 6; round++) {
      const run = start(['touch', '2', '800'], { image });
      expect((await run.end()).outcome).toEqual({ kind: 'exit', code: 0 });
      pid = run.run.pid;
    }
    // Each run has written to 50 MB.
    await until('the memory to be given back', async () => dirty(pid) < 100 || undefined);
  });
});

describe.skipIf(!hasDocker())('a container with threads', () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await startEngine();
    await programImage(engine, 'threads');
  });
  afterAll(() => engine?.stop());

  test('runs, and ends with the code of the thread that ended it', async () => {
    expect((await engine.docker(['run', '--rm', 'threads', 'sum', '4', '1000'])).stdout).toBe('sum 4000\n');
    expect((await engine.docker(['run', '--rm', 'threads', 'exit', '1', '7'])).code).toBe(7);
    const trapped = await engine.docker(['run', '--rm', 'threads', 'trap']);
    expect(trapped.code).toBe(134);
    expect(trapped.stderr).toMatch(/unreachable \(in thread 1\)/);
  });

  test('is stopped though it computes', async () => {
    await engine.docker(['run', '-d', '--name', 'spin', 'threads', 'spin', '3']);
    await until('it to compute', async () =>
      (await engine.docker(['logs', 'spin'])).stdout.includes('spinning') ? true : undefined,
    );
    expect((await engine.docker(['stop', 'spin'])).code).toBe(0);
    expect((await engine.docker(['inspect', '--format', '{{.State.ExitCode}}', 'spin'])).stdout.trim()).toBe('143');
  });
});
