import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { failure, namesIn, openFile, readText, Scratch, SECRET, waysOfHolding, writeText } from './testing.ts';

/** Links as they lie in a user's directory or an image, all pointing at the secret or its directory. */
const links = {
  up: '->../secret',
  deep: '->a/b/../../../secret',
  folder: '->..',
  magic: '->/proc/self/root',
  dangling: '->../made',
};

describe.each(waysOfHolding)('nothing leads out of a mount (held by %s)', (_way, descriptors) => {
  const open = () =>
    new Scratch(descriptors, { lower: { ...links, 'etc/x': 'x' }, shared: { ...links, 'a/b/': '', inside: 'inside' } });

  it.each(['/', '/mnt/'])('not a link that was there before, below %s', (base) => {
    using at = open();
    symlinkSync(join(at.path, 'secret'), join(at.lower, 'absolute'));
    symlinkSync(join(at.path, 'secret'), join(at.shared, 'absolute'));
    const table = at.table([at.bind('/mnt')]);
    const { root } = table;
    const outside = ['up', 'deep', 'absolute', 'folder/secret', `magic${at.path}/secret`, 'magic/secret'];
    for (const name of outside) {
      const path = base + name;
      expect(
        failure(() => readText(table, path)),
        path,
      ).toBe('ENOENT');
      expect(
        failure(() => table.stat(root, path, { follow: true })),
        path,
      ).toBe('ENOENT');
      expect(
        failure(() => openFile(table, path, { write: true })),
        path,
      ).toBe('ENOENT');
      expect(
        failure(() => table.setTimes(root, path, { atime: 1n, mtime: 1n }, { follow: true })),
        path,
      ).toBe('ENOENT');
      expect(
        failure(() => table.link(root, path, { follow: true }, root, '/got')),
        path,
      ).toBe('ENOENT');
      expect(
        failure(() => table.openProgram(path)),
        path,
      ).toBe('ENOENT');
    }
    // A link to the parent of the mount leads to the container's own directory there, never to the host's.
    expect(namesIn(table, `${base}folder`)).toEqual(namesIn(table, '/'));
    for (const name of ['folder/made']) {
      table.makeDirectory(root, base + name);
      expect(namesIn(table, '/')).toContain('made');
      table.removeDirectory(root, '/made');
    }
    expect(failure(() => table.makeDirectory(root, `${base}magic/made`))).toBe('ENOENT');
    expect(existsSync(join(at.path, 'made'))).toBe(false);
  });

  it('creates nothing through a dangling link', () => {
    using at = open();
    const table = at.table([at.bind('/mnt')]);
    writeText(table, '/mnt/dangling', 'x');
    expect(existsSync(join(at.path, 'made'))).toBe(false);
    // It was made where the link leads inside of the container.
    expect(readText(table, '/made')).toBe('x');
    expect(failure(() => openFile(table, '/mnt/dangling', { write: true, create: true, exclusive: true }))).toBe(
      'EEXIST',
    );
  });

  it('not a link that a guest makes, or moves up', () => {
    using at = open();
    const table = at.table([at.bind('/mnt')]);
    const { root } = table;
    table.symlink('../../secret', root, '/mnt/a/b/harmless');
    table.rename(root, '/mnt/a/b/harmless', root, '/mnt/moved');
    table.symlink('../secret', root, '/mnt/near');
    for (const name of ['moved', 'near']) {
      expect(failure(() => readText(table, `/mnt/${name}`))).toBe('ENOENT');
      expect(failure(() => table.stat(root, `/mnt/${name}`, { follow: true }))).toBe('ENOENT');
    }
    table.unlink(root, '/mnt/near');
  });

  it('not too many parents, and not a name with a NUL', () => {
    using at = open();
    const table = at.table([at.bind('/mnt')]);
    const { root } = table;
    expect(failure(() => readText(table, '/mnt/../../../secret'))).toBe('ENOENT');
    expect(failure(() => readText(table, '../secret'))).toBe('ENOENT');
    expect(readText(table, '/mnt/../../mnt/inside')).toBe('inside');
    const opened = table.open(root, '/mnt/a', { read: true, write: false, follow: false });
    if (!('directory' in opened)) throw new Error('not a directory');
    expect(failure(() => table.stat(opened.directory, '../inside', { follow: true }))).toBe('ENOTCAPABLE');
    expect(failure(() => table.stat(opened.directory, 'b/../../inside', { follow: true }))).toBe('ENOTCAPABLE');
    expect(table.stat(opened.directory, 'b/../b', { follow: true }).kind).toBe('directory');
    table.release(opened.directory);
    expect(failure(() => readText(table, '/mnt/inside\0/x'))).toBe('EILSEQ');
    expect(failure(() => table.symlink('a\0b', root, '/mnt/nul'))).toBe('EILSEQ');
  });

  it('not a chain of links without end', () => {
    using at = new Scratch(descriptors, { lower: { a: '->b', b: '->a', self: '->self/x' } });
    const table = at.table();
    for (const name of ['/a', '/b/x', '/self']) expect(failure(() => readText(table, name))).toBe('ELOOP');
  });

  it.skipIf(process.platform === 'win32')('not a pipe or socket of the host, and none makes it wait', async () => {
    using at = open();
    const table = at.table([at.bind('/mnt')]);
    expect(spawnSync('sh', ['-c', 'mkfifo "$0"', join(at.shared, 'pipe')]).status).toBe(0);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(at.shared, 'socket'), resolve));
    for (const write of [false, true]) {
      expect(failure(() => openFile(table, '/mnt/pipe', { read: !write, write }))).toBe('ENXIO');
      expect(failure(() => openFile(table, '/mnt/socket', { read: !write, write }))).toBe('ENXIO');
    }
    expect(table.stat(table.root, '/mnt/pipe', { follow: true }).kind).toBe('fifo');
    await new Promise((resolve) => server.close(resolve));
  });

  it.skipIf(process.platform !== 'linux')('not a device', () => {
    using at = open();
    const table = at.table([{ type: 'bind', target: '/devices', source: '/dev', readOnly: true }]);
    expect(failure(() => openFile(table, '/devices/null'))).toBe('ENXIO');
    expect(failure(() => openFile(table, '/devices/zero'))).toBe('ENXIO');
  });

  const isRoot = process.getuid?.() === 0;
  it.skipIf(process.platform !== 'linux' || !isRoot)('not a device that lies among ordinary files', () => {
    using at = open();
    const nodes = [
      ['null', 'c', '1', '3'],
      ['kmsg', 'c', '1', '11'],
      ['loop', 'b', '7', '0'],
    ] as const;
    for (const [name, ...numbers] of nodes)
      expect(spawnSync('mknod', [join(at.shared, name), ...numbers]).status).toBe(0);
    const table = at.table([at.bind('/mnt'), at.bind('/ro', true)]);
    const { root } = table;
    for (const base of ['/mnt/', '/ro/'])
      for (const [name] of nodes) {
        for (const how of [
          {},
          { write: true },
          { write: true, truncate: true },
          { read: false, write: true, append: true },
        ])
          expect(failure(() => openFile(table, base + name, how))).toMatch(/^(ENXIO|EROFS)$/);
        expect(failure(() => table.openProgram(base + name))).toBe('ENXIO');
        expect(table.stat(root, base + name, { follow: true }).kind).toBe(name === 'loop' ? 'block' : 'character');
      }
    // Its name is the guest's to move, its content stays out of reach.
    table.rename(root, '/mnt/null', root, '/mnt/zero');
    table.symlink('zero', root, '/mnt/to-zero');
    expect(failure(() => readText(table, '/mnt/to-zero'))).toBe('ENXIO');
    expect(failure(() => table.link(root, '/mnt/zero', { follow: false }, root, '/mine'))).toBe('EXDEV');
  });

  it.skipIf(process.platform !== 'linux')('not the process itself, through procfs', () => {
    using at = open();
    const table = at.table([{ type: 'bind', target: '/host', source: '/', readOnly: true }]);
    const inside = [
      'self/mem',
      'self/environ',
      'self/fd/0',
      'self/root/etc/passwd',
      '1/cmdline',
      'version',
      'sys/kernel',
    ];
    for (const name of inside)
      expect(failure(() => openFile(table, `/host/proc/${name}`))).toMatch(/^(EACCES|ENOENT)$/);
    expect(failure(() => namesIn(table, '/host/proc'))).toBe('EACCES');
    expect(table.stat(table.root, '/host/proc', { follow: true }).kind).toBe('directory');
    expect(() => at.table([{ type: 'bind', target: '/proc', source: '/proc', readOnly: true }])).toThrow(
      expect.objectContaining({ code: 'EACCES' }),
    );
    expect(() => at.table([{ type: 'bind', target: '/m', source: '/proc/self/mem', readOnly: false }])).toThrow(
      expect.objectContaining({ code: 'EACCES' }),
    );
  });

  it('not what a link leads to, by a hard link to it', () => {
    using at = open();
    const table = at.table([at.bind('/mnt')]);
    const { root } = table;
    // link(2) of macOS follows; where it does not, the new name is a link as well.
    const made = failure(() => table.link(root, '/mnt/up', { follow: false }, root, '/mnt/a/second'));
    expect(made).toBe(descriptors ? 'nothing' : 'EPERM');
    if (made === 'nothing') expect(table.readLink(root, '/mnt/a/second')).toBe('../secret');
    expect(failure(() => readText(table, '/mnt/a/second'))).toBe('ENOENT');
    expect(failure(() => table.link(root, '/mnt/up', { follow: true }, root, '/mnt/third'))).toBe('ENOENT');
    expect(lstatSync(join(at.path, 'secret')).nlink).toBe(1);
  });

  it('not through `..` over the edge of a mount, in either direction', () => {
    using at = new Scratch(descriptors, {
      lower: { 'etc/x': 'the image', 'mnt/hidden': 'hidden', 'd/': '' },
      shared: { inside: 'inside', 'sub/deep': 'deep', 'sub/l': '->../../../etc/x', 'sub/m': '->../../../../secret' },
    });
    const table = at.table([
      at.bind('/mnt'),
      at.bind('/d/e'),
      { type: 'tmpfs', target: '/mnt/sub/t', readOnly: false },
    ]);
    const { root } = table;
    expect(readText(table, '/mnt/sub/../inside')).toBe('inside');
    expect(readText(table, '/mnt/../etc/x')).toBe('the image');
    expect(readText(table, '/mnt/sub/t/../deep')).toBe('deep');
    expect(readText(table, '/d/e/sub/l')).toBe('the image');
    expect(failure(() => readText(table, '/mnt/hidden'))).toBe('ENOENT');
    expect(failure(() => readText(table, '/d/e/sub/m'))).toBe('ENOENT');
    const opened = table.open(root, '/d/e/sub', { read: true, write: false, follow: false });
    if (!('directory' in opened)) throw new Error('not a directory');
    expect(failure(() => table.stat(opened.directory, '..', { follow: true }))).toBe('ENOTCAPABLE');
    expect(failure(() => table.rename(opened.directory, 'deep', root, '/stolen'))).toBe('EXDEV');
    expect(failure(() => table.rename(opened.directory, '../inside', root, '/mnt/stolen'))).toBe('ENOTCAPABLE');
    table.release(opened.directory);
  });

  it('not by renaming what a mount lies on, or below it', () => {
    using at = open();
    const table = at.table([at.bind('/mnt'), { type: 'tmpfs', target: '/mnt/a/b', readOnly: false }]);
    const { root } = table;
    for (const path of ['/mnt', '/mnt/a', '/mnt/a/b'])
      expect(failure(() => table.rename(root, path, root, '/elsewhere'))).toMatch(/^(EBUSY|EXDEV)$/);
    expect(failure(() => table.removeDirectory(root, '/mnt/a/b'))).toBe('EBUSY');
    expect(failure(() => table.rename(root, '/mnt/inside', root, '/mnt/a/b'))).toBe('EBUSY');
    expect(failure(() => table.symlink('..', root, '/mnt/a/b'))).toBe('EEXIST');
  });

  it('not a file that the guest may only read, made writable by a hard link', () => {
    using at = open();
    const table = at.table([at.bind('/ro', true), at.bind('/rw')]);
    const { root } = table;
    const nofollow = { follow: false };
    expect(failure(() => table.link(root, '/ro/inside', nofollow, root, '/rw/mine'))).toBe('EXDEV');
    expect(failure(() => table.link(root, '/ro/inside', nofollow, root, '/ro/mine'))).toBe('EROFS');
    expect(failure(() => table.rename(root, '/ro/inside', root, '/rw/mine'))).toBe('EXDEV');
    expect(failure(() => openFile(table, '/ro/inside', { write: true }))).toBe('EROFS');
    expect(failure(() => openFile(table, '/ro/inside', { read: true, truncate: true }))).toBe('EROFS');
    expect(failure(() => openFile(table, '/ro/new', { write: true, create: true }))).toBe('EROFS');
    expect(failure(() => table.unlink(root, '/ro/inside'))).toBe('EROFS');
    expect(failure(() => table.setTimes(root, '/ro/inside', { atime: 1n, mtime: 1n }, nofollow))).toBe('EROFS');
    expect(failure(() => openFile(table, '/ro/inside').setTimes({ atime: 1n, mtime: 1n }))).toBe('EROFS');
    expect(failure(() => table.makeDirectory(root, '/ro/d'))).toBe('EROFS');
    expect(readFileSync(join(at.shared, 'inside'), 'utf8')).toBe('inside');
  });

  it('not a directory exchanged for a link while it is walked', async () => {
    using at = open();
    // Outside lies what the guest asks for inside.
    mkdirSync(join(at.path, 'outside'));
    writeFileSync(join(at.path, 'outside/file'), SECRET);
    mkdirSync(join(at.shared, 'swap'));
    writeFileSync(join(at.shared, 'swap/file'), 'inside');
    symlinkSync('../outside', join(at.shared, 'evil'));
    const flag = new Int32Array(new SharedArrayBuffer(8));
    const worker = new Worker(
      `const { renameSync } = require('node:fs');
       const { flag, shared } = require('node:worker_threads').workerData;
       const swap = shared + '/swap', good = shared + '/good', evil = shared + '/evil';
       while (Atomics.load(flag, 0) === 0) {
         renameSync(swap, good); renameSync(evil, swap);
         renameSync(swap, evil); renameSync(good, swap);
         Atomics.add(flag, 1, 1);
       }`,
      { eval: true, workerData: { flag, shared: at.shared } },
    );
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    const table = at.table([at.bind('/mnt')]);
    const seen = new Set<string>();
    let inside = 0;
    for (let tries = 0; tries < 4000 || (Atomics.load(flag, 1) < 200 && tries < 400_000); tries++) {
      try {
        const text = readText(table, '/mnt/swap/file');
        if (text === 'inside') inside += 1;
        else seen.add(text);
      } catch (error) {
        seen.add((error as { code: string }).code);
      }
      const made = failure(() => writeText(table, '/mnt/swap/new', 'x'));
      if (made !== 'nothing') seen.add(made);
    }
    Atomics.store(flag, 0, 1);
    await exited;
    expect(seen).not.toContain(SECRET);
    expect(inside).toBeGreaterThan(0);
    expect(Atomics.load(flag, 1)).toBeGreaterThan(0);
    if (descriptors) expect(existsSync(join(at.path, 'outside/new'))).toBe(false);
    expect(readFileSync(join(at.path, 'outside/file'), 'utf8')).toBe(SECRET);
    expect([...seen].filter((code) => !['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR'].includes(code))).toEqual([]);
  });

  it('stays in a directory that is moved away under an open descriptor', () => {
    using at = open();
    const table = at.table([at.bind('/mnt')]);
    const opened = table.open(table.root, '/mnt/a/b', { read: true, write: false, follow: false });
    if (!('directory' in opened)) throw new Error('not a directory');
    renameSync(join(at.shared, 'a'), join(at.path, 'gone'));
    // What lies above is a matter of the tree it was opened in, not of where the host has put it.
    expect(failure(() => table.stat(opened.directory, '../../secret', { follow: true }))).toBe('ENOTCAPABLE');
    expect(failure(() => readText(table, '/mnt/a/b/../../../secret'))).toBe('ENOENT');
    table.release(opened.directory);
  });
});
