import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DrydockError, toDrydockError } from '../../electron/base/errors.ts';
import { openTestEngine, type TestEngine } from '../../electron/engine/containers/testing.ts';
import { buildOptions, collect, streamOf } from '../../electron/engine/images/testing.ts';
import { base256, dockerArchive, gzipBomb, rawEntry, rawTar, tarEnd, type RawEntry } from '../support/raw-tar.ts';

/** Everything through which an archive of somebody else's comes in. */
const doors = ['layer', 'archive', 'import', 'context', 'add', 'cp'] as const;
type Door = (typeof doors)[number];

let base: string;
let outside: string;
let engine: TestEngine;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'drydock-hostile-'));
  outside = join(base, 'outside');
  mkdirSync(join(outside, 'd'), { recursive: true });
  writeFileSync(join(outside, 'file'), 'untouched', { mode: 0o640 });
  writeFileSync(join(outside, 'd', 'inner'), 'untouched too');
  engine = await openTestEngine();
});
afterAll(async () => {
  await engine?.engine.close();
  rmSync(base, { recursive: true, force: true });
});

/** Names, kinds, modes, times, targets and bytes of a tree. */
function fingerprint(root: string): string {
  const hash = createHash('sha256');
  const walk = (path: string): void => {
    for (const name of readdirSync(path).sort()) {
      const at = join(path, name);
      const { mode, mtimeMs, nlink } = lstatSync(at);
      hash.update(`${at} ${mode} ${mtimeMs} ${nlink}\0`);
      if (lstatSync(at).isDirectory()) walk(at);
      else hash.update(lstatSync(at).isSymbolicLink() ? readlinkSync(at) : readFileSync(at));
    }
  };
  walk(root);
  return hash.digest('hex');
}

/** What no tree of ours may hold: devices, pipes, bits that lend somebody's rights. */
function special(root: string): string[] {
  return readdirSync(root).flatMap((name) => {
    const path = join(root, name);
    const found = lstatSync(path);
    if (found.isDirectory()) return [...((found.mode & 0o6000) === 0 ? [] : [path]), ...special(path)];
    return found.isSymbolicLink() || (found.isFile() && (found.mode & 0o6000) === 0) ? [] : [path];
  });
}

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Brings the archive in, uses what came of it, and takes it away again. @throws what the door says */
async function through(door: Door, tar: Buffer, options: { readonly diffId?: string } = {}): Promise<void> {
  const { images, containers } = engine.engine;
  const used = async (id: string): Promise<void> => {
    try {
      expect(special(await images.snapshot(id))).toEqual([]);
    } finally {
      await images.remove(id, { force: true, prune: true });
    }
  };
  const load = async (archive: Buffer): Promise<void> => {
    for (const { id } of await Array.fromAsync(images.load(streamOf(archive, 65_536)))) await used(id);
  };
  const build = async (context: Buffer): Promise<void> => {
    const events = images.build({ ...buildOptions, noCache: true }, streamOf(context, 65_536));
    await used((await collect(events)).id);
  };
  const dockerfile = (text: string): Buffer => rawEntry({ name: 'Dockerfile', body: text });
  switch (door) {
    case 'layer':
      return load(dockerArchive(tar, options));
    case 'archive':
      // Its own end would be the end of all.
      return load(dockerArchive(rawTar({ name: 'm.wasm', body: 'm' }), { before: withoutEnd(tar) }));
    case 'import':
      return used(
        (await images.importRoot(streamOf(tar, 65_536), { reference: '', message: '', changes: [], platform: '' })).id,
      );
    case 'context':
      return build(Buffer.concat([dockerfile('FROM scratch\nCOPY . /\n'), tar]));
    case 'add':
      return build(Buffer.concat([dockerfile('FROM scratch\nADD a.tar /\n'), rawTar({ name: 'a.tar', body: tar })]));
    case 'cp': {
      const { id } = await containers.create({ image: 'app' });
      try {
        await containers.extract(id, '/', streamOf(tar, 65_536), { keepKinds: false });
      } finally {
        expect(special(join(engine.home, 'containers', id, 'upper'))).toEqual([]);
        await containers.remove(id, { force: true, volumes: true });
      }
    }
  }
}

const withoutEnd = (tar: Buffer): Buffer => (tar.subarray(-1024).equals(tarEnd) ? tar.subarray(0, -1024) : tar);

interface Case {
  readonly what: string;
  readonly entries: () => readonly RawEntry[] | Buffer;
  /** Doors that refuse it; the others take it and nothing of it gets out. */
  readonly refusedBy: 'all' | readonly Door[];
  /** What a refusal names. */
  readonly named?: string;
}

/** All but the archive around an image, of which only the files that its manifest names are used. */
const writing: readonly Door[] = ['layer', 'import', 'context', 'add', 'cp'];
const up = '../'.repeat(30);
const leaf = (name: string, more: RawEntry = {}): RawEntry => ({ name, body: 'x', ...more });
const link = (name: string, linkname: string): RawEntry => ({ name, type: '2', linkname });
const hard = (name: string, linkname: string): RawEntry => ({ name, type: '1', linkname });
const directory = (name: string, mode = 0o755): RawEntry => ({ name: `${name}/`, type: '5', mode });

const cases: readonly Case[] = [
  // Names that lead out.
  { what: 'a name that leads upwards', entries: () => [leaf('../evil')], refusedBy: 'all', named: '../evil' },
  {
    what: 'a detour upwards',
    entries: () => [leaf('a/b/../../../evil')],
    refusedBy: 'all',
    named: 'a/b/../../../evil',
  },
  { what: 'only dots', entries: () => [leaf('..')], refusedBy: 'all', named: '..' },
  { what: 'an absolute name', entries: () => [leaf(`${outside}/made`)], refusedBy: 'all' },
  {
    what: 'a prefix that leads upwards',
    entries: () => [leaf('evil', { prefix: '../../x' })],
    refusedBy: 'all',
    named: '../../x/evil',
  },
  {
    what: 'a pax path that leads upwards',
    entries: () => [leaf('fine', { pax: { path: '../evil' } })],
    refusedBy: 'all',
    named: '../evil',
  },
  {
    what: 'a long name of GNU that leads upwards',
    entries: () => [{ name: '././@LongLink', type: 'L', body: '../evil\0' }, leaf('fine')],
    refusedBy: 'all',
    named: '../evil',
  },
  { what: 'backslashes, which are no separators here', entries: () => [leaf('..\\..\\evil')], refusedBy: [] },
  // Links that lead out.
  {
    what: 'a relative link that leads out',
    entries: () => [link('l', `${up}${outside}`)],
    refusedBy: ['layer', 'import', 'context', 'add'],
    named: 'l',
  },
  {
    what: 'a relative link out, and a file through it',
    entries: () => [link('l', `${up}${outside}`), leaf('l/made'), leaf('l/file')],
    refusedBy: ['layer', 'import', 'add', 'cp'],
  },
  {
    what: 'an absolute link, and files through it',
    entries: () => [link('abs', outside), leaf('abs/made'), leaf('abs/file')],
    refusedBy: ['cp'],
  },
  {
    what: 'an absolute link to a file, written through',
    entries: () => [link('abs', `${outside}/file`), leaf('abs')],
    refusedBy: [],
  },
  {
    what: 'links by way of links',
    entries: () => [link('a', 'b'), link('b', 'c'), link('c', outside), leaf('a/made')],
    refusedBy: ['cp'],
  },
  {
    what: 'a link to a directory above that the archive made',
    entries: () => [
      directory('d'),
      directory('d/e'),
      link('d/e/up', '..'),
      link('d/e/up/up2', '../..'),
      leaf('d/e/up/up2/made'),
    ],
    refusedBy: [],
  },
  {
    what: 'a link in a circle, and a file through it',
    entries: () => [link('a', 'b'), link('b', 'a'), leaf('a/made')],
    refusedBy: ['layer', 'import', 'add', 'cp'],
  },
  {
    what: 'a directory that becomes a link, with a mode',
    entries: () => [directory('d', 0o777), link('d', outside), directory('d', 0o777)],
    refusedBy: [],
  },
  { what: 'a hard link that leads upwards', entries: () => [hard('h', `../../..${outside}/file`)], refusedBy: 'all' },
  {
    what: 'a hard link to an absolute name, then written',
    entries: () => [hard('h', `${outside}/file`), leaf('h')],
    refusedBy: 'all',
  },
  {
    what: 'a hard link through a link that leads out',
    entries: () => [link('l', outside), hard('h', 'l/file'), leaf('h')],
    refusedBy: writing,
  },
  {
    what: 'a hard link to a link that leads out, then written',
    entries: () => [link('l', `${outside}/file`), hard('h', 'l'), leaf('h')],
    refusedBy: [],
  },
  {
    what: 'a hard link to a directory',
    entries: () => [directory('d'), hard('h', 'd')],
    refusedBy: ['layer', 'import', 'add', 'cp'],
  },
  { what: 'a hard link to itself', entries: () => [hard('h', 'h')], refusedBy: ['context'] },
  { what: 'a link to nothing', entries: () => [link('l', '')], refusedBy: writing },
  {
    what: 'a pax link target that leads out',
    entries: () => [{ ...link('l', 'fine'), pax: { linkpath: `${up}${outside}` } }],
    refusedBy: ['layer', 'import', 'context', 'add'],
  },
  // Special files and bits.
  { what: 'a character device', entries: () => [{ name: 'dev', type: '3' }], refusedBy: writing, named: 'dev' },
  { what: 'a block device', entries: () => [{ name: 'dev', type: '4' }], refusedBy: writing, named: 'dev' },
  { what: 'a pipe', entries: () => [{ name: 'pipe', type: '6' }], refusedBy: writing, named: 'pipe' },
  { what: 'a type that nobody knows', entries: () => [{ name: 'odd', type: 'Q' }], refusedBy: writing, named: 'odd' },
  { what: 'set-user-id bits', entries: () => [leaf('su', { mode: 0o6755 }), directory('sd', 0o7777)], refusedBy: [] },
  { what: 'a directory that nobody may enter', entries: () => [directory('d', 0), leaf('d/f')], refusedBy: [] },
  {
    what: 'extended attributes',
    entries: () => [
      leaf('f', { pax: { 'SCHILY.xattr.security.capability': '\u0001\0\0\u0002', 'LIBARCHIVE.xattr.user.x': 'eA' } }),
    ],
    refusedBy: [],
  },
  // Whiteouts.
  { what: 'a whiteout of the parent', entries: () => [leaf('d/.wh...')], refusedBy: writing, named: 'd/.wh...' },
  { what: 'a whiteout of the directory itself', entries: () => [leaf('.wh..')], refusedBy: writing, named: '.wh..' },
  { what: 'a whiteout of no name', entries: () => [leaf('.wh.')], refusedBy: writing, named: '.wh.' },
  {
    what: 'a whiteout through a link that leads out',
    entries: () => [link('l', outside), leaf('l/.wh.file'), leaf('l/.wh.d')],
    refusedBy: ['cp'],
  },
  {
    what: 'an opaque mark through a link that leads out',
    entries: () => [link('l', outside), leaf('l/.wh..wh..opq')],
    refusedBy: ['cp'],
  },
  {
    what: 'an opaque mark that is a directory',
    entries: () => [directory('d'), directory('d/.wh..wh..opq'), leaf('d/.wh..wh..opq/f')],
    refusedBy: ['cp'],
  },
  // Names.
  {
    what: 'the same name many times',
    entries: () => [
      leaf('n'),
      directory('n'),
      link('n', outside),
      leaf('n'),
      hard('n', 'n'),
      leaf('n', { body: 'last' }),
    ],
    refusedBy: [],
  },
  { what: 'names that collide on case', entries: () => [leaf('Name'), leaf('name'), directory('NAME')], refusedBy: [] },
  {
    what: 'a file where a directory should be',
    entries: () => [leaf('a'), leaf('a/b')],
    refusedBy: ['layer', 'import', 'add', 'cp'],
  },
  { what: 'a name with NUL', entries: () => [leaf('f', { pax: { path: 'ev\0il' } })], refusedBy: 'all' },
  {
    what: 'a link target with NUL',
    entries: () => [{ ...link('l', 'x'), pax: { linkpath: 'ev\0il' } }],
    refusedBy: writing,
  },
  {
    what: 'a name that is not UTF-8',
    entries: () => [leaf('x', { name: Buffer.from([0x66, 0xff, 0xfe]) })],
    refusedBy: 'all',
    named: 'fÿþ',
  },
  {
    what: 'a link target that is not UTF-8',
    entries: () => [{ name: 'l', type: '2', linkname: Buffer.from([0xff]) }],
    refusedBy: 'all',
    named: 'l',
  },
  { what: 'half a surrogate', entries: () => [leaf('x', { name: Buffer.from([0xed, 0xa0, 0x80]) })], refusedBy: 'all' },
  {
    what: 'a pax name of 100 KB',
    entries: () => [leaf('x', { pax: { path: 'n'.repeat(100_000) } })],
    refusedBy: 'all',
  },
  {
    what: 'a path of 100 KB',
    entries: () => [leaf('x', { pax: { path: 'd/'.repeat(50_000) + 'f' } })],
    refusedBy: 'all',
  },
  {
    what: 'a path of 1000 directories',
    entries: () => [leaf('x', { pax: { path: 'd/'.repeat(1000) + 'f' } })],
    refusedBy: [],
  },
  { what: 'a name of 256 bytes', entries: () => [leaf('x', { pax: { path: 'é'.repeat(128) } })], refusedBy: 'all' },
  { what: 'a name of 255 bytes', entries: () => [leaf('x', { pax: { path: `${'é'.repeat(127)}e` } })], refusedBy: [] },
  {
    what: 'a link target of 100 KB',
    entries: () => [{ ...link('l', 'x'), pax: { linkpath: '/n'.repeat(50_000) } }],
    refusedBy: writing,
  },
  {
    what: 'no name at all',
    entries: () => [leaf('x', { name: '' }), leaf('x', { name: './' }), directory('.')],
    refusedBy: ['cp'],
  },
  // Headers.
  { what: 'a sparse file of GNU', entries: () => [leaf('s', { type: 'S' })], refusedBy: 'all', named: 's' },
  {
    what: 'a sparse file in pax headers',
    entries: () => [
      leaf('s', {
        pax: {
          'GNU.sparse.major': '1',
          'GNU.sparse.minor': '0',
          'GNU.sparse.name': 's',
          'GNU.sparse.realsize': '10000000000',
        },
      }),
    ],
    refusedBy: 'all',
    named: 's',
  },
  {
    what: 'a pax size that swallows the next entry',
    entries: () => [leaf('a', { pax: { size: '1024' } }), leaf('hidden'), leaf('b')],
    refusedBy: 'all',
  },
  {
    what: 'a pax size that is none',
    entries: () => [leaf('a', { pax: { size: '-1' } })],
    refusedBy: 'all',
    named: 'a',
  },
  { what: 'a pax size in words', entries: () => [leaf('a', { pax: { size: '1e3' } })], refusedBy: 'all', named: 'a' },
  { what: 'a negative size', entries: () => [leaf('a', { size: base256(-512n) })], refusedBy: 'all', named: 'a' },
  {
    what: 'a size beyond all numbers',
    entries: () => [leaf('a', { size: base256(1n << 70n) })],
    refusedBy: 'all',
    named: 'a',
  },
  {
    what: 'a size that is no number',
    entries: () => [leaf('a', { size: Buffer.from('12 34x') })],
    refusedBy: 'all',
    named: 'a',
  },
  {
    what: 'ten gigabytes claimed, four bytes there',
    entries: () => Buffer.concat([rawEntry(leaf('big', { size: base256(10_000_000_000n) })), tarEnd]),
    refusedBy: 'all',
    named: 'big',
  },
  { what: 'a directory with a size', entries: () => [{ ...directory('d'), size: 512 }, leaf('d/f')], refusedBy: [] },
  {
    what: 'a pax header of four gigabytes',
    entries: () => [{ name: 'p', type: 'x', size: base256(1n << 32n) }],
    refusedBy: 'all',
  },
  {
    what: 'a long name of two megabytes',
    entries: () => [{ name: 'p', type: 'L', body: 'n'.repeat(2 << 20) }, leaf('f')],
    refusedBy: 'all',
  },
  {
    what: 'a pax header of rubbish',
    entries: () => [{ name: 'p', type: 'x', body: 'rubbish' }, leaf('f')],
    refusedBy: 'all',
  },
  {
    what: 'a pax record that claims more than there is',
    entries: () => [{ name: 'p', type: 'x', body: '999 path=x\n' }, leaf('f')],
    refusedBy: 'all',
  },
  {
    what: 'a pax record of length nought',
    entries: () => [{ name: 'p', type: 'x', body: '0 path=x\n' }, leaf('f')],
    refusedBy: 'all',
  },
  {
    what: 'a global pax header that leads upwards',
    entries: () => [{ name: 'g', type: 'g', body: '16 path=../evil\n' }, leaf('f')],
    refusedBy: 'all',
    named: '../evil',
  },
  {
    what: 'a pax header of nothing',
    entries: () => rawEntry({ name: 'p', type: 'x', body: '10 path=x\n' }),
    refusedBy: 'all',
  },
  {
    what: 'times that no calendar has',
    entries: () => [
      leaf('a', { pax: { mtime: '1e300' } }),
      leaf('b', { mtime: Buffer.from('zzz') }),
      leaf('c', { pax: { mtime: 'NaN' } }),
      leaf('d', { pax: { mtime: '-5' } }),
    ],
    refusedBy: [],
  },
  {
    what: 'a wrong checksum',
    entries: () => {
      const tar = rawTar(leaf('f'));
      tar[1] = 0x7a;
      return tar;
    },
    refusedBy: ['layer', 'archive', 'import', 'context', 'cp'],
  },
  { what: 'the header of V7', entries: () => [leaf('f', { magic: '' })], refusedBy: [] },
  // The end.
  {
    what: 'rubbish after the end',
    entries: () => Buffer.concat([rawTar(leaf('f')), Buffer.alloc(3000, 0x41)]),
    refusedBy: ['archive'],
  },
  {
    what: 'an archive after the end',
    entries: () => Buffer.concat([rawTar(leaf('f')), rawTar(leaf('../evil'))]),
    refusedBy: ['archive'],
  },
  {
    what: 'something after half an end',
    entries: () => Buffer.concat([rawEntry(leaf('f')), Buffer.alloc(512), rawTar(leaf('g'))]),
    refusedBy: 'all',
  },
  {
    what: 'rubbish',
    entries: () => Buffer.alloc(5000, 0x41),
    refusedBy: ['layer', 'archive', 'import', 'context', 'cp'],
  },
];

describe.each(cases)('$what', ({ entries, refusedBy, named }) => {
  test.each(doors)('%s', async (door) => {
    const before = fingerprint(outside);
    const made = entries();
    const tar = Buffer.isBuffer(made) ? made : rawTar(...(made as readonly RawEntry[]));
    const failure = await through(door, tar).then(
      () => undefined,
      (error: unknown) => toDrydockError(error),
    );
    expect(fingerprint(outside)).toBe(before);
    if (refusedBy === 'all' || refusedBy.includes(door)) {
      expect(failure).toBeInstanceOf(DrydockError);
      // What the container's own file system refuses has kinds of its own.
      expect(door === 'cp' ? ['invalid', 'denied', 'notFound'] : ['invalid']).toContain(failure?.kind);
      if (named !== undefined) expect(failure?.message).toContain(door === 'cp' ? named : JSON.stringify(named));
    } else expect(failure).toBeUndefined();
  });
});

describe('cut off at every block', () => {
  const whole = (): Buffer =>
    rawTar(
      directory('d'),
      leaf('d/a', { body: 'a'.repeat(700) }),
      leaf('d/b', { pax: { path: `d/${'long'.repeat(40)}` } }),
      { name: '././@LongLink', type: 'L', body: `${'n'.repeat(120)}\0` },
      leaf('cut'),
      link('l', 'd/a'),
      hard('h', 'd/a'),
      leaf('z', { body: 'z'.repeat(512) }),
    );

  test.each(doors)('%s: refused, or whole up to an entry', async (door) => {
    const tar = whole();
    let refused = 0;
    for (let at = 512; at < tar.length; at += 512) {
      const failure = await through(door, tar.subarray(0, at)).then(
        () => undefined,
        (error: unknown) => toDrydockError(error),
      );
      if (failure) expect(failure.kind).toBe('invalid');
      refused += failure ? 1 : 0;
    }
    // In the body of a file, behind a header of headers, before what an archive of images must have.
    expect(refused).toBeGreaterThanOrEqual(5);
    const left = engine.engine.images.list({ all: false, filters: new Map() });
    expect(left.map(({ repoTags }) => repoTags)).toEqual([['app:latest']]);
  });
});

describe('what swells', () => {
  const disk = (): string[] => readdirSync(join(engine.home, 'tmp/images'));
  /** Of ten gigabytes of zeros. */
  const bombs: readonly (readonly [string, () => Buffer])[] = [
    ['gzip', () => gzipBomb(10 * 2 ** 30)],
    [
      'zstd',
      () => {
        const zeros = zstdCompressSync(Buffer.alloc(64 << 20));
        const head = zstdCompressSync(rawEntry({ name: 'zeros', size: base256(10n << 30n) }));
        return Buffer.concat([head, ...Array.from({ length: 160 }, () => zeros)]);
      },
    ],
  ];
  const taking: readonly (readonly [Door, string, () => Buffer])[] = [
    ...bombs.flatMap(([kind, make]) => (['layer', 'import'] as const).map((door) => [door, kind, make] as const)),
    ['context', 'zstd', bombs[1]?.[1] ?? (() => Buffer.alloc(0))],
    ['add', 'zstd', bombs[1]?.[1] ?? (() => Buffer.alloc(0))],
    ['cp', 'zstd', bombs[1]?.[1] ?? (() => Buffer.alloc(0))],
  ];
  test.each(taking)('%s refuses a bomb of %s, and keeps nothing', async (door, _, make) => {
    const bomb = make();
    expect(bomb.length).toBeLessThan(12 << 20);
    // A context is compressed whole; elsewhere the bomb is a part of one.
    const tar = bomb;
    const failure = await (
      door === 'context'
        ? collect(engine.engine.images.build(buildOptions, streamOf(tar, 65_536))).then(() => undefined)
        : through(door, tar, { diffId: `sha256:${'0'.repeat(64)}` })
    ).catch((error: unknown) => toDrydockError(error));
    expect(failure).toMatchObject({ kind: 'invalid', message: expect.stringContaining('swells') });
    expect(disk()).toEqual([]);
  });

  test('zeros that are meant pass: 200 MB that compress to 200 KB', async () => {
    const tar = Buffer.concat([rawEntry(leaf('zeros', { body: Buffer.alloc(200 << 20) })), tarEnd]);
    await through('layer', zstdCompressSync(tar), { diffId: sha256(tar) });
  });
});

test('a million entries take the memory of a few', async () => {
  const script = `
    import { mkdtempSync, rmSync } from 'node:fs';
    import { tmpdir } from 'node:os';
    import { join } from 'node:path';
    import { unpackLayer } from ${JSON.stringify(new URL('../../electron/engine/images/unpack.ts', import.meta.url).href)};
    import { rawEntry } from ${JSON.stringify(new URL('../support/raw-tar.ts', import.meta.url).href)};
    async function* million() {
      const one = rawEntry({ name: '.wh.0000000' });
      for (let at = 0; at < 1_000_000; at += 1000) {
        const many = Buffer.alloc(512 * 1000);
        for (let i = 0; i < 1000; i++) {
          one.copy(many, i * 512);
          many.write(String(at + i).padStart(7, '0'), i * 512 + 4);
          many.write('        ', i * 512 + 148);
          let sum = 0;
          for (let k = 0; k < 512; k++) sum += many[i * 512 + k];
          many.write(sum.toString(8).padStart(6, '0') + '\\0 ', i * 512 + 148);
        }
        yield many;
      }
      yield Buffer.alloc(1024);
    }
    const root = mkdtempSync(join(tmpdir(), 'drydock-million-'));
    await unpackLayer(million(), root);
    rmSync(root, { recursive: true });
    console.log('done');
  `;
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--max-old-space-size=48',
      '--input-type=module-typescript',
      '-e',
      script,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
  expect(out).toBe('done\n');
});
