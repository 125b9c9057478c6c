import { existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pack, type Header } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { whiteoutOf } from '../../../fs/whiteout.ts';
import { upperEntries } from '../../builder/run.ts';
import { readTar } from '../../images/read-tar.ts';
import { openTestEngine, type TestEngine } from '../testing.ts';

type Entry = Partial<Header> & { readonly name: string; readonly body?: string };

let t: TestEngine;
let id: string;
let upper: string;
beforeEach(async () => {
  t = await openTestEngine();
  ({ id } = await t.engine.containers.create({ image: 'app', name: 'box' }));
  upper = join(t.home, 'containers', id, 'upper');
});
afterEach(() => t.engine.close());

async function tar(entries: readonly Entry[]): Promise<AsyncIterable<Uint8Array>> {
  const out = pack();
  for (const { body = '', ...header } of entries) out.entry(header, body);
  out.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of out as unknown as AsyncIterable<Buffer>) chunks.push(chunk);
  return Readable.from([Buffer.concat(chunks)], { objectMode: false });
}

async function listed(source: AsyncIterable<Uint8Array>): Promise<Record<string, string>> {
  const out: Record<string, string> = {};
  for await (const { header, body } of readTar(source, 'test')) {
    const chunks: Uint8Array[] = [];
    if (header.type === 'file') for await (const chunk of body) chunks.push(chunk);
    out[header.name] = header.type === 'symlink' ? `-> ${header.linkname}` : Buffer.concat(chunks).toString();
  }
  return out;
}

const put = async (path: string, entries: readonly Entry[], keepKinds = true): Promise<void> =>
  t.engine.containers.extract(id, path, await tar(entries), { keepKinds });
const got = async (path: string): Promise<Record<string, string>> =>
  listed((await t.engine.containers.archive(id, path)).tar);

describe('cp', () => {
  test('what goes in comes out, with modes, times and links', async () => {
    const mtime = new Date('2020-02-02T02:02:02Z');
    await put('/', [
      { name: 'd/', type: 'directory', mode: 0o750 },
      { name: 'd/a.txt', mode: 0o640, mtime, body: 'alpha' },
      { name: 'd/link', type: 'symlink', linkname: 'a.txt' },
      { name: 'd/hard', type: 'link', linkname: 'd/a.txt' },
      { name: 'new/deep/b', body: 'beta' },
    ]);
    expect(await got('/d')).toEqual({ 'd/': '', 'd/a.txt': 'alpha', 'd/hard': 'alpha', 'd/link': '-> a.txt' });
    expect(await got('d/a.txt')).toEqual({ 'a.txt': 'alpha' });
    expect(await got('/new/.')).toEqual({ './': '', './deep/': '', './deep/b': 'beta' });
    expect(await t.engine.containers.statPath(id, '/d/a.txt')).toMatchObject({
      name: 'a.txt',
      size: 5,
      kind: 'file',
      mode: 0o640,
      mtime: BigInt(mtime.getTime()) * 1_000_000n,
      linkTarget: '',
    });
    expect(await t.engine.containers.statPath(id, '/d/link')).toMatchObject({
      kind: 'symlink',
      linkTarget: '/d/a.txt',
    });
    expect(statSync(join(upper, 'd')).mode & 0o777).toBe(0o750);
    expect(t.actions()).toContain('extract-to-dir archive-path');
  });

  test('files of the image come out, and are replaced in the container only', async () => {
    const [module] = Object.values(await got('/app.wasm'));
    expect(module?.slice(1, 4)).toBe('asm');
    await put('/', [{ name: 'app.wasm', body: 'replaced' }]);
    expect(await got('/app.wasm')).toEqual({ 'app.wasm': 'replaced' });
    const other = await t.engine.containers.create({ image: 'app' });
    const { stat } = await t.engine.containers.archive(other.id, '/app.wasm');
    expect(stat.size).toBeGreaterThan(8);
  });

  test('a missing file, a missing directory and a file as the place', async () => {
    await expect(t.engine.containers.archive(id, '/nope')).rejects.toMatchObject({
      kind: 'notFound',
      message: 'Could not find the file /nope in container box',
    });
    await expect(put('/no/dir', [{ name: 'x' }])).rejects.toMatchObject({ kind: 'notFound' });
    await expect(put('/app.wasm', [{ name: 'x' }])).rejects.toThrow('extraction point is not a directory');
    await expect(t.engine.containers.statPath('nobody', '/')).rejects.toMatchObject({ kind: 'notFound' });
  });

  test('nothing leads out: names, links of the archive, links that were there', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'drydock-outside-'));
    writeFileSync(join(outside, 'secret'), 'secret');
    for (const name of ['../up', '/abs', 'a/../../up'])
      await expect(put('/', [{ name, body: 'x' }])).rejects.toMatchObject({ kind: 'invalid', data: { entry: name } });
    mkdirSync(upper, { recursive: true });
    symlinkSync(outside, join(upper, 'out'));
    await expect(got('/out/secret')).rejects.toThrow();
    await expect(put('/out', [{ name: 'made', body: 'x' }])).rejects.toThrow();
    await expect(put('/', [{ name: 'out/made', body: 'x' }])).rejects.toThrow();
    // A link that the archive brings is replaced by the next entry of its name, not written through.
    await put('/', [
      { name: 'l', type: 'symlink', linkname: '/app.wasm' },
      { name: 'l', body: 'mine' },
    ]);
    expect(await got('/l')).toEqual({ l: 'mine' });
    expect(existsSync(join(outside, 'made'))).toBe(false);
    await expect(put('/', [{ name: 'dev', type: 'character-device' }])).rejects.toMatchObject({ kind: 'invalid' });
    await expect(put('/', [{ name: 'h', type: 'link', linkname: '../../etc/passwd' }])).rejects.toThrow();
  });

  test('directories and files do not give way to each other, unless asked', async () => {
    await put('/', [{ name: 'd/f', body: 'f' }]);
    await expect(put('/', [{ name: 'd', body: 'x' }])).rejects.toThrow('cannot overwrite directory');
    await expect(put('/', [{ name: 'd/f/', type: 'directory' }])).rejects.toThrow('cannot overwrite non-directory');
    await put('/', [{ name: 'd', body: 'x' }], false);
    expect(await got('/d')).toEqual({ d: 'x' });
  });

  test('volumes and binds are part of it; read-only ones refuse', async () => {
    const host = mkdtempSync(join(tmpdir(), 'drydock-host-'));
    writeFileSync(join(host, 'h'), 'host');
    ({ id } = await t.engine.containers.create({
      image: 'app',
      name: 'mounted',
      readOnlyRoot: true,
      mounts: [
        { type: 'bind', source: host, target: '/b', readOnly: false, createSource: false },
        { type: 'bind', source: host, target: '/ro', readOnly: true, createSource: false },
      ],
    }));
    expect(await got('/b/h')).toEqual({ h: 'host' });
    await put('/b', [{ name: 'n', body: 'new' }]);
    expect(readFileSync(join(host, 'n'), 'utf8')).toBe('new');
    await expect(put('/ro', [{ name: 'n', body: 'x' }])).rejects.toMatchObject({
      kind: 'denied',
      message: 'mounted volume is marked read-only',
    });
    await expect(put('/', [{ name: 'n', body: 'x' }])).rejects.toMatchObject({
      kind: 'denied',
      message: 'container rootfs is marked read-only',
    });
  });
});

test('diff tells what was added, changed and deleted', async () => {
  expect(await t.engine.containers.changes(id)).toEqual([]);
  await put('/', [
    { name: 'new/f', body: 'x' },
    { name: 'app.wasm', body: 'y' },
  ]);
  writeFileSync(join(upper, '.wh..wh.1-2-abc'), 'unfinished');
  expect(await t.engine.containers.changes(id)).toEqual([
    { path: '/app.wasm', kind: 'modified' },
    { path: '/new', kind: 'added' },
    { path: '/new/f', kind: 'added' },
  ]);
  const { id: second } = await t.engine.containers.create({ image: 'app' });
  writeFileSync(join(t.home, 'containers', second, 'upper', '.wh.app.wasm'), '');
  expect(await t.engine.containers.changes(second)).toEqual([{ path: '/app.wasm', kind: 'deleted' }]);
  // A name that leaves no room for ".wh." before it.
  const long = 'n'.repeat(255);
  const above = join(t.home, 'containers', second, 'upper');
  writeFileSync(join(above, whiteoutOf(long)), long);
  expect(await t.engine.containers.changes(second)).toContainEqual({ path: `/${long}`, kind: 'deleted' });
  const layer: string[] = [];
  for await (const { name } of upperEntries(above)) layer.push(name);
  expect(layer).toEqual([`.wh.${long}`, '.wh.app.wasm']);
});

test('export is the root without mounts', async () => {
  const { id: other } = await t.engine.containers.create({
    image: 'app',
    mounts: [{ type: 'volume', name: 'vol', target: '/data', readOnly: false }],
  });
  await t.engine.containers.extract(other, '/data', await tar([{ name: 'in-volume', body: 'x' }]), { keepKinds: true });
  await t.engine.containers.extract(other, '/', await tar([{ name: 'own', body: 'mine' }]), { keepKinds: true });
  const all = await listed(t.engine.containers.export(other));
  expect(Object.keys(all).sort()).toEqual(['app.wasm', 'data/', 'own']);
  expect(all['own']).toBe('mine');
});

describe('commit', () => {
  test('keeps changes and the configuration, with changes of its own', async () => {
    await put('/', [{ name: 'made', body: 'inside' }]);
    const made = await t.engine.containers.commit(id, {
      reference: 'kept:1',
      comment: 'msg',
      author: 'me',
      pause: true,
      changes: ['CMD ["read","/made"]', 'ENV A=1 B="two words"', 'LABEL x=y', 'EXPOSE 80'],
    });
    const image = t.engine.images.get('kept:1');
    expect(image).toMatchObject({ id: made.id, author: 'me', comment: 'msg' });
    expect(image.config).toMatchObject({
      entrypoint: ['/app.wasm'],
      command: ['read', '/made'],
      env: ['A=1', 'B=two words'],
      labels: { x: 'y' },
      exposedPorts: ['80/tcp'],
    });
    expect(image.layers).toHaveLength(2);
    ({ id } = await t.engine.containers.create({ image: 'kept:1' }));
    expect(await got('/made')).toEqual({ made: 'inside' });
    expect(t.engine.images.history('kept:1')[0]).toMatchObject({ comment: 'msg', createdBy: '/app.wasm' });
  });

  test('the program stands still meanwhile, unless that is not wanted', async () => {
    await t.engine.containers.start(id);
    const options = { reference: '', comment: '', author: '', changes: [] };
    const { last } = t.supervisor;
    let stood = 0;
    const pause = last.pause.bind(last);
    last.pause = () => {
      stood += 1;
      pause();
    };
    await t.engine.containers.commit(id, { ...options, pause: true });
    expect([stood, last.paused]).toEqual([1, false]);
    await t.engine.containers.commit(id, { ...options, pause: false });
    expect(stood).toBe(1);
  });

  test('bad changes and bad names leave nothing', async () => {
    const options = { comment: '', author: '', pause: true };
    const before = t.engine.images.list({ all: true, filters: new Map() }).length;
    await expect(
      t.engine.containers.commit(id, { ...options, reference: 'ok', changes: ['RUN ["x"]'] }),
    ).rejects.toThrow('RUN is not a valid change command');
    await expect(t.engine.containers.commit(id, { ...options, reference: 'Bad Name', changes: [] })).rejects.toThrow(
      'invalid reference format',
    );
    expect(t.engine.images.list({ all: true, filters: new Map() })).toHaveLength(before);
  });
});

describe('import and save', () => {
  const importing = { reference: 'imp:1', message: '', changes: ['ENTRYPOINT ["/x.wasm"]'], platform: '' };

  test('a root file system becomes an image', async () => {
    const image = await t.engine.images.importRoot(await tar([{ name: 'x.wasm', body: 'bytes' }]), importing);
    expect(image).toMatchObject({ repoTags: ['imp:1'], os: 'wasi', architecture: 'wasm', size: 5 });
    ({ id } = await t.engine.containers.create({ image: 'imp:1' }));
    expect(await got('/x.wasm')).toEqual({ 'x.wasm': 'bytes' });
  });

  test('what is no tar, or leads out, is refused and leaves nothing', async () => {
    const junk = Readable.from([Buffer.alloc(2048, 7)], { objectMode: false });
    await expect(t.engine.images.importRoot(junk, importing)).rejects.toMatchObject({ kind: 'invalid' });
    await expect(t.engine.images.importRoot(await tar([{ name: '../x', body: '' }]), importing)).rejects.toMatchObject({
      data: { entry: '../x' },
    });
    expect(() => t.engine.images.get('imp:1')).toThrow('No such image');
  });

  test('save writes both layouts, one entry an image', async () => {
    await t.engine.images.tag('app', 'app:two');
    const files = await listed(t.engine.images.save(['app:latest', 'app:two']));
    const manifest = JSON.parse(files['manifest.json'] ?? '') as {
      RepoTags: string[];
      Config: string;
      Layers: string[];
    }[];
    expect(manifest.map(({ RepoTags }) => RepoTags)).toEqual([['app:latest', 'app:two']]);
    for (const path of [manifest[0]?.Config ?? '', ...(manifest[0]?.Layers ?? [])])
      expect(files).toHaveProperty([path]);
    const index = JSON.parse(files['index.json'] ?? '') as { manifests: { annotations: Record<string, string> }[] };
    expect(index.manifests.map((each) => each.annotations['io.containerd.image.name'])).toEqual([
      'docker.io/library/app:latest',
      'docker.io/library/app:two',
    ]);
    // A bare name is all of its tags.
    expect(await listed(t.engine.images.save(['app']))).toEqual(files);
    expect(() => t.engine.images.save(['absent'])).toThrow('No such image: absent');
  });
});
