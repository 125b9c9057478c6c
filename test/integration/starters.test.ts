import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StarterMessage } from '../../electron/contract/starters.ts';
import { buildContext, removeDirectory } from '../support/context.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { startNpmRegistry, type NpmRegistry } from '../support/npm-registry.ts';
import { hasDocker } from '../support/tools.ts';
import { openWindow, type TestWindow } from '../support/window.ts';

describe.skipIf(!hasDocker())('images to begin with', () => {
  let registry: NpmRegistry;
  let engine: TestEngine;
  let window: TestWindow;

  beforeAll(async () => {
    registry = await startNpmRegistry();
    engine = await startEngine({ env: { npm_config_registry: registry.url } });
    window = await openWindow(engine.url);
  });
  afterAll(async () => {
    window?.close();
    await engine?.stop();
    await registry?.close();
  });

  async function built(name: string): Promise<StarterMessage[]> {
    const messages: StarterMessage[] = [];
    for await (const message of await window.client.starters.build({ name })) messages.push(message);
    return messages;
  }

  it('are listed, those that need no network first', async () => {
    const rows = await window.client.starters.list();
    expect(rows.map(({ name, download }) => [name, download > 0])).toEqual([
      ['hello', false],
      ['web', false],
      ['python', true],
      ['clang', true],
      ['sqlite', true],
      ['lua', true],
    ]);
    for (const row of rows) expect(row).toMatchObject({ image: '', about: { 'zh-CN': expect.any(String) } });
  });

  it('say hello without a network', async () => {
    expect((await built('hello')).at(-1)).toMatchObject({ type: 'done', image: expect.stringMatching(/^sha256:/) });
    const run = await engine.docker(['run', '--rm', 'drydock/hello', 'one']);
    expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining('argument: one') });
    expect(registry.asked).toEqual([]);
  });

  it('serve a page on a published port', async () => {
    await built('web');
    const started = await engine.docker(['run', '-d', '--name', 'site', '-p', '127.0.0.1::80', 'drydock/web']);
    expect(started.code).toBe(0);
    const host = (await engine.docker(['port', 'site', '80'])).stdout.trim();
    const page = await fetch(`http://${host}/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(await page.text()).toContain('<h1>It runs.</h1>');
    for (const [path, status] of [
      ['/nope', 404],
      ['/..%2f..%2fweb.wasm', 400],
      ['/%00', 400],
    ] as const)
      expect((await fetch(`http://${host}${path}`)).status, path).toBe(status);
    expect((await fetch(`http://${host}/`, { method: 'POST', body: 'x' })).status).toBe(405);
    expect((await engine.docker(['rm', '-f', 'site'])).code).toBe(0);
  });

  it('compile C with a compiler that is itself WebAssembly, in a RUN step', async () => {
    const messages = await built('clang');
    expect(messages.find((message) => message.type === 'download')).toMatchObject({
      package: expect.stringMatching(/^@yowasp\/clang@/),
    });
    const context = buildContext({
      'main.c':
        '#include <stdio.h>\nint main(int argc, char **argv) { printf("%d %s\\n", argc, argv[1]); return 7; }\n',
      Dockerfile: [
        'FROM drydock/clang:22 AS build',
        'COPY main.c /src/main.c',
        'RUN ["clang", "-O2", "-c", "/src/main.c", "-o", "/src/main.o"]',
        'RUN ["wasm-ld", "/usr/lib/wasm32-wasip1/crt1-command.o", "/src/main.o", "-L/usr/lib/wasm32-wasip1", "-lc", "/usr/lib/wasm32-unknown-wasip1/libclang_rt.builtins.a", "-o", "/main.wasm"]',
        'FROM scratch',
        'COPY --from=build /main.wasm /main.wasm',
        'ENTRYPOINT ["/main.wasm"]',
      ].join('\n'),
    });
    try {
      const build = await engine.docker(['build', '-t', 'made', context]);
      expect(build.code, build.stderr).toBe(0);
      expect(await engine.docker(['run', '--rm', 'made', 'built-here'])).toMatchObject({
        code: 7,
        stdout: '2 built-here\n',
      });
      // What the compiler says reaches the person who builds.
      const broken = await engine.docker(['build', '-f', '-', context], {
        input: Buffer.from(
          'FROM drydock/clang:22\nCOPY main.c /\nRUN ["clang", "-c", "-Werror", "-DprintF", "-Dmain=", "/main.c", "-o", "/o"]\n',
        ),
      });
      expect(broken.code).toBe(1);
      expect(broken.stdout + broken.stderr).toMatch(/error:/);
      expect(broken.stdout + broken.stderr).toMatch(/RUN|clang/);
    } finally {
      removeDirectory(context);
    }
  });

  it('can be cancelled by the window that asked', async () => {
    const building = (await window.client.starters.build({ name: 'python' }))[Symbol.asyncIterator]();
    expect((await building.next()).value).toEqual({ type: 'starter', name: 'python' });
    await building.return?.();
    expect((await window.client.starters.list()).find(({ name }) => name === 'python')?.image).toBe('');
  });
});
