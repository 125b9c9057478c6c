import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../fixtures/compile.ts';
import { api } from '../support/api.ts';
import { buildContext, removeDirectory } from '../support/context.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { hasDocker } from '../support/tools.ts';

/** A core module that imports the given functions (type () -> ()) and exports an empty `_start` and a memory. */
function moduleImporting(imports: readonly (readonly [module: string, name: string])[]): Uint8Array {
  const text = (value: string): number[] => [value.length, ...Buffer.from(value)];
  const section = (id: number, body: number[]): number[] => [id, ...leb(body.length), ...body];
  const leb = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >> 7)]);
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 0, 0]),
    ...section(2, [imports.length, ...imports.flatMap(([module, name]) => [...text(module), ...text(name), 0, 0])]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...text('_start'), 0, imports.length, ...text('memory'), 2, 0]),
    ...section(10, [1, 2, 0, 0x0b]),
  ]);
}

describe.skipIf(!hasDocker())('bad input', () => {
  let engine: TestEngine;
  let context: string;

  beforeAll(async () => {
    engine = await startEngine();
    context = buildContext({
      'tool.wasm': { from: fixture('tool') },
      'text.wasm': 'just text\n',
      'cut.wasm': readFileSync(fixture('tool')).subarray(0, 5000),
      'elf.wasm': readFileSync(process.execPath).subarray(0, 4096),
      'wasix.wasm': moduleImporting([['wasix_32v1', 'thread_spawn']]),
      'emscripten.wasm': moduleImporting([
        ['env', 'emscripten_resize_heap'],
        ['env', '__syscall_openat'],
      ]),
      'go.wasm': moduleImporting([['gojs', 'runtime.wasmExit']]),
      Dockerfile: 'FROM scratch\nCOPY *.wasm /\nENTRYPOINT ["/tool.wasm"]\n',
    });
    expect((await engine.docker(['build', '-q', '-t', 'bad', context])).code).toBe(0);
  });
  afterAll(async () => {
    await engine?.stop();
    if (context) removeDirectory(context);
  });

  it.each([
    ['not Wasm', '/text.wasm', 126, /text\.wasm.*not a WebAssembly module/],
    ['truncated', '/cut.wasm', 126, /cut\.wasm.*(truncated|cut|ends)/],
    ['ELF', '/elf.wasm', 126, /elf\.wasm.*ELF/],
    ['WASIX', '/wasix.wasm', 126, /wasix\.wasm.*WASIX/],
    ['Emscripten', '/emscripten.wasm', 126, /emscripten\.wasm.*Emscripten/],
    ['Go for JavaScript hosts', '/go.wasm', 126, /go\.wasm.*Go/],
    ['missing', '/nope.wasm', 127, /\/nope\.wasm.*no such file or directory/],
    ['a directory', '/', 126, /is a directory/],
  ])('an entrypoint that is %s', async (_what, entrypoint, code, message) => {
    const run = await engine.docker(['run', '--rm', '--entrypoint', entrypoint, 'bad']);
    expect(run.stderr).toMatch(message);
    expect(run.code).toBe(code);
    expect((await engine.docker(['ps', '-aq'])).stdout).toBe('');
  });

  it('an image that is not there', async () => {
    const run = await engine.docker(['run', '--pull=never', 'absent']);
    expect(run.code).toBe(125);
    expect(run.stderr).toMatch(/No such image: absent:latest/);
  });

  it('a name that is taken', async () => {
    await engine.docker(['create', '--name', 'taken', 'bad']);
    const second = await engine.docker(['create', '--name', 'taken', 'bad']);
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/The container name "\/taken" is already in use by container "[0-9a-f]{64}"/);
    await engine.docker(['rm', 'taken']);
  });

  it('a port that is none', async () => {
    const answer = await api(engine.dockerHost, 'POST', '/containers/create', {
      Image: 'bad',
      HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '99999' }] } },
    });
    expect(answer.status).toBe(400);
    expect(answer.json()['message']).toMatch(/99999/);
    expect((await engine.docker(['ps', '-aq'])).stdout).toBe('');
  });

  it('a bind source that cannot be read', async () => {
    const inside = join(context, 'tool.wasm', 'deeper');
    const mount = await engine.docker(['run', '--rm', '--mount', `type=bind,src=${inside},dst=/x`, 'bad']);
    expect(mount.code).toBe(125);
    expect(mount.stderr).toContain(inside);
    const volume = await engine.docker(['run', '--rm', '-v', `${inside}:/x`, 'bad']);
    expect(volume.code).toBe(125);
    expect(volume.stderr).toContain(inside);
    expect((await engine.docker(['ps', '-aq'])).stdout).toBe('');
  });

  it('a memory limit below what the module needs', async () => {
    const run = await engine.docker([
      'run',
      '--rm',
      '--memory',
      '6m',
      '--entrypoint',
      '/tool.wasm',
      'bad',
      'alloc',
      '16',
    ]);
    expect(run.stdout + run.stderr).toMatch(/no memory|memory/);
    expect(run.code).not.toBe(0);
  });

  it('a home from a newer version is refused and left alone', async () => {
    const home = mkdtempSync(join(tmpdir(), 'drydock-newer-'));
    writeFileSync(join(home, 'version.json'), '{"layout":99}\n');
    await expect(startEngine({ home })).rejects.toThrow(/newer|99/);
    expect(readdirSync(home).filter((name) => name !== 'lock')).toEqual(['version.json']);
    rmSync(home, { recursive: true });
  });

  const isRoot = process.getuid?.() === 0;
  it.skipIf(!isRoot)('a full disk: a clear error, nothing half-made, and the engine goes on', async () => {
    const disk = mkdtempSync(join(tmpdir(), 'drydock-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk]);
    let small: TestEngine | undefined;
    try {
      small = await startEngine({ home: join(disk, 'home') });
      const filler = join(disk, 'filler');
      spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k']);
      const full = await small.docker(['build', '-t', 'bad', context]);
      expect(full.code).not.toBe(0);
      expect(full.stderr + full.stdout).toMatch(/no space left|disk is full/i);
      expect((await small.docker(['images', '-aq'])).stdout).toBe('');
      const volume = await small.docker(['volume', 'create', 'vol']);
      if (volume.code !== 0) expect(volume.stderr).toMatch(/no space left|disk is full/i);
      rmSync(filler);
      const tiny = buildContext({
        'text.txt': 'x',
        'tool.wasm': { from: fixture('tool') },
        Dockerfile: 'FROM scratch\nCOPY tool.wasm /t.wasm\nENTRYPOINT ["/t.wasm"]\n',
      });
      expect((await small.docker(['build', '-q', '-t', 'ok', tiny])).code).toBe(0);
      expect((await small.docker(['run', '--rm', 'ok', 'echo', 'still alive'])).stdout).toBe('still alive\n');
      removeDirectory(tiny);
    } finally {
      await small?.stop();
      execFileSync('umount', ['-l', disk]);
      rmSync(disk, { recursive: true, force: true });
    }
  });
});
