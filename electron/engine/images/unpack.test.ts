import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { linkTree } from './link-tree.ts';
import { streamOf, tarOf, type TarItem } from './testing.ts';
import { unpackLayer } from './unpack.ts';

let directory: string;
let root: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'drydock-unpack-'));
  root = join(directory, 'root');
  await mkdir(root);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const apply = async (...items: TarItem[]) => unpackLayer(streamOf(await tarOf(items)), root);
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** Everything under the test's directory but not in the root: must stay empty. */
const outside = () => readdirSync(directory).filter((name) => name !== 'root');

describe('unpackLayer', () => {
  it('writes files, directories and links with their modes and times', async () => {
    const { bytes } = await apply(
      { name: 'bin/', type: 'directory', mode: 0o700 },
      { name: 'bin/tool', mode: 0o755, content: 'hello' },
      { name: './etc/deep/conf', content: 'x', pax: { mtime: '1577836800.25' } },
      { name: 'link', type: 'symlink', linkname: 'bin/tool' },
      { name: 'hard', type: 'link', linkname: 'bin/tool' },
      { name: 'empty', content: '' },
    );
    expect(bytes).toBe(6);
    expect(read('bin/tool')).toBe('hello');
    expect(statSync(join(root, 'bin/tool')).mode & 0o777).toBe(0o755);
    expect(statSync(join(root, 'bin')).mode & 0o777).toBe(0o700);
    expect(statSync(join(root, 'bin')).mtime).toEqual(new Date('2020-01-01T00:00:00Z'));
    expect(statSync(join(root, 'etc/deep/conf')).mtimeMs).toBe(1_577_836_800_250);
    expect(lstatSync(join(root, 'link')).isSymbolicLink()).toBe(true);
    expect(statSync(join(root, 'hard')).ino).toBe(statSync(join(root, 'bin/tool')).ino);
    expect(read('empty')).toBe('');
  });

  it('leaves out special mode bits and keeps everything removable', async () => {
    await apply({ name: 'd/', type: 'directory', mode: 0o000 }, { name: 'd/su', mode: 0o4555, content: 'x' });
    expect(statSync(join(root, 'd/su')).mode & 0o7777).toBe(0o555);
    expect(statSync(join(root, 'd')).mode & 0o700).toBe(0o700);
  });

  it('replaces what a lower layer has: file by directory, directory by file, link by file', async () => {
    await apply(
      { name: 'a', content: 'file' },
      { name: 'b/c', content: 'x' },
      { name: 'l', type: 'symlink', linkname: 'a' },
    );
    await apply({ name: 'a/', type: 'directory' }, { name: 'b', content: 'now a file' }, { name: 'l', content: 'own' });
    expect(statSync(join(root, 'a')).isDirectory()).toBe(true);
    expect(read('b')).toBe('now a file');
    expect(lstatSync(join(root, 'l')).isFile()).toBe(true);
    expect(read('l')).toBe('own');
  });

  it('applies whiteouts to lower layers only', async () => {
    await apply({ name: 'a', content: '1' }, { name: 'd/x', content: '1' }, { name: 'd/y', content: '1' });
    await apply({ name: 'd/x', content: '2' }, { name: 'd/.wh.x' }, { name: '.wh.a' }, { name: 'd/.wh.gone' });
    expect(existsSync(join(root, 'a'))).toBe(false);
    expect(read('d/x')).toBe('2');
    expect(read('d/y')).toBe('1');
    expect(readdirSync(root)).toEqual(['d']);
  });

  it('applies opaque directories, wherever the mark stands', async () => {
    await apply({ name: 'd/low', content: '1' }, { name: 'd/sub/low', content: '1' });
    await apply({ name: 'd/sub/high', content: '2' }, { name: 'd/.wh..wh..opq' }, { name: 'd/after', content: '2' });
    expect(readdirSync(join(root, 'd')).sort()).toEqual(['after', 'sub']);
    expect(readdirSync(join(root, 'd/sub'))).toEqual(['high']);
  });

  it('follows a linked parent inside the root', async () => {
    await apply({ name: 'usr/lib/a', content: '1' }, { name: 'lib', type: 'symlink', linkname: 'usr/lib' });
    await apply({ name: 'lib/b', content: '2' });
    expect(read('usr/lib/b')).toBe('2');
    await apply({ name: 'abs', type: 'symlink', linkname: '/usr' }, { name: 'abs/lib/c', content: '3' });
    expect(read('usr/lib/c')).toBe('3');
  });

  it('never lets a linked parent lead out', async () => {
    // Absolute targets are relative to the root: /tmp here is root/tmp.
    await apply({ name: 'out', type: 'symlink', linkname: directory }, { name: 'out/evil', content: 'x' });
    expect(outside()).toEqual([]);
    expect(read(join(directory.slice(1), 'evil'))).toBe('x');
  });

  it('does not set modes through a link that took the place of a directory', async () => {
    const victim = join(directory, 'victim');
    await mkdir(victim, { mode: 0o755 });
    await apply(
      { name: 'd/', type: 'directory' },
      { name: 'd/victim/', type: 'directory', mode: 0o700 },
      { name: 'd', type: 'symlink', linkname: directory },
    );
    expect(statSync(victim).mode & 0o777).toBe(0o755);
  });

  it.each<[string, TarItem[]]>([
    ['leads upwards', [{ name: '../evil', content: 'x' }]],
    ['leads upwards', [{ name: 'a/../../evil', content: 'x' }]],
    [
      'leads upwards',
      [
        { name: 'ok', content: 'x' },
        { name: 'hard', type: 'link', linkname: '../evil' },
      ],
    ],
    ['is absolute', [{ name: '/evil', content: 'x' }]],
    ['NUL', [{ name: 'x', content: 'x', pax: { path: 'ev\0il' } }]],
    ['link out of the root', [{ name: 'l', type: 'symlink', linkname: '../evil' }]],
    ['link out of the root', [{ name: 'a/l', type: 'symlink', linkname: 'b/../../../evil' }]],
    ['which does not exist', [{ name: 'hard', type: 'link', linkname: 'nowhere' }]],
    [
      'hard link to a directory',
      [
        { name: 'd/', type: 'directory' },
        { name: 'hard', type: 'link', linkname: 'd' },
      ],
    ],
    ['devices', [{ name: 'dev/null', type: 'character-device', devmajor: 1, devminor: 3 }]],
    ['devices', [{ name: 'disk', type: 'block-device' }]],
    ['devices', [{ name: 'pipe', type: 'fifo' }]],
    ['whiteout of no name', [{ name: '.wh...' }]],
    ['whiteout of no name', [{ name: 'd/.wh.' }]],
    [
      'too many symbolic links',
      [
        { name: 'a', type: 'symlink', linkname: 'b' },
        { name: 'b', type: 'symlink', linkname: 'a' },
        { name: 'a/x', content: '' },
      ],
    ],
    [
      'is a file, not a directory',
      [
        { name: 'f', content: 'x' },
        { name: 'f/x', content: 'x' },
      ],
    ],
  ])('refuses an entry that %s', async (message, items) => {
    await expect(apply(...items)).rejects.toMatchObject({ kind: 'invalid', message: expect.stringContaining(message) });
    expect(outside()).toEqual([]);
  });

  it('names the entry that it refuses', async () => {
    await expect(apply({ name: 'fine', content: '' }, { name: 'dir/../../evil' })).rejects.toMatchObject({
      message: expect.stringContaining('"dir/../../evil"'),
      data: { entry: 'dir/../../evil' },
    });
  });

  it('refuses what is no tar and what ends early', async () => {
    await expect(unpackLayer(streamOf(Buffer.alloc(2000, 'x')), root)).rejects.toThrow('not a whole tar archive');
    const whole = await tarOf([{ name: 'a', content: 'x'.repeat(3000) }]);
    await expect(unpackLayer(streamOf(whole.subarray(0, 1500)), root)).rejects.toThrow('not a whole tar archive');
  });

  it('inflates gzip and zstd and checks what comes out', async () => {
    const tar = await tarOf([{ name: 'a', content: 'hello' }]);
    const diffId = `sha256:${createHash('sha256').update(tar).digest('hex')}`;
    for (const packed of [gzipSync(tar), zstdCompressSync(tar)]) {
      await unpackLayer(streamOf(packed, 100), root, diffId);
      expect(read('a')).toBe('hello');
    }
    await expect(unpackLayer(streamOf(gzipSync(tar)), root, `sha256:${'0'.repeat(64)}`)).rejects.toMatchObject({
      kind: 'damaged',
    });
    await expect(unpackLayer(streamOf(gzipSync(tar).subarray(0, 60)), root)).rejects.toThrow('cannot be inflated');
  });

  it('passes on the error of a source that breaks', async () => {
    const broken = async function* () {
      yield (await tarOf([{ name: 'a', content: 'x' }])).subarray(0, 512);
      throw new Error('the network went away');
    };
    await expect(unpackLayer(broken(), root)).rejects.toThrow('the network went away');
  });
});

describe('linkTree', () => {
  it('shares files, and a later layer does not touch the shared ones', async () => {
    await apply(
      { name: 'd/', type: 'directory', mode: 0o750 },
      { name: 'd/a', content: 'one' },
      { name: 'd/b', content: 'keep' },
      { name: 'l', type: 'symlink', linkname: 'd/a' },
    );
    const copy = join(directory, 'copy');
    await mkdir(copy);
    await linkTree(root, copy);
    expect(statSync(join(copy, 'd/a')).ino).toBe(statSync(join(root, 'd/a')).ino);
    expect(statSync(join(copy, 'd')).mode & 0o777).toBe(0o750);
    expect(statSync(join(copy, 'd')).mtime).toEqual(new Date('2020-01-01T00:00:00Z'));
    await unpackLayer(streamOf(await tarOf([{ name: 'd/a', content: 'two', mode: 0o777 }, { name: 'd/.wh.b' }])), copy);
    expect(read('d/a')).toBe('one');
    expect(statSync(join(root, 'd/a')).mode & 0o777).toBe(0o644);
    expect(read('d/b')).toBe('keep');
    expect(readFileSync(join(copy, 'l'), 'utf8')).toBe('two');
  });
});
