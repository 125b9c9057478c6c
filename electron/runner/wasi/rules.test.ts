/** What POSIX and the witx say of renames, links, removals, times and descriptors, on each kind of mount. */
import { describe, expect, it } from 'vitest';
import { errno } from './errno.ts';
import { at, HandGuest } from './testing.ts';
import { fdflag, filetype, fstflag, LOOKUP_FOLLOW, oflag, right, whence } from './types.ts';

const lower = {
  'i/file': 'image',
  'i/other': 'other',
  'i/dir/inner': 'inner',
  'i/empty/': '',
  'i/link': '->file',
  'i/dangling': '->nowhere',
  'i/todir': '->dir',
};

/** The same tree in the image, in a bind mount and in memory; `p` makes a path in it. */
function places(): { readonly guest: HandGuest; readonly p: (name: string) => string; readonly where: string }[] {
  return ['i', 'mnt', 'tmp'].map((where) => {
    const guest = new HandGuest({
      lower,
      mounts: [{ type: 'tmpfs', target: '/tmp', readOnly: false }],
      binds: ['/mnt'],
    });
    if (where !== 'i') {
      const make = (name: string, text: string): void => {
        const fd = guest.open(`${where}/${name}`, { oflags: oflag.creat });
        guest.write(fd, text);
        guest.ok('fd_close', fd);
      };
      make('file', 'image');
      make('other', 'other');
      for (const name of ['dir', 'empty']) guest.ok('path_create_directory', 3, ...guest.text(`${where}/${name}`));
      make('dir/inner', 'inner');
      for (const [name, target] of [
        ['link', 'file'],
        ['dangling', 'nowhere'],
        ['todir', 'dir'],
      ] as const)
        guest.ok('path_symlink', ...guest.text(target, at.other), 3, ...guest.text(`${where}/${name}`));
    }
    return { guest, where, p: (name: string) => `${where}/${name}` };
  });
}

/** A test for each place. */
function everywhere(what: string, test: (guest: HandGuest, p: (name: string) => string) => void): void {
  it(what, () => {
    for (const { guest, p, where } of places()) {
      try {
        test(guest, p);
      } catch (error) {
        throw new Error(`in ${where}: ${(error as Error).message}`, { cause: error });
      } finally {
        guest[Symbol.dispose]();
      }
    }
  });
}

const one = (guest: HandGuest, name: string, path: string) => guest.errno(name, 3, ...guest.text(path));
const rename = (guest: HandGuest, from: string, to: string) =>
  guest.errno('path_rename', 3, ...guest.text(from), 3, ...guest.text(to, at.other));
const link = (guest: HandGuest, from: string, to: string, lookup = 0) =>
  guest.errno('path_link', 3, lookup, ...guest.text(from), 3, ...guest.text(to, at.other));
const symlink = (guest: HandGuest, target: string, path: string) =>
  guest.errno('path_symlink', ...guest.text(target, at.other), 3, ...guest.text(path));
const contentOf = (guest: HandGuest, path: string): string => {
  const fd = guest.open(path);
  const text = guest.read(fd, 100);
  guest.ok('fd_close', fd);
  return text;
};
const typeOf = (guest: HandGuest, path: string, lookup = 0): number => {
  const answer = guest.errno('path_filestat_get', 3, lookup, ...guest.text(path), at.out);
  return answer === 0 ? guest.view.getUint8(at.out + 16) : -answer;
};
const inode = (guest: HandGuest, path: string): bigint => {
  guest.ok('path_filestat_get', 3, 0, ...guest.text(path), at.out);
  return guest.out64(8);
};

describe('path_rename', () => {
  everywhere('replaces a file by a file, and leaves open descriptors what they had', (guest, p) => {
    const before = guest.open(p('other'));
    expect(rename(guest, p('file'), p('other'))).toBe(0);
    expect(contentOf(guest, p('other'))).toBe('image');
    expect(typeOf(guest, p('file'))).toBe(-errno.noent);
    expect(guest.read(before, 100)).toBe('other');
  });

  everywhere('replaces an empty directory by a directory, and nothing else by one', (guest, p) => {
    expect(rename(guest, p('dir'), p('empty'))).toBe(0);
    expect(contentOf(guest, p('empty/inner'))).toBe('inner');
    expect(rename(guest, p('empty'), p('file'))).toBe(errno.notdir);
    expect(rename(guest, p('file'), p('empty'))).toBe(errno.isdir);
    guest.ok('path_create_directory', 3, ...guest.text(p('new')));
    expect(rename(guest, p('new'), p('empty'))).toBe(errno.notempty);
    expect(rename(guest, p('empty'), p('empty/below'))).toBe(errno.inval);
    expect(rename(guest, p('nothing'), p('x'))).toBe(errno.noent);
    expect(rename(guest, p('file'), p('nothing/x'))).toBe(errno.noent);
    expect(rename(guest, p('file'), p('other/x'))).toBe(errno.notdir);
  });

  everywhere('renames links themselves, and replaces them without following', (guest, p) => {
    expect(rename(guest, p('link'), p('moved'))).toBe(0);
    expect(typeOf(guest, p('moved'))).toBe(filetype.symbolicLink);
    expect(contentOf(guest, p('moved'))).toBe('image');
    expect(rename(guest, p('other'), p('dangling'))).toBe(0);
    expect(typeOf(guest, p('nowhere'))).toBe(-errno.noent);
    expect(contentOf(guest, p('dangling'))).toBe('other');
  });

  everywhere('does nothing between two names of one file, and to the same name', (guest, p) => {
    expect(link(guest, p('file'), p('second'))).toBe(0);
    expect(rename(guest, p('file'), p('second'))).toBe(0);
    expect(inode(guest, p('file'))).toBe(inode(guest, p('second')));
    expect(rename(guest, p('dir'), p('dir'))).toBe(0);
    expect(rename(guest, p('file'), p('file'))).toBe(0);
  });

  everywhere('takes a trailing slash for directories only', (guest, p) => {
    expect(rename(guest, p('file/'), p('x'))).toBe(errno.notdir);
    expect(rename(guest, p('file'), p('x/'))).toBe(errno.notdir);
    expect(rename(guest, p('dir/'), p('x/'))).toBe(0);
    expect(rename(guest, p('x//'), p('y'))).toBe(0);
    expect(contentOf(guest, p('y/inner'))).toBe('inner');
    expect(rename(guest, p('nothing/'), p('x'))).toBe(errno.noent);
  });

  it('refuses to pass from mount to mount, and to touch a mount', () => {
    using guest = new HandGuest({ lower, mounts: [{ type: 'tmpfs', target: '/tmp', readOnly: false }] });
    expect(rename(guest, 'i/file', 'tmp/file')).toBe(errno.xdev);
    expect(link(guest, 'i/file', 'tmp/file')).toBe(errno.xdev);
    expect(rename(guest, 'tmp', 'x')).toBe(errno.busy);
    expect(rename(guest, 'i/dir', 'tmp')).toBe(errno.busy);
    expect(one(guest, 'path_remove_directory', 'tmp')).toBe(errno.busy);
    expect(contentOf(guest, 'i/file')).toBe('image');
  });
});

describe('links', () => {
  everywhere('hard ones are names of one file, of no directory', (guest, p) => {
    expect(link(guest, p('file'), p('second'))).toBe(0);
    const fd = guest.open(p('second'));
    guest.write(fd, 'IMAGE');
    expect(contentOf(guest, p('file'))).toBe('IMAGE');
    guest.ok('fd_filestat_get', fd, at.out);
    expect(guest.out64(24)).toBe(2n);
    expect(one(guest, 'path_unlink_file', p('file'))).toBe(0);
    guest.ok('fd_filestat_get', fd, at.out);
    expect(guest.out64(24)).toBe(1n);
    expect(link(guest, p('dir'), p('d2'))).toBe(errno.perm);
    expect(link(guest, p('second'), p('other'))).toBe(errno.exist);
    expect(link(guest, p('second'), p('new/'))).toBe(errno.noent);
    expect(link(guest, p('second/'), p('new'))).toBe(errno.notdir);
    expect(link(guest, p('nothing'), p('new'))).toBe(errno.noent);
  });

  everywhere('hard ones to soft ones: the link itself, or what it leads to when that is asked for', (guest, p) => {
    expect(link(guest, p('dangling'), p('same'))).toBe(0);
    expect(typeOf(guest, p('same'))).toBe(filetype.symbolicLink);
    expect(link(guest, p('dangling'), p('x'), LOOKUP_FOLLOW)).toBe(errno.noent);
    expect(link(guest, p('link'), p('followed'), LOOKUP_FOLLOW)).toBe(0);
    expect(inode(guest, p('followed'))).toBe(inode(guest, p('file')));
  });

  everywhere('soft ones hold any relative text, and take no name that is there', (guest, p) => {
    expect(symlink(guest, '../../../../far', p('l1'))).toBe(0);
    expect(symlink(guest, 'x'.repeat(1000), p('l2'))).toBe(0);
    expect(symlink(guest, '', p('l3'))).toBe(errno.noent);
    expect(symlink(guest, '/i/file', p('l4'))).toBe(errno.perm);
    expect(symlink(guest, 'file', p('file'))).toBe(errno.exist);
    expect(symlink(guest, 'file', p('dangling'))).toBe(errno.exist);
    expect(symlink(guest, 'file', p('l5/'))).toBe(errno.noent);
    expect(symlink(guest, 'dir', p('dir/'))).toBe(errno.exist);
    guest.ok('path_filestat_get', 3, 0, ...guest.text(p('l2')), at.out);
    expect(guest.out64(32)).toBe(1000n);
  });

  everywhere('soft ones are followed where they are asked to be, 40 of them at most', (guest, p) => {
    expect(typeOf(guest, p('link'))).toBe(filetype.symbolicLink);
    expect(typeOf(guest, p('link'), LOOKUP_FOLLOW)).toBe(filetype.regularFile);
    expect(typeOf(guest, p('dangling'), LOOKUP_FOLLOW)).toBe(-errno.noent);
    expect(typeOf(guest, p('todir/'))).toBe(filetype.directory);
    expect(typeOf(guest, p('todir/inner'))).toBe(filetype.regularFile);
    expect(typeOf(guest, p('link/'))).toBe(-errno.notdir);
    for (let index = 0; index < 41; index++) symlink(guest, index === 0 ? 'file' : `c${index - 1}`, p(`c${index}`));
    expect(typeOf(guest, p('c39'), LOOKUP_FOLLOW)).toBe(filetype.regularFile);
    expect(typeOf(guest, p('c40'), LOOKUP_FOLLOW)).toBe(-errno.loop);
  });
});

describe('removal', () => {
  everywhere('unlink is for files and links, remove for empty directories', (guest, p) => {
    expect(one(guest, 'path_unlink_file', p('dir'))).toBe(errno.isdir);
    expect(one(guest, 'path_unlink_file', p('dir/'))).toBe(errno.isdir);
    expect(one(guest, 'path_unlink_file', p('file/'))).toBe(errno.notdir);
    expect(one(guest, 'path_remove_directory', p('file'))).toBe(errno.notdir);
    expect(one(guest, 'path_remove_directory', p('link'))).toBe(errno.notdir);
    expect(one(guest, 'path_remove_directory', p('dir'))).toBe(errno.notempty);
    expect(one(guest, 'path_remove_directory', p('empty/'))).toBe(0);
    expect(one(guest, 'path_unlink_file', p('todir'))).toBe(0);
    expect(contentOf(guest, p('dir/inner'))).toBe('inner');
    expect(one(guest, 'path_unlink_file', p('nothing'))).toBe(errno.noent);
    expect(one(guest, 'path_remove_directory', p('nothing'))).toBe(errno.noent);
    expect(one(guest, 'path_remove_directory', p('.'))).toBe(errno.inval);
    expect(one(guest, 'path_remove_directory', '.')).toBe(errno.busy);
  });

  everywhere('a file lives on while it is open, a directory is empty for who holds it', (guest, p) => {
    const file = guest.open(p('file'));
    expect(one(guest, 'path_unlink_file', p('file'))).toBe(0);
    guest.write(file, 'still');
    guest.ok('fd_seek', file, 0n, whence.set, at.out);
    expect(guest.read(file, 100)).toBe('still');
    guest.ok('fd_filestat_get', file, at.out);
    expect(guest.out64(24)).toBe(0n);
    const directory = guest.open(p('empty'), { oflags: oflag.directory });
    expect(one(guest, 'path_remove_directory', p('empty'))).toBe(0);
    const made = guest.errno('path_create_directory', directory, ...guest.text('x'));
    expect(made).toBe(errno.noent);
    guest.ok('fd_close', directory);
  });
});

describe('path_open', () => {
  const open = (guest: HandGuest, path: string, oflags: number, rights = right.fdRead, lookup = 0, fdflags = 0) =>
    guest.errno('path_open', 3, lookup, ...guest.text(path), oflags, BigInt(rights), 0n, fdflags, at.out);

  everywhere('makes files only where there is nothing, whatever a link says', (guest, p) => {
    const once = oflag.creat | oflag.excl;
    for (const name of ['file', 'dir', 'link', 'dangling'])
      for (const lookup of [0, LOOKUP_FOLLOW])
        expect(open(guest, p(name), once, right.fdRead, lookup), name).toBe(errno.exist);
    expect(open(guest, p('new'), once)).toBe(0);
    expect(open(guest, p('dangling'), oflag.creat, right.fdWrite, LOOKUP_FOLLOW)).toBe(0);
    expect(typeOf(guest, p('nowhere'))).toBe(filetype.regularFile);
    expect(open(guest, p('nothing/new'), oflag.creat)).toBe(errno.noent);
    expect([errno.isdir, errno.noent, errno.notdir]).toContain(open(guest, p('new2/'), oflag.creat));
    expect(typeOf(guest, p('new2'))).toBe(-errno.noent);
  });

  everywhere('opens no link as a file, and a directory only for reading', (guest, p) => {
    expect(open(guest, p('link'), 0)).toBe(errno.loop);
    expect([errno.loop, errno.notdir]).toContain(open(guest, p('todir'), oflag.directory));
    expect(open(guest, p('todir'), oflag.directory, 0, LOOKUP_FOLLOW)).toBe(0);
    expect(open(guest, p('file'), oflag.directory)).toBe(errno.notdir);
    expect(open(guest, p('dir'), 0, right.fdRead | right.fdWrite)).toBe(errno.isdir);
    expect(open(guest, p('dir'), oflag.trunc)).toBe(errno.isdir);
    expect(open(guest, p('file'), 0x10)).toBe(errno.inval);
    expect(open(guest, p('file'), 0, right.fdRead, 0, 0x20)).toBe(errno.inval);
  });

  everywhere('truncates', (guest, p) => {
    expect(open(guest, p('file'), oflag.trunc, right.fdRead | right.fdWrite)).toBe(0);
    expect(contentOf(guest, p('file'))).toBe('');
  });
});

describe('positions', () => {
  everywhere('append writes go to the end whatever is sought, and move the position there', (guest, p) => {
    const fd = guest.open(p('file'), { fdflags: fdflag.append });
    guest.ok('fd_seek', fd, 1n, whence.set, at.out);
    guest.write(fd, '+one');
    guest.ok('fd_tell', fd, at.out);
    expect(guest.out64()).toBe(9n);
    guest.ok('fd_seek', fd, 0n, whence.set, at.out);
    expect(guest.read(fd, 5)).toBe('image');
    guest.write(fd, '+', 'two');
    guest.ok('fd_tell', fd, at.out);
    expect(guest.out64()).toBe(13n);
    expect(contentOf(guest, p('file'))).toBe('image+one+two');
  });

  everywhere('pread and pwrite move none; a gap reads as zeros', (guest, p) => {
    const fd = guest.open(p('file'));
    guest.bytes.write('XY', at.data);
    guest.ok('fd_pwrite', fd, ...guest.iovs(2), 8n, at.out);
    guest.ok('fd_tell', fd, at.out);
    expect(guest.out64()).toBe(0n);
    expect(guest.read(fd, 100)).toBe('image\0\0\0XY');
    guest.ok('fd_pread', fd, ...guest.iovs(1, 1), 1n, at.out);
    expect(guest.bytes.toString('utf8', at.data, at.data + guest.out32())).toBe('ma');
    guest.ok('fd_pread', fd, ...guest.iovs(4), 100n, at.out);
    expect(guest.out32()).toBe(0);
    guest.ok('fd_filestat_set_size', fd, 2n);
    guest.ok('fd_seek', fd, 0n, whence.end, at.out);
    expect(guest.out64()).toBe(2n);
    guest.ok('fd_allocate', fd, 0n, 1n);
    guest.ok('fd_filestat_get', fd, at.out);
    expect(guest.out64(32)).toBe(2n);
  });

  everywhere('are each descriptor’s own', (guest, p) => {
    const [a, b] = [guest.open(p('file')), guest.open(p('file'))];
    expect(guest.read(a, 3)).toBe('ima');
    expect(guest.read(b, 2)).toBe('im');
    guest.ok('fd_renumber', a, b);
    expect(guest.read(b, 2)).toBe('ge');
  });
});

describe('times', () => {
  const set = (guest: HandGuest, path: string, atime: bigint, mtime: bigint, flags: number, lookup = 0) =>
    guest.errno('path_filestat_set_times', 3, lookup, ...guest.text(path), atime, mtime, flags);
  const times = (guest: HandGuest, path: string, lookup = 0): [bigint, bigint] => {
    guest.ok('path_filestat_get', 3, lookup, ...guest.text(path), at.out);
    return [guest.out64(40), guest.out64(48)];
  };
  const both = fstflag.atim | fstflag.mtim;

  everywhere('come back to the nanosecond, by path and by descriptor', (guest, p) => {
    for (const time of [0n, 1n, 1_700_000_000_123_456_789n, 1_700_000_000_123_456_689n, 4_000_000_000_000_000_001n]) {
      expect(set(guest, p('file'), time, time + 1n, both)).toBe(0);
      expect(times(guest, p('file'))).toEqual([time, time + 1n]);
      const fd = guest.open(p('file'));
      guest.ok('fd_filestat_get', fd, at.out);
      expect([guest.out64(40), guest.out64(48)]).toEqual([time, time + 1n]);
      guest.ok('fd_filestat_set_times', fd, 0n, time + 7n, fstflag.mtim);
      expect(times(guest, p('file'))).toEqual([time, time + 7n]);
      guest.ok('fd_close', fd);
    }
  });

  everywhere('of directories and links too; a link’s own or those of what it leads to', (guest, p) => {
    for (const name of ['dir', 'link', 'dangling']) {
      expect(set(guest, p(name), 11n, 22n, both)).toBe(0);
      expect(times(guest, p(name))).toEqual([11n, 22n]);
    }
    expect(times(guest, p('file'))[1]).toBeGreaterThan(1_000_000_000n);
    expect(set(guest, p('link'), 33n, 44n, both, LOOKUP_FOLLOW)).toBe(0);
    expect(times(guest, p('file'))).toEqual([33n, 44n]);
    expect(set(guest, p('dangling'), 1n, 1n, both, LOOKUP_FOLLOW)).toBe(errno.noent);
    const fd = guest.open(p('dir'), { oflags: oflag.directory });
    guest.ok('fd_filestat_set_times', fd, 0n, 55n, fstflag.mtim);
    expect(times(guest, p('dir'))).toEqual([11n, 55n]);
  });

  everywhere('move with a write, with “now”, and not otherwise', (guest, p) => {
    expect(set(guest, p('file'), 1n, 2n, both)).toBe(0);
    expect(set(guest, p('file'), 9n, 9n, 0)).toBe(0);
    expect(times(guest, p('file'))).toEqual([1n, 2n]);
    expect(set(guest, p('file'), 0n, 0n, fstflag.mtimNow)).toBe(0);
    expect(times(guest, p('file'))[0]).toBe(1n);
    expect(times(guest, p('file'))[1]).toBeGreaterThan(1_000_000_000_000_000_000n);
    expect(set(guest, p('file'), 1n, 2n, both)).toBe(0);
    const fd = guest.open(p('file'));
    guest.write(fd, 'x');
    expect(times(guest, p('file'))[1]).toBeGreaterThan(1_000_000_000_000_000_000n);
    for (const flags of [3, 12, 15, 16, -1]) expect(set(guest, p('file'), 0n, 0n, flags)).toBe(errno.inval);
  });
});

describe('rights', () => {
  it('of a directory: each is needed for its call', () => {
    const needs: [number, (guest: HandGuest, fd: number) => number][] = [
      [right.pathCreateDirectory, (guest, fd) => guest.errno('path_create_directory', fd, ...guest.text('new'))],
      [right.pathUnlinkFile, (guest, fd) => guest.errno('path_unlink_file', fd, ...guest.text('other'))],
      [right.pathRemoveDirectory, (guest, fd) => guest.errno('path_remove_directory', fd, ...guest.text('empty'))],
      [right.pathReadlink, (guest, fd) => guest.errno('path_readlink', fd, ...guest.text('link'), at.data, 9, at.out)],
      [right.pathFilestatGet, (guest, fd) => guest.errno('path_filestat_get', fd, 0, ...guest.text('file'), at.out)],
      [
        right.pathFilestatSetTimes,
        (guest, fd) => guest.errno('path_filestat_set_times', fd, 0, ...guest.text('file'), 1n, 1n, 5),
      ],
      [right.pathOpen, (guest, fd) => guest.errno('path_open', fd, 0, ...guest.text('file'), 0, 2n, 0n, 0, at.out)],
      [
        right.pathCreateFile,
        (guest, fd) => guest.errno('path_open', fd, 0, ...guest.text('made'), oflag.creat, 2n, 0n, 0, at.out),
      ],
      [
        right.pathFilestatSetSize,
        (guest, fd) => guest.errno('path_open', fd, 0, ...guest.text('file'), oflag.trunc, 2n, 0n, 0, at.out),
      ],
      [
        right.pathSymlink,
        (guest, fd) => guest.errno('path_symlink', ...guest.text('x', at.other), fd, ...guest.text('s')),
      ],
      [
        right.pathLinkSource,
        (guest, fd) => guest.errno('path_link', fd, 0, ...guest.text('file'), 3, ...guest.text('l1', at.other)),
      ],
      [
        right.pathLinkTarget,
        (guest, fd) => guest.errno('path_link', 3, 0, ...guest.text('i/file'), fd, ...guest.text('l2', at.other)),
      ],
      [
        right.pathRenameSource,
        (guest, fd) => guest.errno('path_rename', fd, ...guest.text('file'), 3, ...guest.text('r1', at.other)),
      ],
      [
        right.pathRenameTarget,
        (guest, fd) => guest.errno('path_rename', 3, ...guest.text('i/file'), fd, ...guest.text('r2', at.other)),
      ],
      [right.fdReaddir, (guest, fd) => guest.errno('fd_readdir', fd, at.data, 100, 0n, at.out)],
      [right.fdFilestatGet, (guest, fd) => guest.errno('fd_filestat_get', fd, at.out)],
      [right.fdFilestatSetTimes, (guest, fd) => guest.errno('fd_filestat_set_times', fd, 1n, 1n, 5)],
      [right.fdSync, (guest, fd) => guest.errno('fd_sync', fd)],
    ];
    for (const [needed, call] of needs) {
      using guest = new HandGuest({ lower });
      const fd = guest.open('i', { oflags: oflag.directory });
      guest.ok('fd_fdstat_get', fd, at.out);
      const [base, inheriting] = [guest.out64(8), guest.out64(16)];
      guest.ok('fd_fdstat_set_rights', fd, base & ~BigInt(needed), inheriting);
      expect(call(guest, fd), String(call)).toBe(errno.notcapable);
      using other = new HandGuest({ lower });
      const whole = other.open('i', { oflags: oflag.directory });
      expect(call(other, whole), String(call)).toBe(0);
    }
  });

  it('are inherited by what is opened, and no more than the directory has to give', () => {
    using guest = new HandGuest({ lower });
    const fd = guest.open('i', { oflags: oflag.directory });
    guest.ok('fd_fdstat_get', fd, at.out);
    guest.ok('fd_fdstat_set_rights', fd, guest.out64(8), BigInt(right.fdRead | right.fdSeek | right.fdFilestatGet));
    const file = guest.open('file', { fd });
    guest.ok('fd_fdstat_get', file, at.out);
    expect(guest.out64(8)).toBe(BigInt(right.fdRead | right.fdSeek | right.fdFilestatGet));
    expect(guest.read(file, 100)).toBe('image');
    expect(guest.errno('fd_write', file, ...guest.iovs(1), at.out)).toBe(errno.badf);
    expect(guest.errno('fd_filestat_set_size', file, 0n)).toBe(errno.inval);
    expect(guest.errno('fd_sync', file)).toBe(errno.notcapable);
  });
});

describe('fd_readdir', () => {
  it('cuts the last entry where the buffer ends, and gives it whole to the cookie before it', () => {
    using guest = new HandGuest({ lower: { 'd/abcdefgh': '', 'd/ijklmnop': '' } });
    const fd = guest.open('d', { oflags: oflag.directory });
    guest.ok('fd_readdir', fd, at.data, 4096, 0n, at.out);
    const whole = Buffer.from(guest.bytes.subarray(at.data, at.data + guest.out32()));
    expect(whole).toHaveLength(24 + 1 + 24 + 2 + 2 * (24 + 8));
    for (let size = 0; size < whole.length; size++) {
      guest.bytes.fill(0xee, at.data, at.data + whole.length + 8);
      guest.ok('fd_readdir', fd, at.data, size, 0n, at.out);
      expect(guest.out32()).toBe(size);
      expect(guest.bytes.subarray(at.data, at.data + size)).toEqual(whole.subarray(0, size));
      expect(guest.bytes[at.data + size]).toBe(0xee);
    }
    const third = whole.readBigUInt64LE(24 + 1);
    guest.ok('fd_readdir', fd, at.data, 24 + 8, third, at.out);
    expect(guest.bytes.subarray(at.data, at.data + 32)).toEqual(whole.subarray(51, 51 + 32));
  });
});

describe('limits', () => {
  it(
    '10,000 files are open at once, or as many as the system gives, and all can be closed',
    { timeout: 120_000 },
    () => {
      using guest = new HandGuest({ lower: { f: 'x' }, descriptorLimit: 12_000 });
      const opened: number[] = [];
      let answer = 0;
      while (answer === 0 && opened.length < 10_000) {
        answer = guest.errno('path_open', 3, 0, ...guest.text('f'), 0, 2n, 0n, 0, at.out);
        if (answer === 0) opened.push(guest.out32());
      }
      expect([0, errno.mfile, errno.nfile]).toContain(answer);
      expect(opened.length).toBeGreaterThan(500);
      const [first, last] = [opened[0], opened.at(-1)] as [number, number];
      // One is given back, or a system without any left could not even tell what is there.
      guest.ok('fd_close', first);
      expect(guest.read(last, 5)).toBe('x');
      expect(contentOf(guest, 'f')).toBe('x');
      for (const fd of opened.slice(1)) guest.ok('fd_close', fd);
      expect(guest.open('f')).toBe(4);
    },
  );

  it('more buffers than one call takes: it moves what the first of them hold', () => {
    using guest = new HandGuest({ lower: { f: '' } });
    const count = 2000;
    for (let index = 0; index < count; index++) {
      guest.view.setUint32(at.data + index * 8, at.text + (index % 7), true);
      guest.view.setUint32(at.data + index * 8 + 4, index % 2, true);
    }
    guest.bytes.write('abcdefg', at.text);
    const fd = guest.open('f');
    guest.ok('fd_write', fd, at.data, count, at.out);
    // Every second one is empty, and those do not count.
    expect(guest.out32()).toBe(1000);
    for (let index = 0; index < count; index++) guest.view.setUint32(at.data + index * 8 + 4, 1, true);
    guest.ok('fd_write', fd, at.data, count, at.out);
    expect(guest.out32()).toBe(1024);
    guest.ok('fd_seek', fd, 0n, whence.set, at.out);
    guest.ok('fd_read', fd, at.data, count, at.out);
    expect(guest.out32()).toBe(1024);
  });

  it('buffers that overlap are filled one after another', () => {
    using guest = new HandGuest({ lower: { f: '0123456789' } });
    const fd = guest.open('f');
    const vectors = [
      [at.data, 6],
      [at.data + 2, 3],
    ] as const;
    vectors.forEach(([pointer, length], index) => {
      guest.view.setUint32(at.iovs + index * 8, pointer, true);
      guest.view.setUint32(at.iovs + index * 8 + 4, length, true);
    });
    guest.ok('fd_read', fd, at.iovs, 2, at.out);
    expect(guest.out32()).toBe(9);
    expect(guest.bytes.toString('latin1', at.data, at.data + 6)).toBe('016785');
    // The list itself is one of the buffers: it was read before anything was written.
    guest.ok('fd_seek', fd, 0n, whence.set, at.out);
    guest.view.setUint32(at.iovs, at.iovs, true);
    guest.view.setUint32(at.iovs + 4, 10, true);
    guest.ok('fd_read', fd, at.iovs, 1, at.out);
    expect(guest.bytes.toString('latin1', at.iovs, at.iovs + 10)).toBe('0123456789');
  });

  it('random bytes: as many as memory has', () => {
    using guest = new HandGuest();
    guest.memory.grow(15);
    guest.ok('random_get', 0, 16 * 65_536);
    expect(guest.errno('random_get', 1, 16 * 65_536)).toBe(errno.fault);
    expect(new Set(guest.bytes.subarray(-1000)).size).toBeGreaterThan(100);
  });
});
