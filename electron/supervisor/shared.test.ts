/** Isolation `shared` with real processes. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileFixtures, fixture } from '../../test/fixtures/compile.ts';
import { openTestRunner, type RunOptions, type TestRun, type TestRunner } from '../../test/support/runner.ts';
import { core, func, funcType, section, utf8 } from '../module/wasm-bytes.ts';
import { SHARED_CAPACITY } from './runner-process.ts';
import type { RunSpec } from './protocol.ts';

let runner: TestRunner;

beforeAll(async () => {
  await compileFixtures();
  runner = await openTestRunner({ spare: false });
  runner.write('tool.wasm', readFileSync(fixture('tool')));
});
afterAll(() => runner.close());

const start = (module: string, args: readonly string[] = [], options: RunOptions = {}) =>
  runner.start(module, args, { isolation: 'shared', ...options });
const tool = (...args: string[]) => start('/tool.wasm', args);

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function terminate(...runs: readonly TestRun[]): Promise<void> {
  for (const { run } of runs) run.terminate();
  for (const { run } of runs) expect((await run.ended).outcome).toEqual({ kind: 'terminated' });
}

describe('many in one process', () => {
  test('two that sleep take turns, and the end of one leaves the other', async () => {
    const [one, two] = [tool('tick', '2'), start('/tool.wasm', ['tick', '2'], { image: 'another' })] as const;
    await Promise.all([one.grown, two.grown]);
    expect(one.run.pid).toBe(two.run.pid);
    const [before, beforeTwo] = [one.offsets.length, two.offsets.length];
    await until(() => one.offsets.length > before + 3 && two.offsets.length > beforeTwo + 3);
    await terminate(one);
    const after = two.offsets.length;
    await until(() => two.offsets.length > after + 3);
    await terminate(two);
    for (const run of [one, two]) {
      const records = run.records();
      expect(records).toEqual(records.map((_, i) => `stdout F tick ${i + 1}`));
    }
  });

  test('more than one process takes are in two', async () => {
    const runs = Array.from({ length: SHARED_CAPACITY + 1 }, () => tool('sleep', '1000'));
    await Promise.all(runs.map(({ run }) => run.started));
    const pids = runs.map(({ run }) => run.pid);
    expect(new Set(pids).size).toBe(2);
    expect(pids.filter((pid) => pid === pids[0])).toHaveLength(SHARED_CAPACITY);
    await terminate(...runs);
  });

  test('hundreds of starts beside one that lives', async () => {
    const lasting = tool('tick', '2');
    for (let i = 0; i < 200; i++) {
      const run = tool('echo', String(i));
      const end = await run.end();
      expect(run.offsets.at(-1)).toBe(end.offset);
      expect(run.text()).toBe(`${i}\n`);
    }
    await terminate(lasting);
  });

  test('usage is told for each alone', async () => {
    const [large, small] = [tool('alloc', '64', 'stay'), tool('sleep', '1000')];
    await large.grown;
    await small.run.started;
    const [of64, ofOther] = [await large.run.usage(), await small.run.usage()];
    expect(of64.memory).toBeGreaterThan(64 << 20);
    expect(of64.cpuUser + of64.cpuSystem).toBeGreaterThan(0);
    expect(ofOther.memory).toBeLessThan(16 << 20);
    await terminate(large, small);
  });
});

describe('a run', () => {
  test.each([
    ['exit', '7', 7],
    ['exit', '300', 44],
    ['deep-exit', '5000', 42],
  ])('%s %s ends with %i', async (op, arg, code) => {
    expect((await tool(op, arg).end()).outcome).toEqual({ kind: 'exit', code });
  });

  test('a trap leaves the same stack as in a process of its own', async () => {
    const shared = tool('abort');
    const { outcome } = await shared.end();
    expect(outcome).toMatchObject({ kind: 'trap', message: 'unreachable' });
    const own = runner.start('/tool.wasm', ['abort']);
    await own.end();
    expect(shared.text('stderr')).toBe(own.text('stderr'));
    expect(shared.text('stderr')).toMatch(/^wasm trap: unreachable\n {2}at \S+ \(wasm-function\[\d+\]:0x[0-9a-f]+\)\n/);
  });

  test('endless recursion is a trap', async () => {
    runner.write('recurse.wasm', core(...func('_start', [0x10, 0])));
    expect((await start('/recurse.wasm').end()).outcome).toMatchObject({
      kind: 'trap',
      message: 'call stack exhausted',
    });
  });

  test('a module that is not there, and one that is no module', async () => {
    await expect(start('/nope.wasm').end()).rejects.toMatchObject({ data: { exitCode: 127 } });
    runner.write('text', 'hello\n');
    await expect(start('/text').end()).rejects.toMatchObject({ data: { exitCode: 126 } });
  });

  test('--memory', async () => {
    const run = start('/tool.wasm', ['alloc', '64'], { memoryLimit: 32 << 20 });
    expect((await run.end()).outcome).toEqual({ kind: 'exit', code: 1 });
    expect(run.text()).toBe('no memory\n');
  });

  test('output arrives whole, in both streams, and without a last newline', async () => {
    const flood = tool('flood', '30000', 'narrow');
    await flood.end();
    const records = flood.records();
    expect(records).toHaveLength(30_000);
    expect(records.every((record) => record === `stdout F ${'x'.repeat(99)}`)).toBe(true);
    const both = tool('both');
    await both.end();
    expect(both.records()).toEqual(['stdout F OUT', 'stderr F ERR']);
    const partial = tool('partial');
    await partial.end();
    expect(partial.records()).toEqual(['stdout P no newline']);
  });

  test('cannot be paused', async () => {
    const run = tool('sleep', '1000');
    await run.run.started;
    expect(() => run.run.pause()).toThrow(/cannot be paused/);
    await terminate(run);
  });
});

describe('stdin', () => {
  test('megabytes go through in order', async () => {
    const run = start('/tool.wasm', ['cat'], { stdin: 'open' });
    const line = `${'0123456789'.repeat(9)}\n`;
    const block = Buffer.from(line.repeat(5000));
    for (let i = 0; i < 10; i++) await run.run.writeStdin(block);
    run.run.endStdin();
    expect((await run.end()).outcome).toEqual({ kind: 'exit', code: 0 });
    expect(run.text() === line.repeat(50_000)).toBe(true);
  });

  test('a guest that never reads holds the writer back until it is ended', async () => {
    const run = start('/tool.wasm', ['sleep', '1000'], { stdin: 'open' });
    let written = false;
    void run.run.writeStdin(Buffer.alloc(4 << 20)).then(() => (written = true));
    await run.run.started;
    await run.run.usage();
    expect(written).toBe(false);
    await terminate(run);
    await until(() => written);
  });

  test('a terminal', async () => {
    const options: RunOptions = { stdin: 'open', tty: { rows: 24, columns: 80 } };
    const cat = start('/tool.wasm', ['cat'], options);
    await cat.run.started;
    await cat.run.writeStdin(Buffer.from('helloX\x7f\r'));
    await until(() => cat.text() === 'helloX\b \b\r\nhello\r\n');
    await cat.run.writeStdin(Buffer.from('\x04'));
    expect((await cat.end()).outcome).toEqual({ kind: 'exit', code: 0 });
    const sleep = start('/tool.wasm', ['sleep', '1000'], options);
    await sleep.run.started;
    await sleep.run.writeStdin(Buffer.from('\x03'));
    expect((await sleep.run.ended).outcome).toEqual({ kind: 'exit', code: 130 });
  });
});

describe('guests that behave badly', () => {
  test('an endless writer lets its neighbours run, and is ended alone', async () => {
    const [spam, ticker] = [tool('spam'), tool('tick', '2')];
    await spam.grown;
    await ticker.grown;
    const before = ticker.offsets.length;
    await until(() => ticker.offsets.length > before + 3);
    await terminate(spam);
    expect(spam.records().every((line) => line === 'stdout F spam spam spam spam')).toBe(true);
    const after = ticker.offsets.length;
    await until(() => ticker.offsets.length > after + 3);
    await terminate(ticker);
  });

  test('one that computes takes the process with it when it is ended; what all have written is kept', async () => {
    const neighbour = tool('tick', '2');
    await neighbour.grown;
    const spin = tool('spin');
    await spin.grown;
    expect(spin.run.pid).toBe(neighbour.run.pid);
    spin.run.terminate();
    expect(await spin.run.ended).toMatchObject({ outcome: { kind: 'terminated' }, hogged: true });
    expect((await neighbour.run.ended).outcome).toEqual({ kind: 'crashed', code: null, signal: 'SIGKILL' });
    expect(spin.records()).toEqual(['stdout F spinning']);
    expect(neighbour.records()[0]).toBe('stdout F tick 1');
  });

  /** Waits for stdin inside of a catch_all, for ever again: an end that it could catch would never end it. */
  test('an end cannot be caught', async () => {
    const [i32, constant, subscription, events] = [0x7f, 0x41, 32, 0];
    const body = [
      // subscription.u.tag = 1, fd_read; the descriptor is 0. memory.store8 at 40.
      ...[constant, subscription + 8, constant, 1, 0x3a, 0, 0],
      // loop, try, poll_oneoff(subscription, events, 1, 16), drop, catch_all, end, br 0, end
      ...[0x03, 0x40, 0x06, 0x40, constant, subscription, constant, events, constant, 1, constant, 16, 0x10, 0],
      ...[0x1a, 0x19, 0x0b, 0x0c, 0, 0x0b],
    ];
    runner.write(
      'catch-all.wasm',
      core(
        section(1, [funcType([i32, i32, i32, i32], [i32]), funcType([], [])]),
        section(2, [[...utf8('wasi_snapshot_preview1'), ...utf8('poll_oneoff'), 0, 0]]),
        section(3, [[1]]),
        section(5, [[0, 1]]),
        section(7, [
          [...utf8('_start'), 0, 1],
          [...utf8('memory'), 2, 0],
        ]),
        section(10, [[body.length + 2, 0, ...body, 0x0b]]),
      ),
    );
    const neighbour = tool('sleep', '1000');
    const run = start('/catch-all.wasm', [], { stdin: 'open' });
    await run.run.started;
    run.run.terminate();
    const end = await run.run.ended;
    expect(end.outcome).toEqual({ kind: 'terminated' });
    expect(end).not.toHaveProperty('hogged');
    await terminate(neighbour);
  });
});

test('a shared runner whose engine is gone ends its guests and leaves', async () => {
  const child = fork(runner.runnerPath, ['--shared'], { serialization: 'advanced', stdio: 'ignore', execArgv: [] });
  const exited = once(child, 'exit');
  const message = (t: string) =>
    new Promise<void>((resolve) => child.on('message', (found: { t: string }) => found.t === t && resolve()));
  await message('ready');
  const directory = join(runner.upper, '../orphan');
  const spec: RunSpec = {
    id: 'orphan:1',
    module: '/tool.wasm',
    args: ['tool', 'tick', '1000'],
    env: [],
    mounts: [{ type: 'overlay', target: '/', lower: runner.lower, upper: runner.upper, readOnly: false }],
    stdin: 'open',
    log: { directory, maxFiles: 1 },
  };
  child.send({ t: 'run', spec });
  await message('grown');
  child.disconnect();
  expect((await exited)[0]).toBe(0);
  expect(readFileSync(join(directory, readdirSync(directory)[0] as string), 'utf8')).toMatch(/stdout F tick 1\n$/);
});
