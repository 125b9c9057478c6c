import { describe, expect, it } from 'vitest';
import { errno } from './errno.ts';
import { at, HandGuest } from './testing.ts';
import { fdflag, oflag, right, whence } from './types.ts';

describe('streams', () => {
  it('writes the buffers of one call as one record', () => {
    using guest = new HandGuest();
    expect(guest.write(1, 'one ', '', 'line\n')).toBe(9);
    expect(guest.write(2, 'error')).toBe(5);
    expect(guest.stdout.records).toEqual(['one line\n']);
    expect(guest.stderr.records).toEqual(['error']);
    guest.ok('fd_write', 1, ...guest.iovs(), at.out);
    expect(guest.out32()).toBe(0);
  });

  it('takes what there is room for and waits when there is none', () => {
    using guest = new HandGuest();
    guest.stdout.room = 3;
    expect(guest.write(1, 'abcdef')).toBe(3);
    guest.bytes.write('def', at.data);
    const wait = guest.wait('fd_write', 1, ...guest.iovs(3), at.out);
    expect(wait.ready()).toBe(false);
    // Woken for nothing: it waits again.
    expect(typeof wait.resume()).toBe('object');
    guest.memory.grow(1);
    guest.stdout.room = 100;
    expect(wait.ready()).toBe(true);
    expect(wait.resume()).toBe(0);
    expect(guest.out32()).toBe(3);
    expect(guest.stdout.records).toEqual(['abc', 'def']);
  });

  it('reads on after the end that a terminal gives', () => {
    using guest = new HandGuest({ tty: true });
    Object.assign(guest.stdin, { closed: true, ends: 1 });
    // Nothing was asked for, so nothing was told.
    expect(guest.read(0, 0)).toBe('');
    expect(guest.read(0, 10)).toBe('');
    guest.stdin.give('more');
    expect(guest.read(0, 10)).toBe('more');
    expect(guest.wait('fd_read', 0, ...guest.iovs(10), at.out).ready()).toBe(false);
  });

  it('reads what there is, waits for more, and ends', () => {
    using guest = new HandGuest();
    guest.stdin.give('hello');
    expect(guest.read(0, 2, 100)).toBe('hello');
    const wait = guest.wait('fd_read', 0, ...guest.iovs(10), at.out);
    expect(wait.ready()).toBe(false);
    guest.stdin.give('more');
    expect(wait.ready()).toBe(true);
    expect(wait.resume()).toBe(0);
    expect(guest.bytes.toString('utf8', at.data, at.data + guest.out32())).toBe('more');
    const last = guest.wait('fd_read', 0, ...guest.iovs(10), at.out);
    guest.stdin.closed = true;
    expect(last.ready()).toBe(true);
    expect(last.resume()).toBe(0);
    expect(guest.out32()).toBe(0);
    expect(guest.read(0, 10)).toBe('');
  });

  it('does not wait when the guest asked not to', () => {
    using guest = new HandGuest();
    guest.ok('fd_fdstat_set_flags', 0, fdflag.nonblock);
    guest.ok('fd_fdstat_set_flags', 1, fdflag.nonblock);
    expect(guest.errno('fd_read', 0, ...guest.iovs(10), at.out)).toBe(errno.again);
    guest.stdout.room = 0;
    expect(guest.errno('fd_write', 1, ...guest.iovs(10), at.out)).toBe(errno.again);
    guest.ok('fd_fdstat_get', 0, at.out);
    expect(guest.view.getUint16(at.out + 2, true)).toBe(fdflag.nonblock);
  });

  it('are terminals only with a terminal, and cannot seek', () => {
    for (const tty of [false, true]) {
      using guest = new HandGuest({ tty });
      guest.ok('fd_fdstat_get', 1, at.out);
      expect(guest.view.getUint8(at.out)).toBe(tty ? 2 : 0);
      expect(Number(guest.out64(8)) & (right.fdSeek | right.fdTell)).toBe(0);
      expect(guest.errno('fd_seek', 1, 0n, whence.cur, at.out)).toBe(errno.spipe);
      guest.ok('fd_filestat_get', 1, at.out);
    }
  });

  it('go one way only', () => {
    using guest = new HandGuest();
    expect(guest.errno('fd_write', 0, ...guest.iovs(1), at.out)).toBe(errno.badf);
    expect(guest.errno('fd_read', 1, ...guest.iovs(1), at.out)).toBe(errno.badf);
    expect(guest.errno('fd_pread', 0, ...guest.iovs(1), 0n, at.out)).toBe(errno.spipe);
  });
});

describe('files', () => {
  it('reads and writes through one and through many buffers', () => {
    using guest = new HandGuest();
    const fd = guest.open('f', { oflags: oflag.creat });
    expect(guest.write(fd, 'hello ')).toBe(6);
    expect(guest.write(fd, 'wor', '', 'ld')).toBe(5);
    guest.ok('fd_seek', fd, -11n, whence.end, at.out);
    expect(guest.out64()).toBe(0n);
    expect(guest.read(fd, 3, 100)).toBe('hello world');
    expect(guest.read(fd, 10)).toBe('');
    guest.ok('fd_tell', fd, at.out);
    expect(guest.out64()).toBe(11n);
    expect(guest.io).toEqual({ read: 11, written: 11 });
  });

  it('keeps the position in pread and pwrite', () => {
    using guest = new HandGuest({ lower: { f: '0123456789' } });
    const fd = guest.open('f');
    expect(guest.read(fd, 2)).toBe('01');
    guest.ok('fd_pread', fd, ...guest.iovs(3), 7n, at.out);
    expect(guest.bytes.toString('latin1', at.data, at.data + 3)).toBe('789');
    guest.bytes.write('X', at.data);
    guest.ok('fd_pwrite', fd, ...guest.iovs(1), 2n, at.out);
    expect(guest.read(fd, 2)).toBe('X3');
    expect(guest.errno('fd_pread', fd, ...guest.iovs(1), -1n, at.out)).toBe(errno.inval);
  });

  it('appends while the flag is set, leaving the position at the end', () => {
    using guest = new HandGuest({ lower: { f: 'abc' } });
    const fd = guest.open('f', { fdflags: fdflag.append });
    guest.ok('fd_seek', fd, 0n, whence.set, at.out);
    guest.write(fd, 'de');
    guest.ok('fd_tell', fd, at.out);
    expect(guest.out64()).toBe(5n);
    guest.ok('fd_fdstat_set_flags', fd, 0);
    guest.ok('fd_seek', fd, 0n, whence.set, at.out);
    guest.write(fd, 'AB');
    guest.ok('fd_fdstat_set_flags', fd, fdflag.append);
    guest.write(fd, 'f');
    guest.ok('fd_seek', fd, 0n, whence.set, at.out);
    expect(guest.read(fd, 100)).toBe('ABcdef');
    expect(guest.errno('fd_fdstat_set_flags', fd, fdflag.sync)).toBe(errno.notsup);
  });

  it('seeks no further than there are numbers', () => {
    using guest = new HandGuest({ lower: { f: 'abc' } });
    const fd = guest.open('f');
    expect(guest.errno('fd_seek', fd, -1n, whence.set, at.out)).toBe(errno.inval);
    expect(guest.errno('fd_seek', fd, 1n << 62n, whence.end, at.out)).toBe(errno.inval);
    expect(guest.errno('fd_seek', fd, 0n, 3, at.out)).toBe(errno.inval);
    guest.ok('fd_seek', fd, 100n, whence.cur, at.out);
    expect(guest.read(fd, 1)).toBe('');
  });

  it('resizes, allocates, advises and syncs', () => {
    using guest = new HandGuest({ lower: { f: 'abcdef' } });
    const fd = guest.open('f');
    guest.ok('fd_filestat_set_size', fd, 3n);
    guest.ok('fd_allocate', fd, 1n, 4n);
    guest.ok('fd_advise', fd, 0n, 0n, 1);
    guest.ok('fd_datasync', fd);
    guest.ok('fd_sync', fd);
    expect(guest.read(fd, 100)).toBe('abc\0\0');
    expect(guest.errno('fd_advise', fd, 0n, 0n, 6)).toBe(errno.inval);
    expect(guest.errno('fd_allocate', fd, 0n, 0n)).toBe(errno.inval);
    expect(guest.errno('fd_filestat_set_size', fd, -1n)).toBe(errno.fbig);
    expect(guest.errno('fd_filestat_set_size', 3, 0n)).toBe(errno.isdir);
    guest.ok('fd_sync', 3);
  });

  it('sets times to the nanosecond', () => {
    using guest = new HandGuest({ lower: { f: 'x' } });
    const fd = guest.open('f');
    guest.ok('fd_filestat_set_times', fd, 0n, 1_700_000_000_000_000_001n, 4);
    guest.ok('fd_filestat_get', fd, at.out);
    expect(guest.out64(48)).toBe(1_700_000_000_000_000_001n);
    const atime = guest.out64(40);
    guest.ok('fd_filestat_set_times', fd, 0n, 0n, 8);
    guest.ok('fd_filestat_get', fd, at.out);
    expect(guest.out64(40)).toBe(atime);
    expect(guest.out64(48)).toBeGreaterThan(1_700_000_000_000_000_001n);
    for (const flags of [3, 12, 16]) expect(guest.errno('fd_filestat_set_times', fd, 0n, 0n, flags)).toBe(errno.inval);
  });

  it('renumbers onto an open descriptor, also onto the root', () => {
    using guest = new HandGuest({ lower: { a: 'A', b: 'B' } });
    const a = guest.open('a');
    const b = guest.open('b');
    guest.ok('fd_renumber', a, b);
    expect(guest.errno('fd_close', a)).toBe(errno.badf);
    expect(guest.read(b, 1)).toBe('A');
    expect(guest.errno('fd_renumber', b, 50)).toBe(errno.badf);
    guest.ok('fd_renumber', b, 3);
    expect(guest.errno('fd_prestat_get', 3, at.out)).toBe(errno.badf);
    guest.ok('fd_close', 3);
    expect(guest.errno('fd_close', 3)).toBe(errno.badf);
  });

  it('drops rights and never gets them back', () => {
    using guest = new HandGuest({ lower: { f: 'x' } });
    const fd = guest.open('f');
    const rights = () => {
      guest.ok('fd_fdstat_get', fd, at.out);
      return guest.out64(8);
    };
    const all = rights();
    guest.ok('fd_fdstat_set_rights', fd, all & ~BigInt(right.fdWrite | right.fdSeek), 0n);
    expect(guest.errno('fd_write', fd, ...guest.iovs(1), at.out)).toBe(errno.badf);
    expect(guest.errno('fd_seek', fd, 1n, whence.set, at.out)).toBe(errno.notcapable);
    expect(guest.errno('fd_fdstat_set_rights', fd, all, 0n)).toBe(errno.notcapable);
    expect(guest.errno('fd_fdstat_set_rights', fd, 1n << 40n, 0n)).toBe(errno.notcapable);
    expect(rights() & BigInt(right.fdWrite)).toBe(0n);
  });

  it('has an end of descriptors', () => {
    using guest = new HandGuest({ mounts: [{ type: 'tmpfs', target: '/t', readOnly: false }] });
    guest.open('t/f', { oflags: oflag.creat });
    let opened = 0;
    let answer = 0;
    while (answer === 0 && opened < 100_000) {
      answer = guest.errno('path_open', 3, 0, ...guest.text('t/f'), 0, 2n, 0n, 0, at.out);
      opened += 1;
    }
    expect(answer).toBe(errno.mfile);
    guest.ok('fd_close', 100);
    guest.ok('path_open', 3, 0, ...guest.text('t/f'), 0, 2n, 0n, 0, at.out);
    expect(guest.out32()).toBe(100);
  });
});
