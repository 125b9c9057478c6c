import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openImages } from './images.ts';
import { openTestImages, smallestModule, streamOf, type TestImages } from './testing.ts';

let test: TestImages;
beforeEach(async () => {
  test = await openTestImages();
});
afterEach(() => test.close());

const filters = (entries: Readonly<Record<string, readonly string[]>>) => new Map(Object.entries(entries));
const list = (entries: Readonly<Record<string, readonly string[]>> = {}, all = false) =>
  test.images.list({ all, filters: filters(entries) });
const tags = (entries: Readonly<Record<string, readonly string[]>> = {}) =>
  list(entries)
    .flatMap((image) => image.repoTags)
    .sort();
const ids = (images: readonly { id: string }[]) => images.map((image) => image.id);
const remove = (ref: string, force = false, prune = true) => test.images.remove(ref, { force, prune });
const build = (dockerfile: string, ...names: string[]) =>
  test.build({ Dockerfile: dockerfile, f: 'f' }, { tags: names });
const use = (imageId: string, running: boolean) =>
  test.users.push({ id: 'c'.repeat(64), running, image: 'x', imageId });
const importModule = (reference: string, fileName = 'hello.wasm', bytes: Uint8Array = smallestModule) =>
  test.images.importModule(streamOf(bytes, 10), { fileName, reference });
const blobs = () => readdirSync(join(test.home, 'content/blobs/sha256'));
const snapshots = () => readdirSync(join(test.home, 'snapshots'));
const leftovers = () => readdirSync(join(test.home, 'tmp/images'));

describe('importModule', () => {
  it('makes an image of one layer whose program can be described', async () => {
    const image = await importModule('hello');
    expect(image).toMatchObject({
      repoTags: ['hello:latest'],
      os: 'wasi',
      architecture: 'wasm',
      size: smallestModule.length,
    });
    expect(image.config).toMatchObject({ entrypoint: ['/hello.wasm'], labels: {} });
    expect(await test.images.module('hello')).toMatchObject({
      path: '/hello.wasm',
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      description: { kind: 'core', entry: 'command', size: smallestModule.length },
    });
    expect(readFileSync(join(await test.images.snapshot(image.id), 'hello.wasm')).equals(smallestModule)).toBe(true);
    expect(test.events).toEqual(['image import hello:latest', 'image tag hello:latest']);
    expect(leftovers()).toEqual([]);
  });

  it('gives the same id to the same bytes under the same name, here and elsewhere', async () => {
    const first = await importModule('a');
    const second = await importModule('b', 'C:\\down\\hello.wasm');
    expect(second.id).toBe(first.id);
    expect(second.repoTags).toEqual(['a:latest', 'b:latest']);
    const elsewhere = await openTestImages();
    const there = await elsewhere.images.importModule(streamOf(smallestModule), { fileName: 'hello', reference: 'z' });
    expect(there.id).toBe(first.id);
    await elsewhere.close();
    expect((await importModule('c', 'other.wasm')).id).not.toBe(first.id);
  });

  it('refuses what is no module and keeps nothing of it', async () => {
    await expect(importModule('x', 'x.wasm', Buffer.from('#!/bin/sh\n'))).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('x.wasm: not a WebAssembly module (a script'),
    });
    await expect(importModule('Bad Name')).rejects.toThrow('invalid reference format');
    await expect(importModule('x', '..')).rejects.toThrow('cannot be the name of a module');
    expect(list({}, true)).toEqual([]);
    expect(blobs()).toEqual([]);
    expect(leftovers()).toEqual([]);
  });

  it('names what the entrypoint lacks', async () => {
    await build('FROM scratch\nCOPY f /f\nENTRYPOINT ["/nope.wasm"]', 'nope');
    await expect(test.images.module('nope')).rejects.toMatchObject({
      kind: 'notFound',
      message: 'exec: "/nope.wasm": stat /nope.wasm: no such file or directory',
    });
    await build('FROM scratch\nCOPY f /f\nENTRYPOINT ["/f"]', 'text');
    await expect(test.images.module('text')).rejects.toThrow('/f: not a WebAssembly module');
    await build('FROM scratch\nCOPY f /f', 'none');
    await expect(test.images.module('none')).rejects.toThrow('names no program');
  });
});

describe('names and ids', () => {
  it('finds an image by name, digest-less id, and prefix', async () => {
    const { id } = await importModule('me/t:1');
    for (const ref of ['me/t:1', 'docker.io/me/t:1', id, id.slice(7), id.slice(0, 19), id.slice(7, 13)])
      expect(test.images.get(ref).id).toBe(id);
  });

  it('says what it does not find', async () => {
    expect(() => test.images.get('nope')).toThrow('No such image: nope:latest');
    expect(() => test.images.get('host:5000/nope:1')).toThrow('No such image: host:5000/nope:1');
    expect(() => test.images.get(`sha256:${'0'.repeat(64)}`)).toThrow(`No such image: sha256:${'0'.repeat(64)}`);
    expect(() => test.images.get('UPPER')).toThrow('must be lowercase');
    await expect(test.images.tag('nope', 'x')).rejects.toMatchObject({ kind: 'notFound' });
  });

  it('refuses an ambiguous prefix', async () => {
    const seen = new Map<string, string>();
    // Seventeen images: two of them must share their first digit.
    for (let i = 0; i < 17; i++) {
      const { id } = await build(`FROM scratch\nLABEL n=${i}`, `n${i}`);
      const digit = id.slice(7, 8);
      // A digit alone may be a name, too; no image has it.
      if (seen.has(digit)) {
        expect(() => test.images.get(digit)).toThrow(`image id prefix ${digit} is ambiguous`);
        return;
      }
      seen.set(digit, id);
    }
    throw new Error('seventeen ids with different first digits');
  });

  it('moves a tag, and the image that had it is dangling', async () => {
    const old = await build('FROM scratch\nLABEL v=1', 't');
    const fresh = await build('FROM scratch\nLABEL v=2', 't');
    expect(test.images.get('t').id).toBe(fresh.id);
    expect(test.images.get(old.id).repoTags).toEqual([]);
    expect(ids(list({ dangling: ['true'] }))).toEqual([old.id]);
    expect(ids(list({ dangling: ['false'] }))).toEqual([fresh.id]);
  });

  it('refuses bad targets', async () => {
    await importModule('t');
    await expect(test.images.tag('t', 'a b')).rejects.toThrow('invalid reference format');
    await expect(test.images.tag('t', `t@sha256:${'a'.repeat(64)}`)).rejects.toThrow(
      'refusing to create a tag with a digest reference',
    );
  });
});

describe('list', () => {
  it('filters by reference, with globs, and shows the names that match only', async () => {
    await importModule('app:1');
    await test.images.tag('app:1', 'app:2');
    await test.images.tag('app:1', 'reg.example/team/app:1');
    expect(tags({ reference: ['app'] })).toEqual(['app:1', 'app:2']);
    expect(tags({ reference: ['app:2'] })).toEqual(['app:2']);
    expect(tags({ reference: ['a*:*'] })).toEqual(['app:1', 'app:2']);
    expect(tags({ reference: ['*/*/app'] })).toEqual(['reg.example/team/app:1']);
    expect(tags({ reference: ['nope', 'app:1'] })).toEqual(['app:1']);
    expect(tags({ reference: ['nope*'] })).toEqual([]);
  });

  it('filters by label and by time', async () => {
    const one = await build('FROM scratch\nLABEL a=1 b=2', 'one');
    const two = await build('FROM scratch\nLABEL a=2', 'two');
    expect(tags({ label: ['a'] })).toEqual(['one:latest', 'two:latest']);
    expect(tags({ label: ['a=1', 'b'] })).toEqual(['one:latest']);
    expect(tags({ label: ['a=1', 'c'] })).toEqual([]);
    expect(ids(list())).toEqual([two.id, one.id]);
    expect(tags({ before: ['two'] })).toEqual(['one:latest']);
    expect(tags({ since: [one.id] })).toEqual(['two:latest']);
    expect(tags({ until: ['2001-01-01T00:00:00Z'] })).toEqual([]);
    expect(() => list({ dangling: ['maybe'] })).toThrow("invalid filter 'dangling=maybe'");
    expect(() => list({ before: ['nope'] })).toThrow('No such image');
  });

  it('hides the steps of a build unless all are asked for', async () => {
    const { id } = await build('FROM scratch\nENV A=1\nENV B=2\nLABEL c=3', 't');
    expect(ids(list())).toEqual([id]);
    expect(list({ dangling: ['true'] }, true)).toEqual([]);
    const all = list({}, true);
    expect(all).toHaveLength(3);
    expect(all.find((image) => image.id === id)?.parent).toBe(
      all.find((image) => image.config.env.length === 2 && image.id !== id)?.id,
    );
  });
});

describe('history', () => {
  it('names the steps made here, and says <missing> for those without an image', async () => {
    await build('FROM scratch\nCOPY f /f\nENV A=1\nCMD ["/f"]', 'base');
    const history = test.images.history('base');
    expect(history.map((entry) => entry.createdBy)).toEqual(['CMD ["/f"]', 'ENV A=1', 'COPY f /f']);
    expect(history.map((entry) => entry.size)).toEqual([0, 0, 1]);
    expect(history[0]).toMatchObject({ id: test.images.get('base').id, tags: ['base:latest'] });
    expect(new Set(history.map((entry) => entry.id)).size).toBe(3);

    const { id } = await importModule('module');
    expect(test.images.history('module')).toEqual([
      {
        id,
        created: 0,
        createdBy: 'IMPORT hello.wasm',
        tags: ['module:latest'],
        size: smallestModule.length,
        comment: '',
      },
    ]);
    await build('FROM module\nENV A=1', 'on-module');
    expect(test.images.history('on-module').map((entry) => entry.tags)).toEqual([
      ['on-module:latest'],
      ['module:latest'],
    ]);
  });
});

describe('remove', () => {
  it('takes one of several names away, and the image with the last', async () => {
    const { id } = await importModule('a');
    await test.images.tag('a', 'b:1');
    expect(await remove('b:1')).toEqual([{ untagged: 'b:1' }]);
    expect(await remove('a')).toEqual([{ untagged: 'a:latest' }, { deleted: id }]);
    expect(() => test.images.get(id)).toThrow('No such image');
    expect(blobs()).toEqual([]);
    expect(test.events.slice(-3)).toEqual(['image untag b:1', 'image untag a:latest', `image delete ${id}`]);
  });

  it('by id wants force when there are several names, and then takes all', async () => {
    const { id } = await importModule('a');
    await test.images.tag('a', 'other/b');
    await expect(remove(id)).rejects.toMatchObject({
      kind: 'conflict',
      message: `conflict: unable to delete ${id.slice(7, 19)} (must be forced) - image is referenced in multiple repositories`,
    });
    expect(tags()).toEqual(['a:latest', 'other/b:latest']);
    expect(await remove(id.slice(7, 19), true)).toEqual([
      { untagged: 'a:latest' },
      { untagged: 'other/b:latest' },
      { deleted: id },
    ]);
  });

  it('takes the steps of the build along, or leaves them', async () => {
    const dockerfile = 'FROM scratch\nENV A=1\nENV B=2';
    await build(dockerfile, 't');
    expect(await remove('t')).toHaveLength(3);
    expect(list({}, true)).toEqual([]);
    await build(dockerfile, 't');
    expect(await remove('t', false, false)).toHaveLength(2);
    expect(list({}, true)).toHaveLength(1);
  });

  it('refuses an image that others are built on', async () => {
    const { id } = await importModule('base');
    await build('FROM base\nENV A=1', 'child');
    const message = `conflict: unable to delete ${id.slice(7, 19)} (cannot be forced) - image has dependent child images`;
    await expect(remove(id, true)).rejects.toMatchObject({ kind: 'conflict', message });
    // By name only the name goes.
    expect(await remove('base')).toEqual([{ untagged: 'base:latest' }]);
    // And the rest goes with the child.
    expect(await remove('child')).toEqual([
      { untagged: 'child:latest' },
      { deleted: expect.any(String) },
      { deleted: id },
    ]);
  });

  it('refuses an image that a container uses, in words that name both', async () => {
    const { id } = await importModule('t');
    const short = id.slice(7, 19);
    use(id, true);
    await expect(remove('t')).rejects.toMatchObject({
      kind: 'conflict',
      message: `conflict: unable to remove repository reference "t" (must force) - container cccccccccccc is using its referenced image ${short}`,
    });
    await expect(remove(id, true)).rejects.toThrow(
      `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container cccccccccccc`,
    );
    expect(await remove('t', true)).toEqual([{ untagged: 't:latest' }]);
    expect(test.images.get(id).repoTags).toEqual([]);
  });

  it('by force lets a stopped container keep its root file system until it goes', async () => {
    const { id } = await importModule('t');
    use(id, false);
    await expect(remove(id)).rejects.toThrow('(must be forced) - image is being used by stopped container');
    expect(await remove('t', true)).toEqual([{ untagged: 't:latest' }, { deleted: id }]);
    expect(() => test.images.get(id)).toThrow('No such image');
    expect(list({}, true)).toEqual([]);
    await test.reopen();
    expect(list({}, true)).toEqual([]);
    expect(existsSync(join(await test.images.snapshot(id), 'hello.wasm'))).toBe(true);
    test.users.length = 0;
    await test.images.sweep();
    await expect(test.images.snapshot(id)).rejects.toThrow('No such image');
    expect(snapshots()).toEqual([]);
    expect(blobs()).toEqual([]);
  });

  it('brings an image back whole when it is imported again meanwhile', async () => {
    const { id } = await importModule('t');
    use(id, false);
    await remove('t', true);
    await importModule('again');
    expect(test.images.get('again').id).toBe(id);
    test.users.length = 0;
    await test.images.sweep();
    expect(test.images.get(id).repoTags).toEqual(['again:latest']);
  });
});

describe('prune', () => {
  it('takes dangling images with their steps, and tells the bytes', async () => {
    const old = await build('FROM scratch\nCOPY f /f\nLABEL v=1', 't');
    await build('FROM scratch\nLABEL v=2', 't');
    const result = await test.images.prune(new Map());
    expect(result.deleted).toContain(old.id);
    expect(result.deleted).toHaveLength(2);
    expect(result.reclaimed).toBe(1);
    expect(tags()).toEqual(['t:latest']);
    expect(list({}, true)).toHaveLength(1);
    expect(await test.images.prune(new Map())).toEqual({ deleted: [], reclaimed: 0 });
  });

  it('with dangling=false takes all that nobody uses', async () => {
    const used = await importModule('used');
    use(used.id, false);
    const { id } = await importModule('free', 'free.wasm');
    const { deleted } = await test.images.prune(filters({ dangling: ['false'] }));
    expect(deleted).toEqual(['free:latest', id]);
    expect(tags()).toEqual(['used:latest']);
  });

  it('keeps to labels and times', async () => {
    await build('FROM scratch\nLABEL keep=1', 'k');
    await build('FROM scratch\nLABEL drop=1', 'd');
    const all = { dangling: ['false'] };
    expect((await test.images.prune(filters({ ...all, until: ['24h'] }))).deleted).toEqual([]);
    expect((await test.images.prune(filters({ ...all, 'label!': ['keep'] }))).deleted).toContain('d:latest');
    expect(tags()).toEqual(['k:latest']);
  });
});

describe('snapshots', () => {
  it('share the files of the layers below', async () => {
    await build('FROM scratch\nCOPY f /big\nLABEL a=1', 'base');
    await build('FROM base\nCOPY f /more', 'child');
    const child = await test.images.snapshot(test.images.get('child').id);
    const base = await test.images.snapshot(test.images.get('base').id);
    expect(base).not.toBe(child);
    expect(statSync(join(child, 'big')).ino).toBe(statSync(join(base, 'big')).ino);
    expect(readdirSync(base)).toEqual(['big']);
    expect(readdirSync(child)).toEqual(['big', 'more']);
  });

  it('are made once, however many ask', async () => {
    const { id } = await importModule('t');
    const paths = await Promise.all(Array.from({ length: 5 }, () => test.images.snapshot(id)));
    expect(new Set(paths).size).toBe(1);
    expect(leftovers()).toEqual([]);
  });

  it('go with the last image that needs them', async () => {
    const { id } = await importModule('t');
    await test.images.snapshot(id);
    await build('FROM t\nENV A=1', 'child');
    await remove('t');
    expect(snapshots()).toHaveLength(1);
    await remove('child');
    expect(snapshots()).toEqual([]);
  });

  it('of an image without layers is an empty directory', async () => {
    const { id } = await build('FROM scratch\nENV A=1', 'empty');
    expect(readdirSync(await test.images.snapshot(id))).toEqual([]);
  });
});

describe('after a restart', () => {
  it('everything is as it was', async () => {
    await build('FROM scratch\nCOPY f /f\nENV A=1\nLABEL b=2', 'b', 'c:1');
    const before = { list: list({}, true), history: test.images.history('b') };
    await test.reopen();
    expect({ list: list({}, true), history: test.images.history('b') }).toEqual(before);
    expect((await build('FROM scratch\nCOPY f /f\nENV A=1\nLABEL b=2', 'b')).text.match(/Using cache/g)).toHaveLength(
      3,
    );
  });

  it('what was not finished is gone, and what is whole stays', async () => {
    await importModule('t');
    writeFileSync(join(test.home, 'tmp/images/blob-77'), 'half');
    writeFileSync(join(test.home, 'content/blobs/sha256', 'a'.repeat(64)), 'nobody refers to me');
    await test.reopen();
    expect(leftovers()).toEqual([]);
    expect(blobs()).toHaveLength(3);
    expect(tags()).toEqual(['t:latest']);
  });

  it('an image whose blobs are missing is on the list, damaged, with a note; the others stay', async () => {
    const { layers } = await importModule('broken');
    await importModule('fine', 'fine.wasm');
    rmSync(join(test.home, 'content/blobs/sha256', (layers[0] ?? '').slice(7)));
    const notes: string[] = [];
    const images = await openImages({
      home: test.home,
      emit: () => undefined,
      usedBy: () => [],
      note: (sentence) => notes.push(sentence),
    });
    expect(images.get('broken').damage).toEqual([layers[0]]);
    expect(images.get('fine').damage).toEqual([]);
    expect(notes).toEqual([`the image broken:latest is damaged: ${layers[0]} is not there`]);
    await images.close();
  });

  it('a list that cannot be read stops the opening, and nothing is thrown away', async () => {
    await importModule('t');
    writeFileSync(join(test.home, 'content/index.json'), '{"manifests": [');
    await expect(test.reopen()).rejects.toMatchObject({
      kind: 'damaged',
      message: expect.stringContaining('index.json'),
    });
    expect(blobs()).toHaveLength(3);
  });

  it('a kill -9 in the middle of work leaves a store that opens', async () => {
    const script = fileURLToPath(import.meta.resolve('./testing-worker.ts'));
    for (let round = 0; round < 3; round++) {
      const worker = spawn(process.execPath, [script, test.home], { stdio: ['ignore', 'pipe', 'inherit'] });
      const exit = once(worker, 'exit');
      let seen = 0;
      await new Promise<void>((resolve) => {
        worker.stdout.on('data', (chunk) => {
          seen += String(chunk).split('\n').length - 1;
          // Builds go on while the signal is on its way.
          if (seen >= 3 + round) resolve();
        });
        worker.stdout.on('end', resolve);
      });
      worker.kill('SIGKILL');
      expect(await exit).toEqual([null, 'SIGKILL']);
      await test.reopen();
      expect(leftovers()).toEqual([]);
      for (const image of list()) expect(readdirSync(await test.images.snapshot(image.id))).toContain('f');
      expect(tags().length).toBeGreaterThanOrEqual(3);
    }
  });
});

describe('the store on disk', () => {
  it('is an image layout that other tools read', async () => {
    await importModule('hello:1');
    const tool = 'skopeo';
    let version: string;
    try {
      version = execFileSync(tool, ['--version'], { encoding: 'utf8' });
    } catch (error) {
      if (process.env['CI'] === 'true') throw error;
      return;
    }
    expect(version).toContain('skopeo');
    const inspected = execFileSync(tool, ['inspect', '--config', `oci:${join(test.home, 'content')}:1`], {
      encoding: 'utf8',
    });
    expect(JSON.parse(inspected)).toMatchObject({ os: 'wasi', architecture: 'wasm' });
  });
});
