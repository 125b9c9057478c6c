import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { programImage } from '../support/program-image.ts';
import { hasDocker } from '../support/tools.ts';
import { until } from '../support/until.ts';

describe.skipIf(!hasDocker())('how programs end, seen by the docker CLI', () => {
  let engine: TestEngine;

  beforeAll(async () => {
    engine = await startEngine();
    await programImage(engine, 'tool');
  });
  afterAll(() => engine?.stop());

  const state = async (name: string): Promise<string> =>
    (await engine.docker(['inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', name])).stdout.trim();
  const said = (name: string, text: string): Promise<true> =>
    until(
      `${name} to say ${text}`,
      async () => (await engine.docker(['logs', name])).stdout.includes(text) || undefined,
    );

  it('passes proc_exit on, also from the depth of the stack', async () => {
    for (const code of [0, 3, 255])
      expect((await engine.docker(['run', '--rm', 'tool', 'exit', String(code)])).code).toBe(code);
    expect((await engine.docker(['run', '--rm', 'tool', 'deep-exit', '500'])).code).toBe(42);
  });

  it('answers 134 to a trap and writes the Wasm stack to stderr', async () => {
    const run = await engine.docker(['run', '--rm', 'tool', 'abort']);
    expect(run.code).toBe(134);
    expect(run.stderr).toMatch(/unreachable/);
    expect(run.stderr).toMatch(/abort/);
  });

  it('ends an endless loop: stop gives 143, kill gives 137', async () => {
    for (const [verb, expected] of [
      ['stop', 'exited 143'],
      ['kill', 'exited 137'],
    ] as const) {
      await engine.docker(['run', '-d', '--name', verb, 'tool', 'spin']);
      await said(verb, 'spinning');
      expect((await engine.docker([verb, verb])).code).toBe(0);
      await until('the end', async () => (await state(verb)) === expected || undefined);
    }
  });

  it('ends a program that floods its output, and keeps what it wrote', async () => {
    await engine.docker(['run', '-d', '--name', 'spam', 'tool', 'spam']);
    await said('spam', 'spam spam');
    expect((await engine.docker(['kill', 'spam'])).code).toBe(0);
    expect(await state('spam')).toBe('exited 137');
    expect((await engine.docker(['logs', '--tail', '1', 'spam'])).stdout).toMatch(/^(spam ?)+\n$/);
  });

  it('pipes 10 MB through stdin and stdout byte for byte', async () => {
    const input = Buffer.alloc(10 << 20);
    for (let i = 0; i < input.length; i += 4) input.writeUInt32LE(Math.imul(i, 2654435761) >>> 0, i);
    const run = await engine.docker(['run', '--rm', '-i', 'tool', 'cat'], { input });
    expect(run.code).toBe(0);
    expect(run.bytes.equals(input)).toBe(true);
  });

  it('keeps the last line that has no newline', async () => {
    expect((await engine.docker(['run', '--rm', 'tool', 'partial'])).stdout).toBe('no newline');
  });
});
