import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTestImages, smallestModule, type TestImages } from './testing.ts';

let t: TestImages;
beforeEach(async () => {
  t = await openTestImages();
});
afterEach(() => t.close());

const none = new Map<string, readonly string[]>();
const everything = { all: true, keep: 0, filters: none };
const filters = (entries: Readonly<Record<string, readonly string[]>>) => new Map(Object.entries(entries));
const ids = (): string[] => t.images.list({ all: true, filters: none }).map(({ id }) => id);
const blobs = (): string[] => readdirSync(join(t.home, 'content/blobs/sha256'));

/** Bytes of files as du counts them: each hard link once. */
function du(): number {
  const files = execFileSync('find', [
    join(t.home, 'content'),
    join(t.home, 'snapshots'),
    '!',
    '-type',
    'd',
    '-print0',
  ]);
  const out = execFileSync('du', ['--bytes', '--total', '--files0-from=-'], { input: files, encoding: 'utf8' });
  return Number(/(\d+)\ttotal\n$/.exec(out)?.[1]);
}

/** base of 100,000 bytes, one and two of 1,000 and 2,000 on it. */
async function family(): Promise<void> {
  const big = randomBytes(100_000);
  await t.build({ Dockerfile: 'FROM scratch\nCOPY big /big\n', big }, { tags: ['base'] });
  await t.build({ Dockerfile: 'FROM base\nCOPY one /one\n', one: randomBytes(1000) }, { tags: ['one'] });
  await t.build({ Dockerfile: 'FROM base\nCOPY two /two\nENV A=1\n', two: randomBytes(2000) }, { tags: ['two'] });
}

describe('what images take', () => {
  test('shared layers count once; each image says what it shares', async () => {
    await family();
    t.users.push({ id: 'c', running: false, image: 'one', imageId: t.images.get('one').id });
    const { layersSize, images, buildCache } = await t.images.usage();
    expect(layersSize).toBe(103_000);
    const rows = images.map(({ image, sharedSize, containers }) => [
      image.repoTags[0],
      image.size,
      sharedSize,
      containers,
    ]);
    expect(rows.sort()).toEqual([
      ['base:latest', 100_000, 100_000, 0],
      ['one:latest', 101_000, 100_000, 1],
      ['two:latest', 102_000, 100_000, 0],
    ]);
    // The step below ENV is an image's all the same.
    expect(buildCache).toMatchObject([{ shared: true, size: 0, description: expect.stringContaining('COPY') }]);
  });

  test('layers that only steps of builds have are the build cache; both together are all of it', async () => {
    await family();
    await t.build(
      { Dockerfile: 'FROM base\nCOPY x /x\nCOPY y /y\nCOPY z /z\n', x: 'x'.repeat(50), y: 'y'.repeat(60), z: 'z' },
      { tags: ['gone'] },
    );
    await t.images.remove('gone', { force: false, prune: false });
    const { layersSize, buildCache, images } = await t.images.usage();
    expect(images.map(({ image }) => image.repoTags[0]).sort()).toEqual(['base:latest', 'one:latest', 'two:latest']);
    expect(layersSize).toBe(103_000);
    expect(buildCache.map(({ size, shared }) => ({ size, shared })).filter(({ shared }) => !shared)).toEqual([
      { size: 50, shared: false },
      { size: 60, shared: false },
    ]);
  });

  test('on the disk it is what du says, also with root directories that share files', async () => {
    await family();
    await t.images.importModule([smallestModule] as never, { fileName: 'm.wasm', reference: 'm' });
    for (const name of ['one', 'two', 'm']) await t.images.snapshot(name);
    expect(du()).toBeGreaterThan(206_000);
    expect((await t.images.usage()).onDisk).toBe(du());
    await t.images.prune(filters({ dangling: ['false'] }));
    expect((await t.images.usage()).onDisk).toBe(du());
    expect(du()).toBeLessThan(2000);
  });

  test('what a prune says it freed is what is missing afterwards', async () => {
    await family();
    const before = await t.images.usage();
    t.users.push({ id: 'c', running: false, image: 'one', imageId: t.images.get('one').id });
    const { reclaimed } = await t.images.prune(filters({ dangling: ['false'] }));
    const after = await t.images.usage();
    expect(reclaimed).toBe(2000);
    expect(after.layersSize).toBe(before.layersSize - reclaimed);
    t.users.length = 0;
    expect((await t.images.prune(filters({ dangling: ['false'] }))).reclaimed).toBe(101_000);
    expect(await t.images.usage()).toMatchObject({ layersSize: 0, images: [], buildCache: [] });
    expect(blobs()).toEqual([]);
    expect(readdirSync(join(t.home, 'snapshots'))).toEqual([]);
    expect(readdirSync(join(t.home, 'seals'))).toEqual([]);
  });
});

describe('prune', () => {
  const old = 'FROM scratch\nCOPY f /f\nLABEL keep=yes\n';
  beforeEach(async () => {
    await t.build({ Dockerfile: old, f: 'labelled' }, { tags: ['labelled'] });
    await t.build({ Dockerfile: 'FROM scratch\nCOPY f /f\n', f: 'plain' }, { tags: ['plain'] });
  });
  const tags = (): string[] =>
    t.images
      .list({ all: false, filters: none })
      .flatMap(({ repoTags }) => repoTags)
      .sort();

  test.each<[string, Record<string, string[]>, string[]]>([
    ['without -a named images stay', {}, ['labelled:latest', 'plain:latest']],
    ['-a', { dangling: ['false'] }, []],
    ['label', { dangling: ['false'], label: ['keep=yes'] }, ['plain:latest']],
    ['label without a value', { dangling: ['false'], label: ['keep'] }, ['plain:latest']],
    ['label!', { dangling: ['false'], 'label!': ['keep'] }, ['labelled:latest']],
    ['until before they were made', { dangling: ['false'], until: ['24h'] }, ['labelled:latest', 'plain:latest']],
    ['until now', { dangling: ['false'], until: [String(Math.ceil(Date.now() / 1000) + 3600)] }, []],
  ])('%s', async (_, wanted, left) => {
    await t.images.prune(filters(wanted));
    expect(tags()).toEqual(left);
    expect(existsSync(join(t.home, 'tmp/images')) && readdirSync(join(t.home, 'tmp/images'))).toEqual([]);
  });

  test('of a bad filter is refused, and removes nothing', async () => {
    await expect(t.images.prune(filters({ until: ['yesterday'] }))).rejects.toMatchObject({ kind: 'invalid' });
    await expect(
      t.images.pruneBuildCache({ ...everything, filters: filters({ type: ['odd'] }) }),
    ).rejects.toMatchObject({
      kind: 'invalid',
    });
    expect(tags()).toHaveLength(2);
  });
});

describe('builder prune', () => {
  const steps = { Dockerfile: 'FROM scratch\nCOPY a /a\nCOPY b /b\nENV X=1\n', a: 'a'.repeat(10), b: 'b'.repeat(20) };
  const cached = async (): Promise<number> =>
    (await t.build(steps, { tags: ['t'] })).text.match(/Using cache/g)?.length ?? 0;

  test('removes what led to no image, and leaves what images stand on', async () => {
    await t.build(steps, { tags: ['t'] });
    await t.build({ Dockerfile: 'FROM scratch\nCOPY x /x\nRUN ["fails"]\n', x: 'x'.repeat(70) }).catch(() => undefined);
    const before = ids();
    expect(await t.images.pruneBuildCache({ ...everything, all: false })).toMatchObject({ reclaimed: 70 });
    expect(ids()).toHaveLength(before.length - 1);
    expect(await cached()).toBe(3);
    expect((await t.images.pruneBuildCache({ ...everything, all: false })).deleted).toEqual([]);
  });

  test('-a begins anew; the image stays whole', async () => {
    await t.build(steps, { tags: ['t'] });
    const { id } = t.images.get('t');
    expect((await t.images.pruneBuildCache(everything)).deleted).toHaveLength(2);
    expect(readdirSync(await t.images.snapshot(id)).sort()).toEqual(['a', 'b']);
    expect((await t.images.usage()).buildCache).toEqual([]);
    expect(await cached()).toBe(0);
    await (await t.reopen()).snapshot(id);
  });

  test('keeps the newest up to a size, and those of other filters', async () => {
    for (const [name, size] of [
      ['one', 100],
      ['two', 200],
      ['three', 400],
    ] as const)
      await t
        .build({
          Dockerfile: `FROM scratch\nCOPY ${name} /${name}\nRUN ["fails"]\n`,
          [name]: name[0]?.repeat(size) ?? '',
        })
        .catch(() => undefined);
    const sizes = async () => (await t.images.usage()).buildCache.map(({ size }) => size).sort((a, b) => a - b);
    expect(await sizes()).toEqual([100, 200, 400]);
    await t.images.pruneBuildCache({ ...everything, filters: filters({ until: ['1h'] }) });
    await t.images.pruneBuildCache({ ...everything, filters: filters({ shared: ['true'] }) });
    expect(await sizes()).toEqual([100, 200, 400]);
    expect((await t.images.pruneBuildCache({ ...everything, keep: 600 })).reclaimed).toBe(100);
    expect(await sizes()).toEqual([200, 400]);
    const [record] = (await t.images.usage()).buildCache;
    await t.images.pruneBuildCache({ ...everything, filters: filters({ id: [record?.id ?? ''] }) });
    expect(await sizes()).toHaveLength(1);
  });
});

test('removals at the same time do not get in each other’s way', async () => {
  for (let round = 0; round < 10; round++) {
    const { id } = await t.build(
      { Dockerfile: 'FROM scratch\nCOPY f /f\n', f: randomBytes(100) },
      { tags: ['one', 'two'] },
    );
    await Promise.all([
      t.images.remove('one', { force: true, prune: true }),
      t.images.prune(none),
      t.images.remove('two', { force: true, prune: true }),
      t.images.pruneBuildCache(everything),
      t.images.prune(filters({ dangling: ['false'] })),
      t.images.sweep(),
    ]);
    expect(ids()).not.toContain(id);
  }
  expect(blobs()).toEqual([]);
});
