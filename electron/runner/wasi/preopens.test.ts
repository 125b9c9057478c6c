import { describe, expect, it } from 'vitest';
import { errno } from './errno.ts';
import { at, HandGuest } from './testing.ts';
import { LOOKUP_FOLLOW, oflag } from './types.ts';

/** What a libc does at its start: asks for preopens from 3 on until there is none. */
function preopens(guest: HandGuest): string[] {
  const names: string[] = [];
  for (let fd = 3; guest.errno('fd_prestat_get', fd, at.out) === 0; fd++) {
    const length = guest.view.getUint32(at.out + 4, true);
    guest.ok('fd_prestat_dir_name', fd, at.data, length);
    names.push(guest.bytes.toString('utf8', at.data, at.data + length));
  }
  return names;
}

const lower = { 'data/inside': 'inside', 'deep/er/f': 'deep', link: '->/data', file: 'x' };

describe('preopens', () => {
  it('are the root and what was asked for, under just the names that were given', () => {
    using guest = new HandGuest({ lower, preopens: ['data', './deep/er', '/link'] });
    expect(preopens(guest)).toEqual(['/', 'data', './deep/er', '/link']);
    for (const [fd, name] of [
      [4, 'inside'],
      [5, 'f'],
      [6, 'inside'],
    ] as const) {
      guest.ok('path_filestat_get', fd, LOOKUP_FOLLOW, ...guest.text(name), at.out);
      expect(guest.errno('path_filestat_get', fd, LOOKUP_FOLLOW, ...guest.text('../file'), at.out)).toBe(
        errno.notcapable,
      );
    }
    expect(guest.open('file')).toBe(7);
  });

  it('are closed like any descriptor, and are gone then', () => {
    using guest = new HandGuest({ lower, preopens: ['data'] });
    guest.ok('fd_close', 4);
    expect(preopens(guest)).toEqual(['/']);
    expect(guest.errno('fd_prestat_dir_name', 4, at.data, 4)).toBe(errno.badf);
    // The number is free again; what gets it is no preopen.
    expect(guest.open('data', { oflags: oflag.directory })).toBe(4);
    expect(guest.errno('fd_prestat_get', 4, at.out)).toBe(errno.badf);
    guest.ok('fd_close', 3);
    expect(guest.errno('path_open', 3, 0, ...guest.text('file'), 0, 2n, 0n, 0, at.out)).toBe(errno.badf);
    expect(guest.errno('fd_prestat_get', 3, at.out)).toBe(errno.badf);
  });

  it('move with fd_renumber, and what is put over one is none', () => {
    using guest = new HandGuest({ lower, preopens: ['data'] });
    const directory = guest.open('deep', { oflags: oflag.directory });
    guest.ok('fd_renumber', 4, directory);
    expect(guest.errno('fd_prestat_get', 4, at.out)).toBe(errno.badf);
    guest.ok('fd_prestat_get', directory, at.out);
    guest.ok('path_filestat_get', directory, 0, ...guest.text('inside'), at.out);
    const file = guest.open('file');
    guest.ok('fd_renumber', file, 3);
    expect(guest.errno('fd_prestat_get', 3, at.out)).toBe(errno.badf);
    guest.ok('fd_tell', 3, at.out);
  });

  it('give their name into a buffer of its length or more, and refuse a shorter one', () => {
    using guest = new HandGuest({ lower, preopens: ['data'] });
    guest.bytes.fill(0x23, at.data, at.data + 16);
    for (const length of [0, 3]) expect(guest.errno('fd_prestat_dir_name', 4, at.data, length)).toBe(errno.nametoolong);
    expect(guest.bytes.toString('utf8', at.data, at.data + 5)).toBe('#####');
    guest.ok('fd_prestat_dir_name', 4, at.data, 10);
    expect(guest.bytes.toString('utf8', at.data, at.data + 5)).toBe('data#');
    expect(guest.errno('fd_prestat_dir_name', 4, -2, 4)).toBe(errno.fault);
    expect(guest.errno('fd_prestat_get', 4, 65_533)).toBe(errno.fault);
  });

  it('must be directories', () => {
    for (const [name, code] of [
      ['file', 'ENOTDIR'],
      ['nothing', 'ENOENT'],
      ['../up/nothing', 'ENOENT'],
    ])
      expect(() => new HandGuest({ lower, preopens: [name as string] })).toThrow(expect.objectContaining({ code }));
  });
});
