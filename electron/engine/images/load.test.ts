import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LoadedImage } from '../api/images.ts';
import { openTestImages, smallestModule, streamOf, tarOf, type TarItem, type TestImages } from './testing.ts';

let t: TestImages;
beforeEach(async () => {
  t = await openTestImages();
});
afterEach(() => t.close());

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}
async function load(bytes: Uint8Array): Promise<LoadedImage[]> {
  const out: LoadedImage[] = [];
  for await (const loaded of t.images.load(streamOf(bytes, 64 * 1024))) out.push(loaded);
  return out;
}
const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const all = (): readonly string[] => t.images.list({ all: true, filters: new Map() }).map(({ id }) => id);

/** A docker-archive as old versions of docker wrote it: layers in directories, one of them a link. */
async function oldArchive(
  layer: Buffer,
  change: Partial<Record<'config' | 'diffId', string>> = {},
): Promise<TarItem[]> {
  const diffId = change.diffId ?? `sha256:${sha256(layer)}`;
  const config =
    change.config ??
    JSON.stringify({
      // Keys in an order and with blanks that no writer of ours would make: the bytes must stay.
      rootfs: { diff_ids: [diffId, diffId], type: 'layers' },
      os: 'linux',
      architecture: 'amd64',
      config: { Entrypoint: ['/app.wasm'] },
    }).replaceAll(',', ', ');
  return [
    { name: 'one/', type: 'directory' },
    { name: 'one/layer.tar', content: layer },
    { name: 'two/layer.tar', type: 'symlink', linkname: '../one/layer.tar' },
    { name: `${sha256(config)}.json`, content: config },
    {
      name: 'manifest.json',
      content: JSON.stringify([
        { Config: `${sha256(config)}.json`, RepoTags: ['old:1', 'old:2'], Layers: ['one/layer.tar', 'two/layer.tar'] },
      ]),
    },
  ];
}
const layerOf = (...more: TarItem[]): Promise<Buffer> =>
  tarOf([{ name: 'app.wasm', content: smallestModule }, ...more]);

describe('save and load', () => {
  test.each([
    ['plain', (bytes: Buffer) => bytes],
    ['gzip', (bytes: Buffer) => gzipSync(bytes)],
  ])('a round trip keeps ids, layers and names (%s)', async (_, packed) => {
    const { id } = await t.build(
      { Dockerfile: 'FROM scratch\nCOPY a /a\nCOPY b /b\nLABEL x=y\n', a: 'alpha', b: 'beta' },
      { tags: ['kept:1', 'kept:2'] },
    );
    const { layers, config } = t.images.get('kept:1');
    const saved = packed(await bytesOf(t.images.save(['kept:1', 'kept:2'])));
    await t.images.remove('kept:1', { force: true, prune: true });
    await t.images.remove('kept:2', { force: true, prune: true });
    expect(all()).toEqual([]);
    expect(await load(saved)).toEqual([
      { id, reference: 'kept:1' },
      { id, reference: 'kept:2' },
    ]);
    expect(t.images.get('kept:2')).toMatchObject({ id, layers, config });
    expect((await bytesOf(t.images.save(['kept:1', 'kept:2']))).equals(await bytesOf(t.images.save(['kept'])))).toBe(
      true,
    );
    // Loading once more changes nothing.
    await load(saved);
    expect(all()).toEqual([id]);
    const reopened = await t.reopen();
    expect(reopened.get('kept:1').id).toBe(id);
  });

  test('an image without a name is told by its id', async () => {
    const { id } = await t.build({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'x' });
    const saved = await bytesOf(t.images.save([id]));
    await t.images.remove(id, { force: true, prune: true });
    expect(await load(saved)).toEqual([{ id }]);
  });
});

describe('archives of others', () => {
  test('an old docker-archive: links between layers, config byte for byte', async () => {
    const items = await oldArchive(await layerOf());
    const config = items[3]?.content as string;
    const id = `sha256:${sha256(config)}`;
    expect(await load(await tarOf(items))).toEqual([
      { id, reference: 'old:1' },
      { id, reference: 'old:2' },
    ]);
    expect((await t.images.module('old:1')).path).toBe('/app.wasm');
  });

  test('layers may be compressed', async () => {
    const layer = await layerOf();
    const items = await oldArchive(gzipSync(layer), { diffId: `sha256:${sha256(layer)}` });
    expect((await load(await tarOf(items))).map(({ reference }) => reference)).toEqual(['old:1', 'old:2']);
    expect((await t.images.module('old:2')).description.entry).toBe('command');
  });
});

describe('refusals leave nothing', () => {
  afterEach(() => expect(all()).toEqual([]));

  test('junk, an empty tar, a root file system', async () => {
    await expect(load(Buffer.from('junk\n'))).rejects.toMatchObject({ kind: 'invalid' });
    await expect(load(Buffer.alloc(4096, 5))).rejects.toMatchObject({ kind: 'invalid' });
    await expect(load(await tarOf([]))).rejects.toMatchObject({ kind: 'invalid' });
    await expect(load(await layerOf())).rejects.toMatchObject({ hint: expect.stringContaining('docker import') });
  });

  test('a blob that is not what its name says', async () => {
    const bad = [{ name: `blobs/sha256/${'a'.repeat(64)}`, content: 'other bytes' }];
    await expect(load(await tarOf(bad))).rejects.toMatchObject({ kind: 'damaged' });
  });

  test('a layer that is not what the config says', async () => {
    const items = await oldArchive(await layerOf(), { diffId: `sha256:${'b'.repeat(64)}` });
    await expect(load(await tarOf(items))).rejects.toMatchObject({ kind: 'damaged' });
  });

  test.each(['manifest.json', 'one/layer.tar'])('%s is missing', async (name) => {
    const items = (await oldArchive(await layerOf())).filter((item) => item.name !== name);
    await expect(load(await tarOf(items))).rejects.toMatchObject({ kind: 'invalid' });
  });

  test('a layer with an entry that leads out: the entry is named', async () => {
    const items = await oldArchive(await layerOf({ name: '../../outside', content: 'x' }));
    await expect(load(await tarOf(items))).rejects.toMatchObject({ data: { entry: '../../outside' } });
    await expect(load(await tarOf([{ name: '../manifest.json', content: '[]' }]))).rejects.toMatchObject({
      data: { entry: '../manifest.json' },
    });
  });

  test('also of a layer that is too large to be unpacked at once', async () => {
    const large = { name: 'large', content: Buffer.alloc(65 << 20) };
    const items = await oldArchive(await layerOf(large, { name: '../../outside', content: 'x' }));
    await expect(load(await tarOf(items))).rejects.toMatchObject({ data: { entry: '../../outside' } });
    expect(readdirSync(join(t.home, 'content/blobs/sha256'))).toEqual([]);
  });

  test('documents that are no documents', async () => {
    for (const content of ['not json', '{}', '[{"Config":1}]', '[null]'])
      await expect(load(await tarOf([{ name: 'manifest.json', content }]))).rejects.toMatchObject({ kind: 'invalid' });
  });
});
