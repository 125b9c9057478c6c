import { fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileFixtures, fixture } from '../../test/fixtures/compile.ts';
import { openTestRunner, type TestRun, type TestRunner } from '../../test/support/runner.ts';
import { core, func, funcType, section, utf8 } from '../module/wasm-bytes.ts';
import type { RunSpec } from './protocol.ts';

let runner: TestRunner;

beforeAll(async () => {
  await compileFixtures();
  runner = await openTestRunner();
  runner.write('tool.wasm', readFileSync(fixture('tool')));
  runner.write('bin/sh', Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, ...Array(11).fill(0), 0x3e, 0]));
  runner.write('etc/data.txt', 'hello\n');
});
afterAll(() => runner.close());

const start = (...args: Parameters<TestRunner['start']>) => runner.start(...args);
const tool = (...args: string[]) => start('/tool.wasm', args);

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('a run', () => {
  test('prints, ends, and tells where its log ends', async () => {
    const run = tool('echo', 'hello', 'world');
    const end = await run.end();
    expect(end.outcome).toEqual({ kind: 'exit', code: 0 });
    expect(run.records()).toEqual(['stdout F hello|world']);
    const name = readdirSync(run.logDirectory)[0] as string;
    expect(end.offset).toBe(readFileSync(join(run.logDirectory, name)).length);
    expect(run.offsets.at(-1)).toBe(end.offset);
    expect(end.usage?.memoryPeak).toBeGreaterThanOrEqual(65536);
  });

  test('a line that stdio sends as two iovecs is one record', async () => {
    const run = tool('lines', '100');
    await run.end();
    expect(run.records()).toEqual(Array.from({ length: 100 }, (_, i) => `stdout F line ${i + 1}`));
  });

  test('both streams, and a line without its newline', async () => {
    const both = tool('both');
    await both.end();
    expect(both.records()).toEqual(['stdout F OUT', 'stderr F ERR']);
    const partial = tool('partial');
    await partial.end();
    expect(partial.records()).toEqual(['stdout P no newline']);
  });

  test.each([
    ['exit', '7', 7],
    ['exit', '300', 44],
    ['deep-exit', '5000', 42],
  ])('%s %s ends with %i', async (op, arg, code) => {
    expect((await tool(op, arg).end()).outcome).toEqual({ kind: 'exit', code });
  });

  test('a trap leaves its stack on stderr', async () => {
    const run = tool('abort');
    const { outcome } = await run.end();
    expect(outcome).toMatchObject({ kind: 'trap', message: 'unreachable' });
    expect(run.text('stderr')).toBe((outcome as { stack: string }).stack);
    expect(run.text('stderr')).toMatch(/^wasm trap: unreachable\n {2}at \S+ \(wasm-function\[\d+\]:0x[0-9a-f]+\)\n/);
  });

  test('the log goes on where the last run ended, and its torn tail is cut', async () => {
    const first = tool('echo', 'one');
    const { offset } = await first.end();
    appendFileSync(join(first.logDirectory, readdirSync(first.logDirectory)[0] as string), '2026-11-24T0');
    const second = start('/tool.wasm', ['echo', 'two'], { log: { directory: first.logDirectory, maxFiles: 1 } });
    expect((await second.end()).offset).toBe((offset as number) * 2);
    expect(second.records()).toEqual(['stdout F one', 'stdout F two']);
  });

  test('rotates', async () => {
    const { logDirectory } = tool();
    const run = start('/tool.wasm', ['lines', '5000'], {
      log: { directory: `${logDirectory}r`, maxSize: 10_000, maxFiles: 3 },
    });
    const { offset } = await run.end();
    const names = readdirSync(`${logDirectory}r`).sort();
    expect(names).toHaveLength(3);
    expect(run.records().at(-1)).toBe('stdout F line 5000');
    const last = names.at(-1) as string;
    expect(Number(last.slice(0, 16)) + readFileSync(join(`${logDirectory}r`, last)).length).toBe(offset);
  });

  test('what a guest writes arrives whole, whatever the size of its writes', async () => {
    for (const width of ['narrow', 'wide']) {
      const run = tool('flood', '30000', width);
      await run.end();
      const records = run.records();
      expect(records).toHaveLength(30_000);
      expect(records.every((record) => record === `stdout F ${'x'.repeat(99)}`)).toBe(true);
    }
  });

  test('hundreds of starts: each tells of its first output, and none hears of another', async () => {
    for (let i = 0; i < 300; i++) {
      const run = tool('echo', String(i));
      await run.grown;
      const end = await run.end();
      expect(run.offsets.at(-1)).toBe(end.offset);
      expect(run.text()).toBe(`${i}\n`);
    }
  });

  test('many that live at the same time, a process each', async () => {
    const runs = Array.from({ length: 12 }, () => tool('tick', '1000'));
    await Promise.all(runs.map((run) => run.grown));
    expect(new Set(runs.map((run) => run.run.pid)).size).toBe(runs.length);
    for (const { run } of runs) run.terminate();
    await Promise.all(runs.map((run) => run.run.ended));
    expect(runs.map((run) => run.records()[0])).toEqual(runs.map(() => 'stdout F tick 1'));
  });

  test('--memory: malloc fails as on a small machine', async () => {
    const small = start('/tool.wasm', ['alloc', '64'], { memoryLimit: 32 << 20 });
    expect((await small.end()).outcome).toEqual({ kind: 'exit', code: 1 });
    expect(small.text()).toBe('no memory\n');
    const large = start('/tool.wasm', ['alloc', '64'], { memoryLimit: 128 << 20 });
    const end = await large.end();
    expect(end.outcome).toEqual({ kind: 'exit', code: 0 });
    expect(end.usage?.memoryPeak).toBeGreaterThan(64 << 20);
    expect(end.usage?.memoryPeak).toBeLessThanOrEqual(128 << 20);
  });
});

describe('what cannot run', () => {
  const failure = async (run: TestRun) => {
    const error = await run.run.started.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ name: 'DrydockError' });
    const { message, kind, data } = error as { message: string; kind: string; data: { exitCode: number } };
    return { message, kind, exitCode: data.exitCode };
  };

  test.each<[string, string, number]>([
    ['/nope.wasm', 'exec: "/nope.wasm": stat /nope.wasm: no such file or directory', 127],
    ['nope', 'exec: "nope": executable file not found in $PATH', 127],
    ['/etc/data.txt', 'exec: "/etc/data.txt": not a WebAssembly module (text): permission denied', 126],
    ['/bin/sh', 'exec: "/bin/sh": not a WebAssembly module (ELF linux/amd64): permission denied', 126],
    ['sh', 'exec: "sh": not a WebAssembly module (ELF linux/amd64): permission denied', 126],
    ['/etc', 'exec: "/etc": is a directory: permission denied', 126],
  ])('%s', async (module, message, exitCode) => {
    expect(await failure(start(module))).toMatchObject({ message, exitCode });
  });

  test('the log stays empty', async () => {
    const run = start('/nope.wasm');
    await failure(run);
    expect(run.records()).toEqual([]);
  });

  test.each<[string, Uint8Array, RegExp]>([
    [
      'wasix',
      core(section(1, [funcType([], [])]), section(2, [[...utf8('wasix_32v1'), ...utf8('fd_dup'), 0, 0]])),
      /WASIX.*: permission denied$/,
    ],
    [
      'unknown-import',
      core(section(1, [funcType([], [])]), section(2, [[...utf8('host'), ...utf8('draw'), 0, 0]])),
      /imports host\.draw/,
    ],
    [
      'unknown-wasi',
      core(
        section(1, [funcType([], [])]),
        section(2, [[...utf8('wasi_snapshot_preview1'), ...utf8('fd_levitate'), 0, 0]]),
        ...func('_start').slice(1, 2),
        section(7, [[...utf8('_start'), 0, 1]]),
        section(10, [[2, 0, 0x0b]]),
      ),
      /imports wasi_snapshot_preview1\.fd_levitate/,
    ],
    [
      'library',
      core(...func('add')),
      /it exports no _start; name a function as \/library\.wasm#function \(it exports add\)/,
    ],
    ['invalid', core(...func('_start', [0xff])), /not a valid WebAssembly module/],
    [
      'truncated',
      readFileSync(new URL('../../node_modules/@wasmer/wasi/tests/envvar.wasm', import.meta.url)).subarray(0, 900),
      /truncated.* at byte/,
    ],
  ])('%s', async (name, bytes, message) => {
    runner.write(`${name}.wasm`, bytes);
    const found = await failure(start(`/${name}.wasm`));
    expect(found.message).toMatch(message);
    expect(found.exitCode).toBe(126);
  });

  test('a module larger than the limit', async () => {
    runner.write(
      'large.wasm',
      core(...func('_start').slice(0, 2), section(5, [[0, 0xa0, 1]]), ...func('_start').slice(2)),
    );
    expect(await failure(start('/large.wasm', [], { memoryLimit: 8 << 20 }))).toMatchObject({
      message: 'module needs at least 10 MiB of memory, the limit is 8 MiB',
      exitCode: 125,
    });
    expect((await start('/large.wasm').end()).outcome).toEqual({ kind: 'exit', code: 0 });
  });

  test('a log that cannot be written', async () => {
    const found = await failure(start('/tool.wasm', [], { log: { directory: '/dev/null/log', maxFiles: 1 } }));
    expect(found.message).toMatch(/cannot open the log/);
    expect(found.exitCode).toBe(125);
  });

  test('a mount that is not there', async () => {
    const found = await failure(
      start('/tool.wasm', [], {
        mounts: [{ type: 'overlay', target: '/', lower: '/nonexistent', upper: runner.upper, readOnly: false }],
      }),
    );
    expect(found).toMatchObject({ exitCode: 125 });
    expect(found.message).toMatch(/cannot open the file system/);
  });
});

describe('finding the program', () => {
  test.each<[string, string[]]>([
    ['tool.wasm', []],
    ['tool', []],
    ['/tool', []],
    ['nested', ['PATH=/nowhere:/opt/bin']],
    ['nested.wasm', ['PATH=/opt/bin/']],
  ])('%s', async (module, env) => {
    runner.write('opt/bin/nested.wasm', readFileSync(fixture('tool')));
    const run = start(module, ['echo', 'found'], { env });
    await run.end();
    expect(run.text()).toBe('found\n');
  });

  test('path#function runs a function of a library, and of a reactor after _initialize', async () => {
    const two = (first: string, second: string, secondBody: number[]) =>
      core(
        section(1, [funcType([], [])]),
        section(3, [[0], [0]]),
        section(6, [[0x7f, 1, 0x41, 0, 0x0b]]),
        section(7, [
          [...utf8(first), 0, 0],
          [...utf8(second), 0, 1],
        ]),
        section(10, [
          [6, 0, 0x41, 1, 0x24, 0, 0x0b],
          [secondBody.length + 1, 0, ...secondBody],
        ]),
      );
    // Traps unless the global was set by the first function.
    runner.write('reactor.wasm', two('_initialize', 'go', [0x23, 0, 0x45, 0x04, 0x40, 0x00, 0x0b, 0x0b]));
    expect((await start('/reactor.wasm#go').end()).outcome).toEqual({ kind: 'exit', code: 0 });
    runner.write('lib.wasm', two('first', 'go', [0x23, 0, 0x45, 0x04, 0x40, 0x00, 0x0b, 0x0b]));
    expect((await start('/lib.wasm#go').end()).outcome).toMatchObject({ kind: 'trap', message: 'unreachable' });
    await expect(start('/lib.wasm#stay').end()).rejects.toThrow(/exports no function "stay" \(it exports first, go\)/);
  });
});

describe('guests that behave badly', () => {
  test('endless recursion is a trap', async () => {
    runner.write('recurse.wasm', core(...func('_start', [0x10, 0])));
    expect((await start('/recurse.wasm').end()).outcome).toMatchObject({
      kind: 'trap',
      message: 'call stack exhausted',
    });
  });

  test('a trap in a start section is the guest’s own', async () => {
    runner.write(
      'start.wasm',
      core(...func('_start', [0x00]).slice(0, 3), [8, 1, 0], ...func('_start', [0x00]).slice(3)),
    );
    expect((await start('/start.wasm').end()).outcome).toMatchObject({ kind: 'trap', message: 'unreachable' });
  });

  /** C++ `catch (...)` compiled with Wasm exceptions: (try (call $proc_exit (i32.const 5)) (catch_all) end) and on to unreachable. */
  test('proc_exit cannot be caught', async () => {
    runner.write(
      'catch-all.wasm',
      core(
        section(1, [funcType([0x7f], []), funcType([], [])]),
        section(2, [[...utf8('wasi_snapshot_preview1'), ...utf8('proc_exit'), 0, 0]]),
        section(3, [[1]]),
        section(5, [[0, 1]]),
        section(7, [[...utf8('_start'), 0, 1]]),
        section(10, [[11, 0, 0x06, 0x40, 0x41, 5, 0x10, 0, 0x19, 0x0b, 0x00, 0x0b]]),
      ),
    );
    expect((await start('/catch-all.wasm').end()).outcome).toEqual({ kind: 'exit', code: 5 });
  });

  test.each([['sleep', '1000'], ['spin'], ['spam']])('%s is ended, and the process runs the next', async (...args) => {
    const run = tool(...args);
    await run.run.started;
    if (args[0] !== 'sleep') await run.grown;
    run.run.terminate();
    const end = await run.run.ended;
    expect(end.outcome).toEqual({ kind: 'terminated' });
    const lines = run.records();
    if (args[0] === 'spin') expect(lines).toEqual(['stdout F spinning']);
    if (args[0] === 'spam') expect(lines.every((line) => line === 'stdout F spam spam spam spam')).toBe(true);
    const next = tool('echo', 'next');
    await next.end();
    expect(next.text()).toBe('next\n');
  });

  test('an endless writer ended at any moment leaves whole records', async () => {
    for (let i = 0; i < 15; i++) {
      const run = tool('spam');
      await run.grown;
      for (let turn = 0; turn < i * 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      run.run.terminate();
      const end = await run.run.ended;
      const bytes = readFileSync(join(run.logDirectory, readdirSync(run.logDirectory)[0] as string));
      expect(bytes.length).toBe(end.offset);
      expect(bytes.at(-1)).toBe(10);
    }
  });

  test('an endless writer does not keep the control thread from answering', async () => {
    const run = tool('spam');
    await run.grown;
    for (let i = 0; i < 10; i++) expect((await run.run.usage()).memory).toBeGreaterThan(0);
    run.run.terminate();
    await run.run.ended;
  });

  test('a process that is killed from outside has crashed; what it wrote is in the log', async () => {
    const run = tool('tick', '5');
    await run.grown;
    process.kill(run.run.pid, 'SIGKILL');
    expect((await run.run.ended).outcome).toEqual({ kind: 'crashed', code: null, signal: 'SIGKILL' });
    expect(run.records()[0]).toBe('stdout F tick 1');
  });

  test('terminated before it has a process, or while it starts', async () => {
    const run = tool('sleep', '1000');
    run.run.terminate();
    expect((await run.end()).outcome).toEqual({ kind: 'terminated' });
  });
});

describe('stdin', () => {
  test('megabytes go through in order, held back by a slow reader', async () => {
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
    expect((await run.run.usage()).threads).toBe(1);
    expect(written).toBe(false);
    run.run.terminate();
    await run.run.ended;
    await until(() => written);
  });

  test('closed stdin reads as its end', async () => {
    expect((await tool('cat').end()).outcome).toEqual({ kind: 'exit', code: 0 });
  });
});

describe('a terminal', () => {
  const terminal = (...args: string[]) => start('/tool.wasm', args, { stdin: 'open', tty: { rows: 24, columns: 80 } });

  test('echoes, edits, ends lines with CR NL, and hands lines to the guest', async () => {
    const run = terminal('cat');
    await run.run.started;
    await run.run.writeStdin(Buffer.from('helloX\x7f\r'));
    await until(() => run.text().includes('hello\r\nhello\r\n') || run.text().endsWith('hello\r\n'));
    await run.run.writeStdin(Buffer.from('\x04'));
    expect((await run.end()).outcome).toEqual({ kind: 'exit', code: 0 });
    expect(run.text()).toBe('helloX\b \b\r\nhello\r\n');
  });

  test('both streams are stdout', async () => {
    const run = terminal('both');
    await run.end();
    expect(run.text()).toBe('OUT\r\nERR\r\n');
  });

  test('^C ends the guest with 130', async () => {
    const run = terminal('spin');
    await run.grown;
    await run.run.writeStdin(Buffer.from('\x03'));
    expect((await run.run.ended).outcome).toEqual({ kind: 'exit', code: 130 });
    expect(run.text()).toBe('spinning\r\n^C\r\n');
  });
});

describe('processes', () => {
  test('a run of the same image gets the same process, another image a different one', async () => {
    const run = async (image: string) => {
      const one = start('/tool.wasm', ['echo', image], { image });
      const { pid } = one.run;
      await one.end();
      return pid || one.run.pid;
    };
    const first = await run('a');
    expect(await run('a')).toBe(first);
    expect(await run('b')).not.toBe(first);
  });

  test('strict: a fresh process that is gone afterwards', async () => {
    const one = start('/tool.wasm', ['echo'], { isolation: 'strict', image: 'strict' });
    await one.end();
    const { pid } = one.run;
    await until(() => !alive(pid));
    const two = start('/tool.wasm', ['echo'], { isolation: 'strict', image: 'strict' });
    await two.end();
    expect(two.run.pid).not.toBe(pid);
  });

  test('nothing of one run is left for the next: arguments, environment, memory, stdin', async () => {
    const first = start('/tool.wasm', ['cat'], { stdin: 'open', env: ['SECRET=1'], image: 'clean' });
    await first.run.started;
    await first.run.writeStdin(Buffer.from('left over'));
    first.run.terminate();
    await first.run.ended;
    const second = start('/tool.wasm', ['env'], { image: 'clean' });
    await second.end();
    expect(second.text()).toBe('');
    const third = start('/tool.wasm', ['cat'], { image: 'clean' });
    await third.end();
    expect(third.text()).toBe('');
  });

  test('guests see nothing of the engine’s environment', async () => {
    process.env['ENGINE_SECRET'] = 'token';
    const run = start('/tool.wasm', ['sleep', '1000'], { image: 'env' });
    await run.run.started;
    if (process.platform === 'linux')
      expect(readFileSync(`/proc/${run.run.pid}/environ`, 'utf8')).not.toMatch(/ENGINE_SECRET|PATH=/);
    run.run.terminate();
    await run.run.ended;
  });

  test.runIf(process.platform !== 'win32')('paused and resumed, and ended while paused', async () => {
    const run = tool('tick', '2');
    await run.grown;
    const usage = await run.run.usage();
    run.run.pause();
    if (process.platform === 'linux')
      await until(() => /State:\tT/.test(readFileSync(`/proc/${run.run.pid}/status`, 'utf8')));
    expect(await run.run.usage()).toEqual(usage);
    run.run.resume();
    const before = run.offsets.length;
    await until(() => run.offsets.length > before);
    run.run.pause();
    run.run.terminate();
    expect((await run.run.ended).outcome).toEqual({ kind: 'terminated' });
  });

  test('a paused process that was killed is gone, not waited for', async () => {
    const run = tool('spin');
    await run.grown;
    run.run.pause();
    process.kill(run.run.pid, 'SIGKILL');
    expect((await run.run.ended).outcome).toMatchObject({ kind: 'crashed', signal: 'SIGKILL' });
  });
});

test('a runner whose engine is gone ends its guest, saves what it wrote, and leaves', async () => {
  const child = fork(runner.runnerPath, [], { serialization: 'advanced', stdio: 'ignore', execArgv: [] });
  const exited = once(child, 'exit');
  const message = (t: string) =>
    new Promise<void>((resolve) => child.on('message', (found: { t: string }) => found.t === t && resolve()));
  await message('ready');
  const directory = join(runner.upper, '../orphan');
  const spec: RunSpec = {
    id: 'orphan:1',
    module: '/tool.wasm',
    args: ['tool', 'spin'],
    env: [],
    mounts: [{ type: 'overlay', target: '/', lower: runner.lower, upper: runner.upper, readOnly: false }],
    stdin: 'open',
    log: { directory, maxFiles: 1 },
  };
  child.send({ t: 'run', spec });
  await message('grown');
  child.disconnect();
  expect((await exited)[0]).toBe(0);
  expect(readFileSync(join(directory, readdirSync(directory)[0] as string), 'utf8')).toMatch(/stdout F spinning\n$/);
});

test('close ends every run, with its log, and every process', async () => {
  const other = await openTestRunner();
  other.write('tool.wasm', readFileSync(fixture('tool')));
  const runs = [other.start('/tool.wasm', ['spin']), other.start('/tool.wasm', ['sleep', '1000'])];
  await Promise.all(runs.map((run) => run.run.started));
  const pids = runs.map((run) => run.run.pid);
  await other.supervisor.close();
  for (const run of runs) expect((await run.run.ended).outcome).toEqual({ kind: 'terminated' });
  expect(pids.some(alive)).toBe(false);
  await expect(other.start('/tool.wasm').end()).rejects.toThrow(/shutting down/);
  await other.close();
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
