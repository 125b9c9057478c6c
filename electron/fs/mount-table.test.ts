import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FsError } from './error.ts';
import { openMountTable } from './mount-table.ts';
import { failure, namesIn, openFile, readText, Scratch, waysOfHolding, writeText } from './testing.ts';

describe.each(waysOfHolding)('mount table held by %s', (_way, descriptors) => {
  it('shows mount points, makes the missing ones, and lets nobody remove them', () => {
    using at = new Scratch(descriptors, { lower: { 'var/lib/x': 'x', run: '->var/lib' }, shared: { f: 'shared' } });
    const table = at.table([at.bind('/data/deep'), { type: 'tmpfs', target: '/run/lock', readOnly: false }]);
    const { root } = table;
    expect(namesIn(table, '/')).toEqual(['data', 'run', 'var']);
    expect(namesIn(table, '/data')).toEqual(['deep']);
    expect(readText(table, '/data/deep/f')).toBe('shared');
    // A link in the target is followed inside of the container.
    expect(namesIn(table, '/var/lib')).toEqual(['lock', 'x']);
    for (const action of [
      () => table.removeDirectory(root, '/data/deep'),
      () => table.rename(root, '/data/deep', root, '/other'),
      () => table.rename(root, '/data', root, '/other'),
      () => table.rename(root, '/var', root, '/other'),
      () => table.removeDirectory(root, '/'),
    ])
      expect(failure(action), String(action)).toBe('EBUSY');
    expect(failure(() => table.makeDirectory(root, '/data/deep'))).toBe('EEXIST');
    expect(failure(() => table.unlink(root, '/data/deep'))).toBe('EBUSY');
    expect(readText(table, '/data/deep/../deep/f')).toBe('shared');
    expect(readText(table, '/data/deep/../../var/lib/x')).toBe('x');
  });

  it('mounts in mounts: a volume in a bind that may only be read', () => {
    using at = new Scratch(descriptors, { shared: { 'src/main': 'main' } });
    const table = at.table([
      { type: 'tmpfs', target: '/app/src/cache', readOnly: false },
      at.bind('/app', true),
      { type: 'tmpfs', target: '/app/made/up', readOnly: false },
    ]);
    writeText(table, '/app/src/cache/x', 'cached');
    writeText(table, '/app/made/up/y', 'up');
    expect(namesIn(table, '/app')).toEqual(['made', 'src']);
    expect(namesIn(table, '/app/src')).toEqual(['cache', 'main']);
    expect(failure(() => writeText(table, '/app/made/z', ''))).toBe('EROFS');
    expect(readdirSync(at.shared)).toEqual(['src']);
    expect(readdirSync(join(at.shared, 'src'))).toEqual(['main']);
  });

  it('mounts under a read-only root', () => {
    using at = new Scratch(descriptors, { lower: { 'etc/x': 'x' } });
    const table = at.table([{ type: 'tmpfs', target: '/etc/new/tmp', readOnly: false }], true);
    writeText(table, '/etc/new/tmp/a', 'A');
    expect(readText(table, '/etc/new/tmp/a')).toBe('A');
    expect(failure(() => writeText(table, '/etc/new/b', ''))).toBe('EROFS');
  });

  it('mounts one file, over one that is there or none', () => {
    using at = new Scratch(descriptors, { lower: { 'etc/conf': 'image' }, shared: { conf: 'host', other: 'no' } });
    const source = join(at.shared, 'conf');
    const table = at.table([
      { type: 'bind', target: '/etc/conf', source, readOnly: false },
      { type: 'bind', target: '/etc/copy', source, readOnly: true },
    ]);
    const { root } = table;
    expect(namesIn(table, '/etc')).toEqual(['conf', 'copy']);
    writeText(table, '/etc/conf', 'guest');
    expect(readFileSync(source, 'utf8')).toBe('guest');
    expect(readText(table, '/etc/copy')).toBe('guest');
    expect(failure(() => writeText(table, '/etc/copy', ''))).toBe('EROFS');
    expect(failure(() => table.unlink(root, '/etc/conf'))).toBe('EBUSY');
    expect(failure(() => table.rename(root, '/etc/conf', root, '/etc/z'))).toBe('EBUSY');
    expect(failure(() => openFile(table, '/etc/conf', { write: true, create: true, exclusive: true }))).toBe('EEXIST');
    expect(failure(() => namesIn(table, '/etc/conf'))).toBe('ENOTDIR');
    expect(failure(() => table.stat(root, '/etc/conf/../other', { follow: true }))).toBe('ENOTDIR');
  });

  it('takes a bind as it is, and sees what the host does to it', () => {
    using at = new Scratch(descriptors, { shared: { 'a/f': '1' } });
    const table = at.table([at.bind('/b')]);
    const { root } = table;
    writeText(table, '/b/a/g', '2');
    expect(readFileSync(join(at.shared, 'a/g'), 'utf8')).toBe('2');
    table.rename(root, '/b/a', root, '/b/c');
    expect(readText(table, '/b/c/f')).toBe('1');
    expect(failure(() => readText(table, '/b/a/f'))).toBe('ENOENT');
    table.makeDirectory(root, '/b/a');
    expect(namesIn(table, '/b/a')).toEqual([]);
    renameSync(join(at.shared, 'c'), join(at.shared, 'd'));
    expect(readText(table, '/b/d/g')).toBe('2');
    expect(failure(() => table.rename(root, '/b/d', root, '/b/d/x'))).toBe('EINVAL');
    const exact = 1_600_000_000_000_000_001n;
    table.setTimes(root, '/b/d', { atime: undefined, mtime: exact }, { follow: true });
    expect(table.stat(root, '/b/d', { follow: true }).mtime).toBe(exact);
    utimesSync(join(at.shared, 'd'), 1, 2);
    expect(table.stat(root, '/b/d', { follow: true }).mtime).toBe(2_000_000_000n);
  });

  it('answers as POSIX does about separators at the end', () => {
    using at = new Scratch(descriptors, { lower: { 'd/f': 'f', l: '->d' } });
    const table = at.table();
    const { root } = table;
    const follow = { follow: false };
    expect(table.stat(root, '/d//', follow).kind).toBe('directory');
    expect(table.stat(root, '/l', follow).kind).toBe('symlink');
    expect(table.stat(root, '/l/', follow).kind).toBe('directory');
    expect(table.stat(root, '/', follow).kind).toBe('directory');
    expect(failure(() => table.stat(root, '/d/f/', follow))).toBe('ENOTDIR');
    expect(failure(() => table.stat(root, '/d/f/.', follow))).toBe('ENOTDIR');
    expect(failure(() => table.stat(root, '', follow))).toBe('ENOENT');
    expect(failure(() => openFile(table, '/d/f/'))).toBe('ENOTDIR');
    expect(failure(() => openFile(table, '/d', { write: true }))).toBe('EISDIR');
    expect(failure(() => openFile(table, '/d/', { write: true, create: true }))).toBe('EISDIR');
    expect(failure(() => table.unlink(root, '/d/f/'))).toBe('ENOTDIR');
    expect(failure(() => table.symlink('x', root, '/new/'))).toBe('ENOENT');
    expect(failure(() => table.stat(root, `/${'x/'.repeat(3000)}`, follow))).toBe('ENAMETOOLONG');
    table.makeDirectory(root, '/n/');
    table.rename(root, '/n/', root, '/m/');
    expect(namesIn(table, '/')).toEqual(['d', 'l', 'm']);
  });

  it('goes on when more directories were walked than are kept open', () => {
    using at = new Scratch(descriptors, { shared: {} });
    for (let index = 0; index < 500; index++) {
      mkdirSync(join(at.shared, `${index}/deep`), { recursive: true });
      writeFileSync(join(at.shared, `${index}/deep/f`), `${index}`);
    }
    const table = at.table([at.bind('/b')]);
    const held = table.open(table.root, '/b/7/deep', { read: true, write: false, follow: false });
    if (!('directory' in held)) throw new Error('not a directory');
    const before = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;
    for (let round = 0; round < 2; round++)
      for (let index = 0; index < 500; index++) expect(readText(table, `/b/${index}/deep/f`)).toBe(`${index}`);
    if (process.platform === 'linux') expect(readdirSync('/proc/self/fd').length - before).toBeLessThan(400);
    expect(table.stat(held.directory, 'f', { follow: false }).size).toBe(1n);
    table.release(held.directory);
    table.close();
    if (process.platform === 'linux') expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
    expect(failure(() => table.stat(table.root, '/', { follow: true }))).toBe('EBADF');
  });

  it('opens programs: a key that follows the bytes, and room before them', () => {
    using at = new Scratch(descriptors, { lower: { 'app.wasm': 'module', link: '->app.wasm', 'dir/': '' } });
    const table = at.table();
    const program = table.openProgram('/link');
    expect(program).toMatchObject({ key: table.openProgram('app.wasm').key, size: 6 });
    const bytes = program.read(4);
    expect(bytes.toString('utf8', 4)).toBe('module');
    writeText(table, '/app.wasm', 'other!');
    expect(table.openProgram('/app.wasm').key).not.toBe(program.key);
    expect(failure(() => program.read(0))).toBe('ESTALE');
    expect(failure(() => table.openProgram('/nothing'))).toBe('ENOENT');
    expect(failure(() => table.openProgram('/dir'))).toBe('EISDIR');
  });
});

describe('openMountTable', () => {
  it('says which mount cannot be opened', () => {
    const path = mkdtempSync(join(tmpdir(), 'drydock-fs-'));
    try {
      for (const name of ['lower', 'upper']) mkdirSync(join(path, name));
      const root = {
        type: 'overlay',
        target: '/',
        lower: join(path, 'lower'),
        upper: join(path, 'upper'),
        readOnly: false,
      } as const;
      const bind = { type: 'bind', target: '/data', source: join(path, 'nowhere'), readOnly: false } as const;
      expect(() => openMountTable([root, bind])).toThrow(new FsError('ENOENT', '/data'));
      expect(() => openMountTable([{ ...root, lower: join(path, 'gone') }])).toThrow(join(path, 'gone'));
      expect(failure(() => openMountTable([]))).toBe('EINVAL');
      expect(failure(() => openMountTable([root, root]))).toBe('EINVAL');
      expect(failure(() => openMountTable([root, { type: 'tmpfs', target: '/../x', readOnly: false }]))).toBe('EINVAL');
    } finally {
      rmSync(path, { recursive: true });
    }
  });
});
