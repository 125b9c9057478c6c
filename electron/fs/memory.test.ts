import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MountTable } from './mount-table.ts';
import { failure, namesIn, openFile, readText, Scratch, writeText } from './testing.ts';

const SIZE = 256 * 1024;

describe('tmpfs', () => {
  let at: Scratch;
  let table: MountTable;

  beforeEach(() => {
    at = new Scratch(true);
    table = at.table([{ type: 'tmpfs', target: '/tmp', size: SIZE, readOnly: false }]);
  });
  afterEach(() => at[Symbol.dispose]());

  it('touches no disk', () => {
    writeText(table, '/tmp/a', 'one');
    table.makeDirectory(table.root, '/tmp/d');
    writeText(table, '/tmp/d/b', 'two');
    expect(namesIn(table, '/tmp')).toEqual(['a', 'd']);
    expect(readText(table, '/tmp/d/b')).toBe('two');
    expect(at.upperHas('tmp/a')).toBe(false);
  });

  it('ends with ENOSPC, keeps what fitted, and has the space again after a removal', () => {
    const file = openFile(table, '/tmp/big', { write: true, create: true });
    const block = Buffer.alloc(64 * 1024, 7);
    let position = 0;
    const error = failure(() => {
      for (;;) position += file.write(block, 0, block.length, position);
    });
    expect(error).toBe('ENOSPC');
    expect(position).toBeGreaterThanOrEqual(SIZE - 2 * block.length);
    expect(position).toBeLessThanOrEqual(SIZE);
    expect(file.stat().size).toBe(BigInt(position));
    table.unlink(table.root, '/tmp/big');
    // Still open: the memory is still taken.
    expect(failure(() => writeText(table, '/tmp/other', 'x'.repeat(128 * 1024)))).toBe('ENOSPC');
    file.close();
    writeText(table, '/tmp/other', 'x'.repeat(128 * 1024));
    expect(readText(table, '/tmp/other')).toBe('x'.repeat(128 * 1024));
  });

  it('lets a file be as large as the size says, to the byte of the last page', () => {
    const file = openFile(table, '/tmp/exact', { write: true, create: true });
    const block = Buffer.alloc(10_000, 7);
    let position = 0;
    expect(
      failure(() => {
        for (;;) position += file.write(block, 0, block.length, position);
      }),
    ).toBe('ENOSPC');
    expect(position).toBe(SIZE);
    expect(file.stat().size).toBe(BigInt(SIZE));
    // A page less, and there is a page more.
    file.resize(SIZE - 1);
    expect(failure(() => writeText(table, '/tmp/other', 'x'))).toBe('ENOSPC');
    file.resize(SIZE - 4096);
    writeText(table, '/tmp/other', 'x'.repeat(4096));
    file.resize(0);
    file.allocate(0, SIZE - 4096);
    expect(failure(() => file.allocate(0, SIZE))).toBe('ENOSPC');
    file.close();
  });

  it('counts names too, so that empty files end as well', () => {
    let made = 0;
    const error = failure(() => {
      for (; made < 10_000; made++) writeText(table, `/tmp/${made}`, '');
    });
    expect(error).toBe('ENOSPC');
    expect(made).toBeGreaterThan(100);
    for (let name = 0; name < made; name++) table.unlink(table.root, `/tmp/${name}`);
    table.makeDirectory(table.root, '/tmp/again');
  });

  it('keeps holes for nothing and reads them as zeros', () => {
    const file = openFile(table, '/tmp/holes', { write: true, create: true });
    file.resize(1024 ** 4);
    file.write(Buffer.from('end'), 0, 3, 1024 ** 4 - 3);
    const buffer = Buffer.alloc(6, 1);
    expect(file.read(buffer, 0, 6, 1024 ** 4 - 6)).toBe(6);
    expect(buffer.toString('latin1')).toBe('\0\0\0end');
    file.resize(5);
    file.resize(10);
    expect(file.read(buffer, 0, 6, 2)).toBe(6);
    expect([...buffer]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(failure(() => file.allocate(0, SIZE * 2))).toBe('ENOSPC');
    file.allocate(0, 8192);
    expect(file.stat().size).toBe(8192n);
    file.close();
  });

  it('cuts a file where it is told and forgets what was behind', () => {
    writeText(table, '/tmp/cut', 'a'.repeat(200_000));
    const file = openFile(table, '/tmp/cut', { write: true });
    file.resize(70_000);
    file.resize(200_000);
    const buffer = Buffer.alloc(3);
    file.read(buffer, 0, 3, 69_999);
    expect([...buffer]).toEqual([97, 0, 0]);
    file.setAppend(true);
    file.write(Buffer.from('end'), 0, 3, 0);
    expect(file.stat().size).toBe(200_003n);
    file.close();
  });

  it('links, renames and removes as POSIX says', () => {
    const { root } = table;
    writeText(table, '/tmp/a', 'A');
    table.link(root, '/tmp/a', { follow: false }, root, '/tmp/b');
    writeText(table, '/tmp/b', 'B');
    expect(readText(table, '/tmp/a')).toBe('B');
    expect(table.stat(root, '/tmp/a', { follow: true }).nlink).toBe(2n);
    table.rename(root, '/tmp/a', root, '/tmp/b');
    expect(namesIn(table, '/tmp')).toEqual(['a', 'b']);
    table.makeDirectory(root, '/tmp/d');
    table.makeDirectory(root, '/tmp/d/e');
    expect(failure(() => table.rename(root, '/tmp/d', root, '/tmp/d/e/f'))).toBe('EINVAL');
    expect(failure(() => table.rename(root, '/tmp/a', root, '/tmp/d'))).toBe('EISDIR');
    expect(failure(() => table.rename(root, '/tmp/d', root, '/tmp/a'))).toBe('ENOTDIR');
    expect(failure(() => table.removeDirectory(root, '/tmp/d'))).toBe('ENOTEMPTY');
    expect(failure(() => table.unlink(root, '/tmp/d'))).toBe('EISDIR');
    expect(failure(() => table.makeDirectory(root, `/tmp/${'n'.repeat(256)}`))).toBe('ENAMETOOLONG');
    table.symlink('d/e', root, '/tmp/link');
    table.rename(root, '/tmp/d', root, '/tmp/moved');
    expect(failure(() => namesIn(table, '/tmp/link'))).toBe('ENOENT');
    table.rename(root, '/tmp/moved', root, '/tmp/d');
    expect(namesIn(table, '/tmp/link')).toEqual([]);
    expect(failure(() => table.rename(root, '/tmp/a', root, '/a'))).toBe('EXDEV');
  });

  it('makes nothing in a directory that was removed while open', () => {
    table.makeDirectory(table.root, '/tmp/gone');
    const opened = table.open(table.root, '/tmp/gone', { read: true, write: false, follow: false });
    if (!('directory' in opened)) throw new Error('not a directory');
    table.removeDirectory(table.root, '/tmp/gone');
    expect(failure(() => table.makeDirectory(opened.directory, 'x'))).toBe('ENOENT');
    expect(table.list(opened.directory)).toEqual([]);
    table.release(opened.directory);
  });

  it('keeps times exactly', () => {
    writeText(table, '/tmp/a', 'A');
    table.setTimes(table.root, '/tmp/a', { atime: 5n, mtime: 1_700_000_000_000_000_001n }, { follow: true });
    expect(table.stat(table.root, '/tmp/a', { follow: true })).toMatchObject({
      atime: 5n,
      mtime: 1_700_000_000_000_000_001n,
    });
  });
});
