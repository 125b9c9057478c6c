import { chmodSync, lstatSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { failure, namesIn, openFile, readText, Scratch, waysOfHolding, writeText } from './testing.ts';

const image = {
  'etc/hosts': 'hosts',
  'etc/conf/a': 'A',
  'etc/conf/b': 'B',
  'bin/tool': 'tool',
  link: '->etc/hosts',
  'empty/': '',
};

describe.each(waysOfHolding)('overlay held by %s', (_way, descriptors) => {
  const open = () => new Scratch(descriptors, { lower: image });

  it('reads the image and leaves the upper empty', () => {
    using at = open();
    const table = at.table();
    expect(readText(table, '/etc/hosts')).toBe('hosts');
    expect(readText(table, 'link')).toBe('hosts');
    expect(namesIn(table, '/')).toEqual(['bin', 'empty', 'etc', 'link']);
    expect(at.upperHas('etc')).toBe(false);
  });

  it('copies a file up on the first write: same mode, rest of the bytes, snapshot untouched', () => {
    using at = open();
    chmodSync(join(at.lower, 'etc/hosts'), 0o640);
    const table = at.table();
    const file = openFile(table, '/etc/hosts', { write: true });
    file.write(Buffer.from('G'), 0, 1, 0);
    file.close();
    expect(readText(table, '/etc/hosts')).toBe('Gosts');
    expect(readFileSync(join(at.lower, 'etc/hosts'), 'utf8')).toBe('hosts');
    expect(readFileSync(join(at.upper, 'etc/hosts'), 'utf8')).toBe('Gosts');
    expect(statSync(join(at.upper, 'etc/hosts')).mode & 0o777).toBe(0o640);
    expect(at.upperHas('etc/conf')).toBe(false);
  });

  it('keeps the times of what it copies up, and of the directories above', () => {
    using at = open();
    utimesSync(join(at.lower, 'bin/tool'), 1_000_000, 2_000_000);
    utimesSync(join(at.lower, 'bin'), 3_000_000, 4_000_000);
    const table = at.table();
    table.chmod(table.root, '/bin/tool', 0o755);
    expect(at.upperHas('bin/tool')).toBe(true);
    expect(table.stat(table.root, '/bin/tool', { follow: true }).mtime).toBe(2_000_000_000_000_000n);
    expect(table.stat(table.root, '/bin', { follow: true }).mtime).toBe(4_000_000_000_000_000n);
  });

  it('deletes what is the image’s with a whiteout, and what is its own without', () => {
    using at = open();
    const table = at.table();
    table.unlink(table.root, '/etc/hosts');
    writeText(table, '/etc/mine', 'x');
    table.unlink(table.root, '/etc/mine');
    expect(failure(() => readText(table, '/etc/hosts'))).toBe('ENOENT');
    expect(namesIn(table, '/etc')).toEqual(['conf']);
    expect(lstatSync(join(at.upper, 'etc/.wh.hosts')).size).toBe(0);
    expect(at.upperHas('etc/.wh.mine')).toBe(false);
    writeText(table, '/etc/hosts', 'again');
    expect(readText(table, '/etc/hosts')).toBe('again');
    expect(namesIn(table, '/etc')).toEqual(['conf', 'hosts']);
    table.unlink(table.root, '/etc/hosts');
    expect(failure(() => readText(table, '/etc/hosts'))).toBe('ENOENT');
  });

  it('brings a deleted directory back empty', () => {
    using at = open();
    const table = at.table();
    expect(failure(() => table.removeDirectory(table.root, '/etc/conf'))).toBe('ENOTEMPTY');
    for (const name of ['a', 'b']) table.unlink(table.root, `/etc/conf/${name}`);
    table.removeDirectory(table.root, '/etc/conf');
    expect(failure(() => namesIn(table, '/etc/conf'))).toBe('ENOENT');
    table.makeDirectory(table.root, '/etc/conf');
    expect(namesIn(table, '/etc/conf')).toEqual([]);
    expect(failure(() => readText(table, '/etc/conf/a'))).toBe('ENOENT');
    expect(at.upperHas('etc/conf/.wh..wh..opq')).toBe(true);
    // A new table reads the same from the marks alone.
    expect(namesIn(at.table(), '/etc/conf')).toEqual([]);
  });

  it('reads the marks that an unpacked layer left', () => {
    using at = new Scratch(descriptors, {
      lower: image,
      upper: {
        'etc/.wh.hosts': '',
        'etc/conf/.wh..wh..opq': '',
        'etc/conf/c': 'C',
        'etc/.wh..wh.123-work': 'unfinished',
      },
    });
    const table = at.table();
    expect(namesIn(table, '/etc')).toEqual(['conf']);
    expect(namesIn(table, '/etc/conf')).toEqual(['c']);
    expect(failure(() => readText(table, 'link'))).toBe('ENOENT');
    for (const name of ['.wh.hosts', '.wh..wh.123-work', 'conf/.wh..wh..opq'])
      expect(failure(() => table.stat(table.root, `/etc/${name}`, { follow: false }))).toBe('ENOENT');
  });

  it('lets no guest make marks', () => {
    using at = open();
    const table = at.table();
    expect(failure(() => writeText(table, '/etc/.wh.hosts', ''))).toBe('EPERM');
    expect(failure(() => table.makeDirectory(table.root, '/.wh.x'))).toBe('EPERM');
    expect(failure(() => table.symlink('x', table.root, '/.wh..wh..opq'))).toBe('EPERM');
    expect(failure(() => table.rename(table.root, '/bin/tool', table.root, '/bin/.wh.tool'))).toBe('EPERM');
    expect(readText(table, '/bin/tool')).toBe('tool');
  });

  it('renames files and directories of the image', () => {
    using at = open();
    const table = at.table();
    table.rename(table.root, '/bin/tool', table.root, '/etc/hosts');
    expect(readText(table, '/etc/hosts')).toBe('tool');
    expect(namesIn(table, '/bin')).toEqual([]);
    writeText(table, '/etc/conf/a', 'changed');
    table.unlink(table.root, '/etc/conf/b');
    table.rename(table.root, '/etc', table.root, '/moved');
    expect(namesIn(table, '/')).toEqual(['bin', 'empty', 'link', 'moved']);
    expect(namesIn(table, '/moved/conf')).toEqual(['a']);
    expect(readText(table, '/moved/conf/a')).toBe('changed');
    // Over an empty directory of the image, whose place then hides the old one.
    table.rename(table.root, '/moved', table.root, '/empty');
    expect(namesIn(table, '/empty')).toEqual(['conf', 'hosts']);
    expect(namesIn(at.table(), '/')).toEqual(['bin', 'empty', 'link']);
    expect(readFileSync(join(at.lower, 'etc/conf/b'), 'utf8')).toBe('B');
  });

  it('renames a directory of the image with what is in it of the container’s own: not copied, still the same files', () => {
    using at = open();
    const table = at.table();
    const { root } = table;
    const huge = openFile(table, '/etc/conf/huge', { write: true, create: true });
    // A copy of it would never end.
    huge.resize(2 ** 42);
    writeText(table, '/etc/conf/a', 'mine');
    table.symlink('a', root, '/etc/conf/l');
    const before = table.stat(root, '/etc/conf/huge', { follow: false });
    table.rename(root, '/etc', root, '/moved');
    expect(table.stat(root, '/moved/conf/huge', { follow: false })).toMatchObject({ ino: before.ino, size: 2n ** 42n });
    huge.write(Buffer.from('x'), 0, 1, 0);
    huge.resize(1);
    huge.close();
    expect(readText(table, '/moved/conf/huge')).toBe('x');
    expect(readText(table, '/moved/conf/l')).toBe('mine');
    expect(namesIn(table, '/moved/conf')).toEqual(['a', 'b', 'huge', 'l']);
    expect(table.stat(root, '/moved/conf/huge', { follow: false }).nlink).toBe(1n);
    expect(namesIn(table, '/')).toEqual(['bin', 'empty', 'link', 'moved']);
  });

  it('a removed directory is gone for whoever holds it open, also when its name is there again', async () => {
    using at = open();
    const table = at.table();
    const other = at.table();
    const hold = (from: typeof table, path: string) => {
      const opened = from.open(from.root, path, { read: true, write: false, follow: false });
      if (!('directory' in opened)) throw new Error('not a directory');
      return opened.directory;
    };
    const mine = hold(table, '/empty');
    const theirs = hold(other, '/empty');
    table.removeDirectory(table.root, '/empty');
    expect(failure(() => table.makeDirectory(mine, 'x'))).toBe('ENOENT');
    expect(failure(() => other.makeDirectory(theirs, 'x'))).toBe('ENOENT');
    table.makeDirectory(table.root, '/empty');
    writeText(table, '/empty/new', 'new');
    expect(failure(() => table.makeDirectory(mine, 'x'))).toBe('ENOENT');
    expect(failure(() => other.makeDirectory(theirs, 'x'))).toBe('ENOENT');
    expect(table.list(mine)).toEqual([]);
    expect(namesIn(table, '/empty')).toEqual(['new']);
    // What was entered a moment ago is believed to be there for two milliseconds.
    await expect.poll(() => namesIn(other, '/empty'), { interval: 2 }).toEqual(['new']);
    // With a part of its own, and with what was deleted in it.
    const conf = hold(table, '/etc/conf');
    for (const name of ['a', 'b']) table.unlink(table.root, `/etc/conf/${name}`);
    table.removeDirectory(table.root, '/etc/conf');
    if (descriptors) expect(table.list(conf)).toEqual([]);
    expect(failure(() => table.stat(conf, 'a', { follow: false }))).toBe('ENOENT');
    expect(failure(() => table.makeDirectory(conf, 'a'))).toBe('ENOENT');
    expect(namesIn(table, '/etc')).toEqual(['hosts']);
    for (const [from, directory] of [
      [table, mine],
      [other, theirs],
      [table, conf],
    ] as const)
      from.release(directory);
  });

  it('refuses renames that make no sense, and changes nothing', () => {
    using at = open();
    const table = at.table();
    const rename = (from: string, to: string) => failure(() => table.rename(table.root, from, table.root, to));
    expect(rename('/etc', '/etc/conf/deeper')).toBe('EINVAL');
    expect(rename('/etc', '/bin')).toBe('ENOTEMPTY');
    expect(rename('/etc', '/bin/tool')).toBe('ENOTDIR');
    expect(rename('/bin/tool', '/etc')).toBe('EISDIR');
    expect(rename('/nothing', '/x')).toBe('ENOENT');
    expect(rename('/bin/tool/', '/x')).toBe('ENOTDIR');
    expect(rename('/', '/x')).toBe('EBUSY');
    expect(readText(table, '/etc/conf/a')).toBe('A');
    expect(readText(table, '/bin/tool')).toBe('tool');
  });

  it('makes hard links of files of the image', () => {
    using at = open();
    const table = at.table();
    const nofollow = { follow: false };
    table.link(table.root, '/bin/tool', nofollow, table.root, '/bin/other');
    writeText(table, '/bin/other', 'both');
    expect(readText(table, '/bin/tool')).toBe('both');
    expect(table.stat(table.root, '/bin/tool', nofollow).nlink).toBe(2n);
    expect(failure(() => table.link(table.root, '/etc', nofollow, table.root, '/x'))).toBe('EPERM');
    expect(failure(() => table.link(table.root, '/bin/tool', nofollow, table.root, '/etc/hosts'))).toBe('EEXIST');
    expect(readFileSync(join(at.lower, 'bin/tool'), 'utf8')).toBe('tool');
  });

  it('sets times to the nanosecond, through a descriptor opened for reading too', () => {
    using at = open();
    const table = at.table();
    const exact = 1_700_000_000_123_456_789n;
    table.setTimes(table.root, '/etc/conf/a', { atime: undefined, mtime: exact }, { follow: true });
    expect(table.stat(table.root, '/etc/conf/a', { follow: true }).mtime).toBe(exact);
    const file = openFile(table, '/bin/tool');
    file.setTimes({ atime: undefined, mtime: exact });
    expect(file.stat().mtime).toBe(exact);
    file.close();
    expect(table.stat(table.root, '/bin/tool', { follow: true }).mtime).toBe(exact);
    // Once written to, the kernel's time counts again.
    writeText(table, '/bin/tool', 'new');
    expect(table.stat(table.root, '/bin/tool', { follow: true }).mtime).not.toBe(exact);
    table.setTimes(table.root, '/etc', { atime: exact, mtime: exact }, { follow: true });
    expect(table.stat(table.root, '/etc', { follow: true }).atime).toBe(exact);
    table.setTimes(table.root, '/link', { atime: undefined, mtime: exact }, { follow: false });
    expect(table.stat(table.root, '/link', { follow: false }).mtime).toBe(exact);
    expect(table.readLink(table.root, '/link')).toBe('etc/hosts');
  });

  it('sees at once what another process of the container changes', () => {
    using at = open();
    const one = at.table();
    const other = at.table();
    for (let round = 0; round < 20; round++) {
      const path = `/etc/conf/new-${round}`;
      expect(failure(() => readText(one, path))).toBe('ENOENT');
      writeText(other, path, `${round}`);
      expect(readText(one, path)).toBe(`${round}`);
      expect(namesIn(one, '/etc/conf')).toContain(`new-${round}`);
      other.unlink(other.root, path);
      expect(failure(() => readText(one, path))).toBe('ENOENT');
    }
    other.rename(other.root, '/bin', other.root, '/bin2');
    expect(readText(one, '/bin2/tool')).toBe('tool');
    // The docker cp way: straight into the upper.
    writeFileSync(join(at.upper, 'etc/conf/copied'), 'in');
    expect(readText(one, '/etc/conf/copied')).toBe('in');
  });

  it('is read-only when asked, for every kind of change', () => {
    using at = open();
    const table = at.table([], true);
    const { root } = table;
    const times = { atime: 1n, mtime: 1n };
    expect(readText(table, '/etc/hosts')).toBe('hosts');
    const changes = [
      () => writeText(table, '/etc/hosts', 'x'),
      () => writeText(table, '/etc/new', 'x'),
      () => table.unlink(root, '/etc/hosts'),
      () => table.makeDirectory(root, '/d'),
      () => table.removeDirectory(root, '/empty'),
      () => table.symlink('x', root, '/s'),
      () => table.link(root, '/etc/hosts', { follow: false }, root, '/l'),
      () => table.rename(root, '/etc', root, '/e'),
      () => table.setTimes(root, '/etc/hosts', times, { follow: true }),
      () => table.setTimes(root, '/etc', times, { follow: true }),
      () => table.chmod(root, '/etc/hosts', 0o777),
      () => openFile(table, '/etc/hosts').setTimes(times),
    ];
    for (const change of changes) expect(failure(change), String(change)).toBe('EROFS');
    expect(failure(() => table.makeDirectory(root, '/etc'))).toBe('EEXIST');
    expect(failure(() => table.unlink(root, '/nothing'))).toBe('ENOENT');
  });
});
