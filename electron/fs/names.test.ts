import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Directory } from './directory.ts';
import type { MountTable } from './mount-table.ts';
import { failure, namesIn, readText, Scratch, waysOfHolding, writeText } from './testing.ts';
import { isMark } from './whiteout.ts';

const tmpfs = { type: 'tmpfs', target: '/tmp', readOnly: false } as const;
/** An overlay's root with and without anything below, a bind, memory. */
const places = ['/', '/fresh/', '/mnt/', '/tmp/'];

/** All that can be done with a name, to be undone at the end. */
function useName(table: MountTable, base: string, name: string): void {
  const { root } = table;
  const path = base + name;
  writeText(table, path, 'text');
  expect(namesIn(table, base)).toContain(name);
  expect(readText(table, path)).toBe('text');
  table.rename(root, path, root, `${base}short`);
  table.rename(root, `${base}short`, root, path);
  table.link(root, path, { follow: false }, root, `${base}second`);
  table.symlink(name, root, `${base}link`);
  expect(table.readLink(root, `${base}link`)).toBe(name);
  expect(readText(table, `${base}link`)).toBe('text');
  for (const gone of ['second', 'link', name]) table.unlink(root, base + gone);
  expect(failure(() => readText(table, path))).toBe('ENOENT');
  table.makeDirectory(root, path);
  writeText(table, `${path}/inside`, 'inside');
  expect(readText(table, `${path}/inside`)).toBe('inside');
  table.unlink(root, `${path}/inside`);
  table.removeDirectory(root, path);
  expect(namesIn(table, base)).not.toContain(name);
}

describe.each(waysOfHolding)('names, held by %s', (_way, descriptors) => {
  it.each([251, 252, 255])('may have %i bytes, also where the image has them', (length) => {
    const name = 'n'.repeat(length);
    using at = new Scratch(descriptors, { lower: { [name]: 'image', [`d/${name}`]: 'image', x: 'x' } });
    const table = at.table([at.bind('/mnt'), tmpfs]);
    table.makeDirectory(table.root, '/fresh');
    expect(readText(table, `/${name}`)).toBe('image');
    for (const base of [...places, '/d/']) {
      useName(table, base, name);
      useName(table, base, `ü${'m'.repeat(length - 2)}`);
    }
    // Deleted and gone for good, for another process of the container too.
    const other = at.table();
    expect(namesIn(other, '/d')).toEqual([]);
    expect(failure(() => readText(other, `/d/${name}`))).toBe('ENOENT');
    writeText(other, `/d/${name}`, 'again');
    expect(readText(at.table(), `/d/${name}`)).toBe('again');
    // The mark stays: another process of the container may be about to look.
    expect(readdirSync(join(at.upper, 'd')).filter((each) => !isMark(each))).toEqual([name]);
    expect(readFileSync(join(at.lower, name), 'utf8')).toBe('image');
  });

  it('may not have 256', () => {
    using at = new Scratch(descriptors, { lower: { x: 'x' } });
    const table = at.table([at.bind('/mnt'), tmpfs]);
    const { root } = table;
    table.makeDirectory(root, '/fresh');
    for (const base of places)
      for (const name of ['n'.repeat(256), `${'ü'.repeat(127)}nn`]) {
        writeText(table, `${base}a`, 'a');
        expect(failure(() => writeText(table, base + name, 'x'))).toBe('ENAMETOOLONG');
        expect(failure(() => table.makeDirectory(root, base + name))).toBe('ENAMETOOLONG');
        expect(failure(() => table.symlink('a', root, base + name))).toBe('ENAMETOOLONG');
        expect(failure(() => table.rename(root, `${base}a`, root, base + name))).toBe('ENAMETOOLONG');
        expect(failure(() => table.link(root, `${base}a`, { follow: false }, root, base + name))).toBe('ENAMETOOLONG');
        expect(failure(() => readText(table, base + name))).toMatch(/^(ENAMETOOLONG|ENOENT)$/);
        expect(readText(table, `${base}a`)).toBe('a');
      }
  });

  it('hold no NUL', () => {
    using at = new Scratch(descriptors, { lower: { a: 'a' } });
    const table = at.table([at.bind('/mnt'), tmpfs]);
    for (const base of ['/', '/mnt/', '/tmp/'])
      for (const name of ['\0', 'a\0', '\0a', 'a\0/../a', 'd/\0']) {
        expect(failure(() => readText(table, base + name))).toBe('EILSEQ');
        expect(failure(() => writeText(table, base + name, 'x'))).toBe('EILSEQ');
        expect(failure(() => table.rename(table.root, '/a', table.root, base + name))).toBe('EILSEQ');
      }
  });

  it.skipIf(process.platform !== 'linux')('may be no UTF-8, whoever has made them', () => {
    using at = new Scratch(descriptors, { lower: { x: 'x', 'd/x': 'x' } });
    const raw = (directory: string, ...bytes: number[]) => Buffer.from([...Buffer.from(`${directory}/`), ...bytes]);
    for (const directory of [at.lower, join(at.lower, 'd'), at.shared]) {
      writeFileSync(raw(directory, 0x66, 0xfc, 0x72), 'Latin-1');
      mkdirSync(raw(directory, 0xff));
      writeFileSync(raw(directory, 0xff, 0x2f, 0x66), 'deeper');
    }
    const table = at.table([at.bind('/mnt'), tmpfs]);
    table.makeDirectory(table.root, '/fresh');
    for (const base of ['/', '/d/', '/mnt/']) {
      expect(namesIn(table, base)).toEqual(expect.arrayContaining(['f\udcfcr', '\udcff']));
      expect(readText(table, `${base}f\udcfcr`)).toBe('Latin-1');
      expect(readText(table, `${base}\udcff/f`)).toBe('deeper');
      expect(failure(() => readText(table, `${base}f\ufffdr`))).toBe('ENOENT');
      writeText(table, `${base}f\udcfcr`, 'changed');
      table.rename(table.root, `${base}\udcff`, table.root, `${base}\udc80\udc81`);
      expect(readText(table, `${base}\udc80\udc81/f`)).toBe('deeper');
    }
    for (const base of [...places, '/d/']) useName(table, base, 'f\udcfcr');
    for (const base of places) useName(table, base, '\u{1f480}\udc80');
    writeText(table, '/fresh/f\udcfcr', 'x');
    expect(readdirSync(join(at.upper, 'fresh'), { encoding: 'buffer' })).toEqual([Buffer.from([0x66, 0xfc, 0x72])]);
  });
});

describe.each(waysOfHolding)('size, held by %s', (way, descriptors) => {
  /** Down, a name at a time, as a program does that changes into each directory; what was opened is to be given back. */
  function descend(table: MountTable, from: Directory, depth: number, make: boolean): Directory[] {
    const opened: Directory[] = [];
    let at = from;
    for (let level = 0; level < depth; level++) {
      if (make) table.makeDirectory(at, 'd');
      const next = table.open(at, 'd', { read: true, write: false, follow: false, onlyDirectory: true });
      if (!('directory' in next)) throw new Error('not a directory');
      // The last one keeps those above it.
      opened.push(next.directory);
      at = next.directory;
    }
    return opened;
  }

  // By path each level looks at all above it again.
  const deep = way === 'descriptors' ? 4096 : 100;
  it.each([
    ['/mnt', deep],
    ['/', deep >> 3],
    ['/tmp', deep],
  ])('a tree, below %s, %i deep', (base, depth) => {
    using at = new Scratch(descriptors);
    const table = at.table([at.bind('/mnt'), tmpfs]);
    const start = table.open(table.root, base, { read: true, write: false, follow: false, onlyDirectory: true });
    if (!('directory' in start)) throw new Error('not a directory');
    const opened = descend(table, start.directory, depth, true);
    const bottom = opened.at(-1) as Directory;
    const write = table.open(bottom, 'file', { read: true, write: true, create: true, follow: false });
    if ('file' in write) write.file.close();
    expect(table.stat(bottom, 'file', { follow: false }).kind).toBe('file');
    expect(failure(() => table.stat(bottom, '../file', { follow: false }))).toBe('ENOTCAPABLE');
    // A path of as many characters as a path may have, and one more name.
    const names = Math.min(depth, 2048);
    const path = `${base}/${'d/'.repeat(names - 4)}`.replace('//', '/');
    expect(table.stat(table.root, path, { follow: false }).kind).toBe('directory');
    expect(failure(() => table.stat(table.root, 'd/'.repeat(2049), { follow: false }))).toBe('ENAMETOOLONG');
    for (const directory of opened) table.release(directory);
    expect(table.stat(start.directory, 'd', { follow: false }).kind).toBe('directory');
    const again = descend(table, start.directory, depth, false);
    expect(table.stat(again.at(-1) as Directory, 'file', { follow: false }).kind).toBe('file');
    for (const directory of again) table.release(directory);
    table.release(start.directory);
    // What nobody holds is closed again.
    const held = () => readdirSync('/proc/self/fd').length;
    for (let index = 0; index < 2000; index++) table.find(table.root, '/x', { follow: false });
    if (process.platform === 'linux') expect(held()).toBeLessThan(400);
    // Node takes ten seconds for it.
    if (process.platform !== 'win32') spawnSync('rm', ['-rf', join(at.shared, 'd'), join(at.upper, 'd')]);
  });

  const many = way === 'descriptors' ? 50_000 : 2000;
  it(`a directory of ${many} entries`, () => {
    using at = new Scratch(descriptors);
    mkdirSync(join(at.lower, 'many'));
    mkdirSync(join(at.shared, 'many'));
    for (let index = 0; index < many; index++) {
      writeFileSync(join(index % 2 === 0 ? at.lower : at.shared, 'many', `name-${index}`), '');
    }
    const table = at.table([at.bind('/mnt')]);
    expect(namesIn(table, '/many')).toHaveLength(many / 2);
    expect(namesIn(table, '/mnt/many')).toHaveLength(many / 2);
    writeText(table, '/many/one-more', '');
    table.unlink(table.root, '/many/name-0');
    expect(namesIn(table, '/many')).toHaveLength(many / 2);
    expect(failure(() => table.removeDirectory(table.root, '/many'))).toBe('ENOTEMPTY');
  });
});
