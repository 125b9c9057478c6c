import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, describe, test } from 'vitest';
import type { CheckMessage } from '../../electron/contract/images.ts';
import { fixture } from '../fixtures/compile.ts';
import { api } from '../support/api.ts';
import { buildContext, removeDirectory } from '../support/context.ts';
import { launch, startEngine, type TestEngine } from '../support/engine.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { hasDocker, hasRegistryTools } from '../support/tools.ts';
import { openWindow, type TestWindow } from '../support/window.ts';

describe.skipIf(!hasDocker() || !hasRegistryTools())('what images take, and whether they are whole', () => {
  let engine: TestEngine;
  let registry: TestRegistry;
  let window: TestWindow;
  let context: string;
  const docker = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await engine.docker(args);
    if (code !== 0) throw new Error(`docker ${args.join(' ')} ended with ${code}\n${stdout}${stderr}`);
    return stdout;
  };

  beforeAll(async () => {
    [engine, registry] = await Promise.all([startEngine(), startRegistry()]);
    window = await openWindow(engine.url);
    context = buildContext({
      'tool.wasm': { from: fixture('tool') },
      big: Buffer.alloc(3_000_000, 'big'),
      small: Buffer.alloc(20_000, 'small'),
      Dockerfile: 'FROM scratch\nCOPY tool.wasm big /\nENTRYPOINT ["/tool.wasm"]\n',
      more: 'FROM base\nCOPY small /\nLABEL kept=yes\n',
    });
    await docker('build', '-q', '-t', 'base', context);
    await docker('build', '-q', '-t', 'more', '-f', join(context, 'more'), context);
  });
  afterAll(async () => {
    window?.close();
    await engine?.stop();
    await registry?.stop();
    if (context) removeDirectory(context);
  });

  const usage = async () =>
    (await api(engine.dockerHost, 'GET', '/system/df')).json<{
      LayersSize: number;
      Images: { RepoTags: string[]; Size: number; SharedSize: number }[];
      BuildCache: { Size: number; Shared: boolean }[];
    }>();

  test('docker system df counts a shared layer once', async () => {
    const { LayersSize, Images } = await usage();
    const sizes = new Map(Images.map((image) => [image.RepoTags[0], image]));
    const [base, more] = [sizes.get('base:latest'), sizes.get('more:latest')];
    expect(more?.Size).toBe((base?.Size ?? 0) + 20_000);
    expect(LayersSize).toBe(more?.Size);
    expect([base?.SharedSize, more?.SharedSize]).toEqual([base?.Size, base?.Size]);
    const table = await docker('system', 'df', '-v');
    expect(table).toMatch(/more +latest +\S+ +.* +20kB +0/);
    expect(table).toContain('Build cache usage: 0B');
  });

  test('builder prune frees the steps that led to no image', async () => {
    writeFileSync(join(context, 'broken'), 'FROM base\nCOPY small /other\nRUN ["/no.wasm"]\n');
    expect((await engine.docker(['build', '-f', join(context, 'broken'), context])).code).not.toBe(0);
    expect((await usage()).BuildCache).toContainEqual(expect.objectContaining({ Size: 20_000, Shared: false }));
    expect(await docker('system', 'df')).toMatch(/Build Cache +\d+ +0 +20kB +20kB/);
    expect(await docker('builder', 'prune', '-f')).toContain('Total reclaimed space: 20kB');
    expect((await usage()).BuildCache.filter(({ Shared }) => !Shared)).toEqual([]);
  });

  test('image prune -a takes filters, and says what it freed', async () => {
    expect(await docker('image', 'prune', '-a', '-f', '--filter', 'label=kept=yes')).toContain(
      'Total reclaimed space: 20kB',
    );
    expect((await usage()).Images.map(({ RepoTags }) => RepoTags[0])).toEqual(['base:latest']);
    expect(await docker('image', 'prune', '-a', '-f', '--filter', 'until=24h')).toContain('Total reclaimed space: 0B');
  });

  test('a damaged image is found, refused, and repaired from its registry, by the window', async () => {
    const name = `${registry.host}/app:1`;
    await docker('tag', 'base', name);
    await docker('push', '-q', name);
    const { RootFS } = JSON.parse(await docker('inspect', '--format', '{{json .}}', name)) as {
      RootFS: { Layers: string[] };
    };
    const blob = join(engine.home, 'content/blobs/sha256', (RootFS.Layers[0] ?? '').slice(7));
    const bytes = readFileSync(blob);
    bytes[5_000] = (bytes[5_000] ?? 0) ^ 1;
    writeFileSync(blob, bytes);

    const findings: Extract<CheckMessage, { type: 'finding' }>['finding'][] = [];
    for await (const message of await window.client.images.check())
      if (message.type === 'finding') findings.push(message.finding);
    expect(findings.map(({ kind }) => kind).sort()).toEqual(expect.arrayContaining(['blob', 'image']));
    expect(findings.find(({ kind }) => kind === 'image')).toMatchObject({ repairable: true });
    const refused = await engine.docker(['run', '--rm', name, 'both']);
    expect(refused.code).toBe(125);
    expect(refused.stderr).toContain('is damaged');

    for await (const message of await window.client.images.repair({ reference: name }))
      if (message.type === 'done') expect(message.fetched).toEqual([RootFS.Layers[0]]);
    expect((await engine.docker(['run', '--rm', name, 'both'])).code).toBe(0);
  });

  test('--check reads a data root that no engine has, and ends with 1 when something is damaged', async () => {
    const busy = launch(['--check', '--home', engine.home]);
    expect(await busy.ended).toBe(1);
    expect(busy.output.stderr).toContain(String(engine.pid));
    await engine.terminate();
    const fine = launch(['--check', '--home', engine.home]);
    expect(await fine.ended).toBe(0);
    expect(fine.output.stdout).toMatch(/^\d+ blobs \(.* MB\), \d+ images, \d+ root directories: nothing is damaged\n$/);
    const index = JSON.parse(readFileSync(join(engine.home, 'content/index.json'), 'utf8')) as {
      manifests: { digest: string }[];
    };
    writeFileSync(join(engine.home, 'content/blobs/sha256', (index.manifests[0]?.digest ?? '').slice(7)), '{}');
    const bad = launch(['--check', '--home', engine.home]);
    expect(await bad.ended).toBe(1);
    expect(bad.output.stdout).toContain('DAMAGED');
    await engine.restart();
  });
});
