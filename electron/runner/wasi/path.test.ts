import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errno } from './errno.ts';
import { at, HandGuest } from './testing.ts';
import { fdflag, filetype, LOOKUP_FOLLOW, oflag, right } from './types.ts';

interface Listed {
  readonly name: string;
  readonly type: number;
  readonly inode: bigint;
  readonly next: bigint;
}

/** Reads a directory as a libc does: with a buffer of this size, again from the last whole entry. */
function list(guest: HandGuest, fd: number, size: number): Listed[] {
  const all: Listed[] = [];
  for (let cookie = 0n, calls = 0; calls < 10_000; calls++) {
    guest.ok('fd_readdir', fd, at.data, size, cookie, at.out);
    const used = guest.out32();
    const { view, bytes } = guest;
    let offset = 0;
    while (offset + 24 <= used) {
      const length = view.getUint32(at.data + offset + 16, true);
      if (offset + 24 + length > used) break;
      cookie = view.getBigUint64(at.data + offset, true);
      all.push({
        name: bytes.toString('utf8', at.data + offset + 24, at.data + offset + 24 + length),
        type: view.getUint8(at.data + offset + 20),
        inode: view.getBigUint64(at.data + offset + 8, true),
        next: cookie,
      });
      offset += 24 + length;
    }
    if (used < size) return all;
  }
  throw new Error('the list has no end');
}

describe('paths', () => {
  it('are found below the root, whichever way they are written', () => {
    using guest = new HandGuest({ lower: { 'a/b/f': 'deep', l: '->/a/b', r: '->a/b/f' } });
    for (const path of ['a/b/f', './a/.//b/../b/f', '../a/b/f', 'l/f', 'r', 'a/../../a/b/f']) {
      const fd = guest.open(path);
      expect(guest.read(fd, 10), path).toBe('deep');
      guest.ok('fd_close', fd);
    }
    const refused = (path: string) => guest.errno('path_open', 3, 1, ...guest.text(path), 0, 2n, 0n, 0, at.out);
    expect(refused('/a/b/f')).toBe(errno.notcapable);
    expect(refused('a/b/f/')).toBe(errno.notdir);
    expect(refused('a/b/f\0')).toBe(errno.ilseq);
    expect(refused('')).toBe(errno.noent);
    guest.bytes.set([0x61, 0xff], at.text);
    // Linux takes any bytes as a name.
    const strange = process.platform === 'linux' ? errno.noent : errno.ilseq;
    expect(guest.errno('path_open', 3, 0, at.text, 2, 0, 2n, 0n, 0, at.out)).toBe(strange);
    expect(guest.errno('path_open', 3, 0, ...guest.text('r'), 0, 2n, 0n, 0, at.out)).toBe(errno.loop);
  });

  it('do not leave an opened directory', () => {
    using guest = new HandGuest({ lower: { 'a/b/f': 'deep', x: 'x', 'a/up': '->../x' } });
    const fd = guest.open('a', { oflags: oflag.directory });
    expect(guest.read(guest.open('b/f', { fd }), 10)).toBe('deep');
    const stat = (path: string) => guest.errno('path_filestat_get', fd, LOOKUP_FOLLOW, ...guest.text(path), at.out);
    expect(stat('../x')).toBe(errno.notcapable);
    expect(stat('b/../../x')).toBe(errno.notcapable);
    // A link is the file system's own, as in openat.
    expect(stat('up')).toBe(0);
    expect(guest.errno('path_open', 1, 0, ...guest.text('x'), 0, 2n, 0n, 0, at.out)).toBe(errno.notdir);
    expect(guest.errno('path_open', 99, 0, ...guest.text('x'), 0, 2n, 0n, 0, at.out)).toBe(errno.badf);
  });

  it('open what was asked for and no more', () => {
    using guest = new HandGuest({ lower: { f: 'file', 'd/': '' } });
    const open = (path: string, oflags: number, rights: number, fdflags = 0) =>
      guest.errno('path_open', 3, 0, ...guest.text(path), oflags, BigInt(rights), 0n, fdflags, at.out);
    expect(open('f', oflag.creat | oflag.excl, right.fdRead)).toBe(errno.exist);
    expect(open('f', oflag.directory, right.fdRead)).toBe(errno.notdir);
    expect(open('d', oflag.directory, right.fdWrite)).toBe(errno.isdir);
    expect(open('d', oflag.creat | oflag.directory, 0)).toBe(errno.inval);
    expect(open('n', 0, right.fdRead)).toBe(errno.noent);
    expect(open('f', 0, right.fdRead)).toBe(0);
    expect(guest.errno('fd_write', guest.out32(), ...guest.iovs(1), at.out)).toBe(errno.badf);
    expect(open('f', 0, right.fdWrite, fdflag.append | fdflag.sync)).toBe(0);
    const fd = guest.out32();
    expect(guest.errno('fd_read', fd, ...guest.iovs(1), at.out)).toBe(errno.badf);
    guest.ok('fd_fdstat_get', fd, at.out);
    expect(guest.view.getUint16(at.out + 2, true)).toBe(fdflag.append | fdflag.sync);
    expect(open('f', oflag.trunc, 0)).toBe(0);
    expect(readFileSync(join(guest.scratch.upper, 'f'), 'utf8')).toBe('');
    guest.ok('fd_fdstat_set_rights', 3, BigInt(right.pathOpen), BigInt(right.fdRead));
    expect(open('f', oflag.trunc, 0)).toBe(errno.notcapable);
    expect(open('g', oflag.creat, 0)).toBe(errno.notcapable);
    expect(open('f', 0, right.fdRead | right.fdWrite)).toBe(0);
    expect(guest.errno('fd_write', guest.out32(), ...guest.iovs(1), at.out)).toBe(errno.badf);
  });

  it('are made, renamed, linked and removed', () => {
    using guest = new HandGuest({ lower: { f: 'file' } });
    const one = (name: string, path: string) => guest.errno(name, 3, ...guest.text(path));
    const two = (name: string, from: string, to: string, ...flags: number[]) =>
      guest.errno(name, 3, ...flags, ...guest.text(from), 3, ...guest.text(to, at.other));
    expect(one('path_create_directory', 'd')).toBe(0);
    expect(one('path_create_directory', 'd')).toBe(errno.exist);
    expect(two('path_rename', 'f', 'd/g')).toBe(0);
    expect(two('path_link', 'd/g', 'h', 0)).toBe(0);
    expect(two('path_link', 'd', 'i', 0)).toBe(errno.perm);
    expect(one('path_remove_directory', 'd')).toBe(errno.notempty);
    expect(one('path_remove_directory', 'h')).toBe(errno.notdir);
    expect(one('path_unlink_file', 'd')).toBe(errno.isdir);
    expect(one('path_unlink_file', 'd/g')).toBe(0);
    expect(one('path_remove_directory', 'd')).toBe(0);
    expect(one('path_unlink_file', 'f')).toBe(errno.noent);
    expect(guest.read(guest.open('h'), 10)).toBe('file');
  });

  it('make links that are relative, and read any', () => {
    using guest = new HandGuest({ lower: { f: 'file', abs: '->/f' } });
    const link = (target: string, path: string) =>
      guest.errno('path_symlink', ...guest.text(target, at.other), 3, ...guest.text(path));
    expect(link('f', 'rel')).toBe(0);
    expect(link('/f', 'no')).toBe(errno.perm);
    expect(link('f', 'rel')).toBe(errno.exist);
    const read = (path: string, room: number) => {
      guest.ok('path_readlink', 3, ...guest.text(path), at.data, room, at.out);
      return guest.bytes.toString('utf8', at.data, at.data + guest.out32());
    };
    expect(read('rel', 100)).toBe('f');
    expect(read('abs', 100)).toBe('/f');
    expect(read('abs', 1)).toBe('/');
    expect(guest.errno('path_readlink', 3, ...guest.text('f'), at.data, 9, at.out)).toBe(errno.inval);
    expect(guest.read(guest.open('abs'), 10)).toBe('file');
  });

  it('have a stat of 64 bytes and exact times', () => {
    using guest = new HandGuest({ lower: { f: 'file' } });
    guest.ok('path_filestat_set_times', 3, 0, ...guest.text('f'), 7n, 1_700_000_000_000_000_001n, 1 | 4);
    guest.view.setBigUint64(at.out + 64, 0xabcdn, true);
    guest.ok('path_filestat_get', 3, 0, ...guest.text('f'), at.out);
    expect(guest.view.getUint8(at.out + 16)).toBe(filetype.regularFile);
    expect([guest.out64(24), guest.out64(32), guest.out64(40), guest.out64(48)]).toEqual([
      1n,
      4n,
      7n,
      1_700_000_000_000_000_001n,
    ]);
    expect(guest.out64(64)).toBe(0xabcdn);
    expect(guest.errno('path_filestat_set_times', 3, 0, ...guest.text('f'), 0n, 0n, 3)).toBe(errno.inval);
  });
});

describe('directories', () => {
  it.skipIf(process.platform !== 'linux')('give names that are no UTF-8 as they are, and take them again', () => {
    using guest = new HandGuest();
    const name = Buffer.from([0x66, 0xfc, 0x72, 0x2e, 0xff]);
    writeFileSync(Buffer.concat([Buffer.from(`${guest.scratch.lower}/`), name]), 'Latin-1');
    guest.ok('fd_readdir', 3, at.data, 4096, 2n, at.out);
    expect(guest.view.getUint32(at.data + 16, true)).toBe(name.length);
    expect(guest.bytes.subarray(at.data + 24, at.data + 24 + name.length)).toEqual(name);
    guest.bytes.set(name, at.text);
    guest.ok('path_open', 3, 0, at.text, name.length, 0, 2n, 0n, 0, at.out);
    expect(guest.read(guest.out32(), 20)).toBe('Latin-1');
    guest.ok('path_symlink', at.text, name.length, 3, ...guest.text('link', at.other));
    guest.ok('path_readlink', 3, ...guest.text('link', at.other), at.data, 100, at.out);
    expect(guest.bytes.subarray(at.data, at.data + guest.out32())).toEqual(name);
    guest.ok('path_filestat_get', 3, LOOKUP_FOLLOW, ...guest.text('link', at.other), at.out);
    expect(guest.out64(32)).toBe(7n);
    guest.ok('path_unlink_file', 3, at.text, name.length);
    expect(guest.errno('path_filestat_get', 3, 0, at.text, name.length, at.out)).toBe(errno.noent);
  });

  const lower = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`d/name-${index}`, '']));

  it.each([24 + 12, 100, 256, 4096, 30_000])('are read whole and once with a buffer of %i bytes', (size) => {
    using guest = new HandGuest({ lower });
    const fd = guest.open('d', { oflags: oflag.directory });
    const names = list(guest, fd, size).map((entry) => entry.name);
    expect(names.slice(0, 2)).toEqual(['.', '..']);
    expect(names).toHaveLength(302);
    expect(new Set(names).size).toBe(302);
  });

  it('tell inodes and types, and go on from any cookie', () => {
    using guest = new HandGuest({ lower: { 'd/f': 'x', 'd/s/': '', 'd/l': '->f' } });
    const fd = guest.open('d', { oflags: oflag.directory });
    const entries = list(guest, fd, 4096);
    for (const { name, inode, type } of entries.filter((entry) => entry.name !== '..')) {
      guest.ok('path_filestat_get', fd, 0, ...guest.text(name), at.out);
      expect([name, inode, type]).toEqual([name, guest.out64(8), guest.view.getUint8(at.out + 16)]);
    }
    for (const [index, entry] of entries.entries()) {
      guest.ok('fd_readdir', fd, at.data, 4096, entry.next, at.out);
      const rest = entries.slice(index + 1);
      expect(guest.out32()).toBe(rest.reduce((sum, { name }) => sum + 24 + name.length, 0));
    }
    guest.ok('fd_readdir', fd, at.data, 4096, 1_000_000n, at.out);
    expect(guest.out32()).toBe(0);
  });

  it('are not seen to change by a reader in their middle, and are by the next', () => {
    using guest = new HandGuest({ lower });
    const fd = guest.open('d', { oflags: oflag.directory });
    guest.ok('fd_readdir', fd, at.data, 100, 0n, at.out);
    const cookie = guest.view.getBigUint64(at.data, true);
    for (let index = 0; index < 300; index += 2) guest.ok('path_unlink_file', 3, ...guest.text(`d/name-${index}`));
    guest.ok('fd_readdir', fd, at.data, 30_000, cookie, at.out);
    expect(guest.out32()).toBeGreaterThan(300 * (24 + 6));
    expect(list(guest, fd, 4096)).toHaveLength(152);
  });

  it('are no files', () => {
    using guest = new HandGuest({ lower });
    const fd = guest.open('d', { oflags: oflag.directory });
    for (const name of ['fd_read', 'fd_write'])
      expect(guest.errno(name, fd, ...guest.iovs(4), at.out)).toBe(errno.isdir);
    expect(guest.errno('fd_seek', fd, 0n, 0, at.out)).toBe(errno.isdir);
    guest.ok('fd_fdstat_get', fd, at.out);
    const rights = Number(guest.out64(8));
    expect(rights & (right.fdSeek | right.fdFilestatSetSize | right.fdWrite)).toBe(0);
    expect(guest.errno('fd_readdir', 1, at.data, 100, 0n, at.out)).toBe(errno.notdir);
  });

  it('the root is preopened as / and nothing else is', () => {
    using guest = new HandGuest();
    guest.ok('fd_prestat_get', 3, at.out);
    expect(guest.view.getUint32(at.out + 4, true)).toBe(1);
    guest.ok('fd_prestat_dir_name', 3, at.data, 1);
    expect(guest.bytes[at.data]).toBe('/'.charCodeAt(0));
    expect(guest.errno('fd_prestat_dir_name', 3, at.data, 0)).toBe(errno.nametoolong);
    expect(guest.errno('fd_prestat_get', 1, at.out)).toBe(errno.badf);
    expect(guest.errno('fd_prestat_get', 4, at.out)).toBe(errno.badf);
  });
});
