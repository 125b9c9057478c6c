import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../fixtures/compile.ts';
import { openTestRunner, type RunOptions, type TestRunner } from '../support/runner.ts';

describe.each(['process', 'shared'] as const)('modules of other toolchains, isolation %s', (isolation) => {
  let runner: TestRunner;
  beforeAll(async () => {
    runner = await openTestRunner();
    runner.write('foreign.wasm', readFileSync(fixture('foreign')));
    runner.write('etc/text', '0123456789');
  });
  afterAll(() => runner.close());

  const run = async (name: string, options: RunOptions = {}) => {
    const run = runner.start(`/foreign.wasm#${name}`, [], { isolation, ...options });
    const { outcome } = await run.end();
    return { outcome, stdout: run.text('stdout'), stderr: run.text('stderr') };
  };

  it('wasi_unstable: its own order of whence, its own stat and subscription; _initialize first, once', async () => {
    const { outcome, stdout } = await run('unstable');
    expect(stdout.split('\n')).toEqual([
      'initialised 1',
      'open 0',
      ...['seek from the end 0', 'at 7', 'read 0', '789'],
      ...['seek from the start 0', 'at 1', 'seek from here 0', 'at 3'],
      ...['stat 0', 'links 1', 'size 10', 'after it 238'],
      ...['poll 0', 'events 1', 'of 42', 'bye', ''],
    ]);
    expect(outcome).toEqual({ kind: 'exit', code: 7 });
  });

  it('AssemblyScript: abort is a trap that says what, where and in which function', async () => {
    const { outcome, stdout, stderr } = await run('abort');
    expect(stdout).toBe('before\n');
    expect(outcome).toMatchObject({
      kind: 'trap',
      message: expect.stringMatching(/^abort: it broke: ü at assembly\/index\.ts:12:34$/),
    });
    expect(stderr).toMatch(/abort: it broke: ü at assembly\/index\.ts:12:34\n {2}at abort/);
    const wild = await run('abort-wildly');
    expect(wild.outcome).toMatchObject({
      kind: 'trap',
      message: expect.stringMatching(/^abort: {2}at :4294967295:4294967295$/),
    });
  });

  it('AssemblyScript: trace writes to stderr, seed gives a time', async () => {
    const { outcome, stdout, stderr } = await run('trace');
    expect(stderr).toBe('trace: values 1.5 -2\n');
    expect(stdout).toBe('seeded 1\n');
    expect(outcome).toEqual({ kind: 'exit', code: 0 });
  });

  it('Emscripten, standalone: the notice of growth is taken, and host calls find the new memory', async () => {
    const { outcome, stdout } = await run('grow');
    expect(stdout).toBe('pages 3\n0123\n');
    expect(outcome).toEqual({ kind: 'exit', code: 0 });
  });

  it('a function is asked for by its name, and must be one that takes nothing', async () => {
    const start = (module: string) => runner.start(module, [], { isolation }).run.started;
    await expect(start('/foreign.wasm')).rejects.toThrow(/reactor.*name a function as \/foreign\.wasm#function/);
    await expect(start('/foreign.wasm#nothing')).rejects.toThrow(/exports no function "nothing".*unstable/);
    await expect(start('/foreign.wasm#takes')).rejects.toThrow(/"takes" takes parameters \(i32\)/);
    await expect(start('/foreign.wasm#')).rejects.toThrow(/foreign\.wasm/);
    expect((await run('_initialize')).outcome).toEqual({ kind: 'exit', code: 0 });
  });
});
