import {
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRegistries, type Registries } from '../registry/registry.ts';
import { countedSleep, gzipped, ScriptedRegistry } from '../registry/testing.ts';
import type { CheckEvent, CheckFinding, RepairEvent } from '../api/images.ts';
import type { Manifest } from './oci.ts';
import { openTestImages, smallestModule, streamOf, tarOf, type TestImages } from './testing.ts';
import { digestOf } from './content.ts';
import { verifyLayer } from './verify-blob.ts';

let registry: ScriptedRegistry;
let registries: Registries;
let store: TestImages;

beforeEach(async () => {
  registry = await ScriptedRegistry.start();
  registries = openRegistries({
    version: 'test',
    credentials: '/nonexistent/logins.json',
    docker: { get: () => Promise.resolve(undefined), list: () => Promise.resolve([]) },
    sleep: countedSleep().sleep,
  });
  store = await openTestImages({ registries });
});
afterEach(async () => {
  registries.close();
  await store.close();
  await registry.close();
});

async function check(): Promise<{ findings: CheckFinding[]; done: Extract<CheckEvent, { type: 'done' }> }> {
  const findings: CheckFinding[] = [];
  let done: CheckEvent | undefined;
  for await (const event of store.images.check()) {
    if (event.type === 'finding') findings.push(event.finding);
    done = event;
  }
  if (done?.type !== 'done') throw new Error('the check did not end');
  expect(done.findings).toBe(findings.length);
  return { findings, done };
}
async function repair(ref: string): Promise<Extract<RepairEvent, { type: 'done' }>> {
  let last: RepairEvent | undefined;
  for await (const event of store.images.repair(ref, {})) last = event;
  if (last?.type !== 'done') throw new Error('the repair did not end');
  return last;
}
async function pull(name: string): Promise<string> {
  for await (const event of store.images.pull(`${registry.host}/${name}`, {}))
    if (event.type === 'done') return event.image;
  throw new Error('the pull did not end');
}

const pathOf = (digest: string): string => join(store.home, 'content/blobs/sha256', digest.slice(7));
const aside = (): string[] =>
  existsSync(join(store.home, 'content/quarantine')) ? readdirSync(join(store.home, 'content/quarantine')) : [];
/** Another byte in the middle, as a disk does it: size and times stay. */
function spoil(path: string): void {
  const bytes = readFileSync(path);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 0x40;
  // A new file: the blob may share its own with a root directory.
  unlinkSync(path);
  writeFileSync(path, bytes);
}
const manifestBlob = (): string => {
  const index = JSON.parse(readFileSync(join(store.home, 'content/index.json'), 'utf8')) as {
    manifests: Manifest['layers'];
  };
  return index.manifests[0]?.digest ?? '';
};
const blobsAsked = (): string[] => registry.asked.filter((line) => line.startsWith('GET') && line.includes('/blobs/'));
const app = {
  Dockerfile: 'FROM scratch\nCOPY m.wasm /m.wasm\nCOPY f /f\nENTRYPOINT ["/m.wasm"]',
  'm.wasm': smallestModule,
  f: 'f',
};
const program = async () => ({ bytes: await tarOf([{ name: 'm.wasm', content: smallestModule }]) });
const data = async () => gzipped(await tarOf([{ name: 'large', content: Buffer.alloc(3_000_000, 'drydock ') }]));

describe('a check', () => {
  test('of a store that is whole finds nothing, and has read everything', async () => {
    const { id } = await store.build(app, { tags: ['app:1'] });
    await store.images.snapshot(id);
    registry.put('data', '1', [await program(), await data()]);
    await pull('data:1');
    const blobs = readdirSync(join(store.home, 'content/blobs/sha256'));
    const total = blobs.reduce((sum, name) => sum + readFileSync(pathOf(`sha256:${name}`)).length, 0);
    const { findings, done } = await check();
    expect(findings).toEqual([]);
    expect(done).toMatchObject({ blobs: blobs.length, total, open: 0 });
    expect(done.snapshots).toBeGreaterThanOrEqual(2);
  });

  test('puts a changed blob aside; its image says what is wrong and what to do, also after a restart', async () => {
    const { id } = await store.build(app, { tags: ['app:1'] });
    await store.images.snapshot(id);
    const layer = store.images.get(id).layers[0] ?? '';
    spoil(pathOf(layer));
    const { findings } = await check();
    expect(findings.filter(({ kind }) => kind === 'blob')).toMatchObject([
      {
        subject: layer,
        images: expect.arrayContaining(['app:1']),
        repairable: true,
        hint: expect.stringContaining('quarantine'),
      },
    ]);
    expect(findings.filter(({ kind, images }) => kind === 'image' && images[0] === 'app:1')).toHaveLength(1);
    expect(aside()).toEqual([layer.slice(7)]);
    expect(existsSync(pathOf(layer))).toBe(false);
    expect(store.events).toContain('image damage app:1');
    for (let opened = 0; opened < 2; opened++) {
      expect(store.images.get('app:1').damage).toEqual([layer]);
      await expect(store.images.snapshot(id)).rejects.toMatchObject({
        kind: 'damaged',
        message: expect.stringContaining(`image app:1 is damaged: blob ${layer}`),
        hint: expect.stringContaining('Build it or load it again'),
      });
      expect(() => store.images.save(['app:1'])).toThrow('is damaged');
      await expect(store.build({ Dockerfile: 'FROM app:1\nCOPY g /d/', g: 'g' })).rejects.toMatchObject({
        kind: 'damaged',
      });
      await store.reopen();
    }
    // Nothing of it is taken from the cache, and the same layer heals whoever had it.
    await store.build(app, { tags: ['app:2'] });
    expect(store.images.get('app:1').damage).toEqual([]);
    expect(aside()).toEqual([]);
    expect((await check()).findings).toEqual([]);
  });

  test('of an image that goes takes what was put aside with it', async () => {
    const { id } = await store.build(app, { tags: ['app:1'] });
    spoil(pathOf(store.images.get(id).layers[0] ?? ''));
    await check();
    expect(aside()).toHaveLength(1);
    await store.images.remove('app:1', { force: true, prune: true });
    await store.images.prune(new Map());
    expect(aside()).toEqual([]);
    expect((await check()).findings).toEqual([]);
  });

  test.each<[string, (path: string) => void]>([
    ['cut off', (path) => truncateSync(path, 700)],
    ['missing', (path) => rmSync(path)],
    ['empty', (path) => truncateSync(path, 0)],
  ])('finds a blob that is %s', async (_, harm) => {
    const { id } = await store.build(app, { tags: ['app:1'] });
    const layer = store.images.get(id).layers[0] ?? '';
    harm(pathOf(layer));
    expect((await check()).findings.map(({ subject }) => subject)).toContain(layer);
    expect(store.images.get(id).damage).toEqual([layer]);
  });

  test('finds what nobody refers to, and that is no loss', async () => {
    await store.build(app, { tags: ['app:1'] });
    const stray = `sha256:${'b'.repeat(64)}`;
    writeFileSync(pathOf(stray), 'not what it is called');
    // Known from the next opening on, which sweeps it at once.
    await store.reopen();
    expect((await check()).findings).toEqual([]);
    expect(existsSync(pathOf(stray))).toBe(false);
  });

  test('can be ended, and there is one at a time', async () => {
    await store.build(app, { tags: ['app:1'] });
    const ending = new AbortController();
    const running = store.images.check(ending.signal)[Symbol.asyncIterator]();
    expect((await running.next()).value).toMatchObject({ type: 'begin' });
    await expect(store.images.check()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ kind: 'conflict' });
    ending.abort();
    await expect(running.next()).rejects.toMatchObject({ kind: 'cancelled' });
    expect((await check()).findings).toEqual([]);
  });

  test('tells a layer that is not what its image says', async () => {
    const { bytes } = await program();
    const source = () => streamOf(gzipSync(bytes));
    expect(await verifyLayer(source(), digestOf(bytes), undefined)).toBeUndefined();
    expect(await verifyLayer(source(), digestOf('other'), undefined)).toContain(digestOf(bytes));
    expect(await verifyLayer(streamOf(gzipSync(bytes).subarray(0, 60)), digestOf(bytes), undefined)).toContain(
      'cannot be inflated',
    );
  });
});

describe('a root directory', () => {
  const harms: [string, (root: string) => void][] = [
    ['lacks a file', (root) => rmSync(join(root, 'f'))],
    ['has another file', (root) => writeFileSync(join(root, 'more'), '')],
    ['has a file cut off', (root) => truncateSync(join(root, 'f'), 0)],
    ['has a file written to', (root) => writeFileSync(join(root, 'f'), 'g')],
    [
      'has a link in place of a file',
      (root) => (rmSync(join(root, 'f')), linkSync(join(root, 'm.wasm'), join(root, 'f'))),
    ],
    ['is empty', (root) => readdirSync(root).forEach((name) => rmSync(join(root, name)))],
  ];
  test.each(harms)('that %s is made anew', async (_, harm) => {
    const { id } = await store.build(app, { tags: ['app:1'] });
    const root = await store.images.snapshot(id);
    expect((await check()).findings).toEqual([]);
    harm(root);
    expect((await check()).findings).toMatchObject([
      { kind: 'snapshot', repaired: true, images: expect.arrayContaining(['app:1']) },
    ]);
    expect(readFileSync(join(root, 'f'), 'utf8')).toBe('f');
    expect(readdirSync(root).sort()).toEqual(['f', 'm.wasm']);
    expect((await check()).findings).toEqual([]);
  });

  test('that a running container uses stays until it has ended', async () => {
    const { id } = await store.build(app, { tags: ['app:1'] });
    const root = await store.images.snapshot(id);
    rmSync(join(root, 'f'));
    store.users.push({ id: 'c', running: true, image: 'app:1', imageId: id });
    expect((await check()).findings).toMatchObject([
      { repaired: false, hint: expect.stringContaining('Stop the containers') },
    ]);
    expect(existsSync(join(root, 'm.wasm'))).toBe(true);
    store.users.length = 0;
    expect((await check()).findings).toMatchObject([{ repaired: true }]);
  });
});

describe('a repair', () => {
  test('fetches the one blob that is missing', async () => {
    registry.put('app', '1', [await program(), await data()]);
    const id = await pull('app:1');
    const layers = (JSON.parse(readFileSync(pathOf(manifestBlob()), 'utf8')) as Manifest).layers;
    const lost = layers[1]?.digest ?? '';
    spoil(pathOf(lost));
    await check();
    expect(store.images.get(id).damage).toEqual([lost]);
    await expect(store.images.snapshot(id)).rejects.toMatchObject({
      hint: expect.stringContaining(`docker pull ${registry.host}/app:1`),
    });
    registry.asked.length = 0;
    expect(await repair(`${registry.host}/app:1`)).toEqual({ type: 'done', image: id, fetched: [lost] });
    expect(blobsAsked()).toEqual([`GET /v2/app/blobs/${lost}`]);
    expect(store.events).toContain(`image repair ${registry.host}/app:1`);
    expect(aside()).toEqual([]);
    expect(readdirSync(await store.images.snapshot(id)).sort()).toEqual(['large', 'm.wasm']);
    expect((await check()).findings).toEqual([]);
    // Of what is whole nothing is fetched.
    expect((await repair(id)).fetched).toEqual([]);
  });

  test('fetches config and manifest as well', async () => {
    registry.put('app', '1', [await program()]);
    const id = await pull('app:1');
    const manifest = manifestBlob();
    for (const digest of [id, manifest]) spoil(pathOf(digest));
    await check();
    expect([...(store.images.get(id).damage ?? [])].sort()).toEqual([id, manifest].sort());
    expect([...(await repair(id)).fetched].sort()).toEqual([id, manifest].sort());
    expect((await check()).findings).toEqual([]);
  });

  test('of a layer that was made here takes the compressed one that was pushed', async () => {
    const { id } = await store.build(app, { tags: [`${registry.host}/app:1`] });
    for await (const _ of store.images.push(`${registry.host}/app:1`, {}));
    const layer = store.images.get(id).layers[1] ?? '';
    spoil(pathOf(layer));
    await check();
    expect((await repair(id)).fetched).toEqual([layer]);
    expect((await check()).findings).toEqual([]);
    expect(readdirSync(await store.images.snapshot(id)).sort()).toEqual(['f', 'm.wasm']);
  });

  test('by docker pull takes what the registry has, also in another form', async () => {
    const { id } = await store.build(app, { tags: [`${registry.host}/app:1`] });
    for await (const _ of store.images.push(`${registry.host}/app:1`, {}));
    spoil(pathOf(store.images.get(id).layers[1] ?? ''));
    await check();
    expect(await pull('app:1')).toBe(id);
    expect(store.images.get(id).damage).toEqual([]);
    expect(readdirSync(await store.images.snapshot(id)).sort()).toEqual(['f', 'm.wasm']);
    await store.reopen();
    expect(store.images.get(`${registry.host}/app:1`)).toMatchObject({ id, damage: [] });
  });

  test('without a registry that has it says so, and the image stays', async () => {
    const { id } = await store.build(app, { tags: [`${registry.host}/app:1`] });
    const layer = store.images.get(id).layers[0] ?? '';
    spoil(pathOf(layer));
    await check();
    await expect(repair(id)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining(layer),
      hint: expect.stringContaining('Build it or load it again'),
    });
    expect(store.images.get(id).damage).toEqual([layer]);
  });

  test('of a registry that sends other bytes is refused', async () => {
    registry.put('app', '1', [await program()]);
    const id = await pull('app:1');
    const layer = store.images.get(id).layers[0] ?? '';
    spoil(pathOf(layer));
    await check();
    registry.blobs.set(layer, Buffer.alloc(registry.blobs.get(layer)?.length ?? 0, 7));
    await expect(repair(id)).rejects.toThrow(layer);
    expect(store.images.get(id).damage).toEqual([layer]);
  });
});

describe('an image whose manifest is damaged', () => {
  beforeEach(async () => {
    registry.put('app', '1', [await program(), await data()]);
    await pull('app:1');
    spoil(pathOf(manifestBlob()));
    await store.reopen();
  });

  test('is lost, not forgotten: its layers stay, and a repair brings it back under its name', async () => {
    const name = `${registry.host}/app:1`;
    expect(() => store.images.get(name)).toThrow('No such image');
    const { findings } = await check();
    expect(findings).toContainEqual(expect.objectContaining({ kind: 'image', subject: name, repairable: true }));
    // Other writes of the list keep it.
    await store.build(app, { tags: ['other'] });
    await store.reopen();
    registry.asked.length = 0;
    const { image } = await repair(name);
    expect(store.images.get(name).id).toBe(image);
    expect(blobsAsked()).toEqual([]);
    expect((await check()).findings).toEqual([]);
  });

  test('is forgotten when it is removed', async () => {
    await store.images.remove(`${registry.host}/app:1`, { force: false, prune: true });
    await store.reopen();
    const left = await check();
    expect(left.findings.filter(({ kind }) => kind === 'image')).toHaveLength(1);
    await store.images.remove(left.findings.find(({ kind }) => kind === 'image')?.subject ?? '', {
      force: false,
      prune: true,
    });
    await store.reopen();
    expect((await check()).findings).toEqual([]);
    expect(readdirSync(join(store.home, 'content/blobs/sha256'))).toEqual([]);
  });
});
