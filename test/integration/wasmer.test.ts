import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { programImage } from '../support/program-image.ts';
import { hasDocker } from '../support/tools.ts';
import { until } from '../support/until.ts';

describe.skipIf(!hasDocker())('the runtime wasmer', () => {
  let engine: TestEngine;

  beforeAll(async () => {
    engine = await startEngine();
    await programImage(engine, 'tool');
  });
  afterAll(() => engine?.stop());

  const run = (args: readonly string[], options?: { readonly input?: Buffer }) =>
    engine.docker(['run', '--rm', '--runtime', 'io.containerd.wasmer.v1', ...args], options);

  it('runs a program: arguments, variables, both streams, stdin, exit codes', async () => {
    expect(await run(['tool', 'echo', 'hi', 'there'])).toMatchObject({ code: 0, stdout: 'hi|there\n' });
    expect(await run(['tool', 'both'])).toMatchObject({ code: 0, stdout: 'OUT\n', stderr: 'ERR\n' });
    expect((await run(['-e', 'A=one', 'tool', 'env'])).stdout).toContain('A=one\n');
    expect((await run(['tool', 'exit', '7'])).code).toBe(7);
    const input = Buffer.alloc(3 << 20, 'stdin ');
    const cat = await run(['-i', 'tool', 'cat'], { input });
    expect([cat.code, cat.stdout.length]).toEqual([0, input.length]);
  });

  it('ends with a trace when the program traps, and can be stopped', async () => {
    const trapped = await run(['tool', 'abort']);
    expect(trapped.code).toBe(134);
    expect(trapped.stderr).toMatch(/^wasm trap: unreachable\n {2}at abort \(wasm-function/);
    await engine.docker(['run', '-d', '--name', 'spin', '--runtime', 'wasmer', 'tool', 'spin']);
    expect((await engine.docker(['stop', 'spin'])).code).toBe(0);
    await until('the end', async () => {
      const { stdout } = await engine.docker(['inspect', '--format', '{{.State.ExitCode}}', 'spin']);
      return stdout.trim() === '143' || undefined;
    });
  });

  it('has files in memory only', async () => {
    expect((await run(['tool', 'read', '/tool.wasm'])).code).toBe(2);
    expect((await run(['tool', 'write', '/made', 'x'])).code).toBe(0);
  });

  it.each([
    ['-t', /-t/],
    ['-v', /mounted at \/data/],
    ['-p', /no port/],
  ])('refuses %s at create', async (option, reason) => {
    const more = option === '-v' ? ['vol:/data'] : option === '-p' ? ['8080:80'] : [];
    const refused = await run([option, ...more, 'tool', 'echo']);
    expect(refused.code).toBe(125);
    expect(refused.stderr).toMatch(/the runtime wasmer cannot do this/);
    expect(refused.stderr).toMatch(reason);
    expect((await engine.docker(['ps', '-aq', '--filter', 'ancestor=tool', '--filter', 'status=created'])).stdout).toBe(
      '',
    );
  });
});
