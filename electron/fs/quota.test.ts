import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openHostDirectory } from './host-directory.ts';
import type { MountTable } from './mount-table.ts';
import { openMountTable } from './mount-table.ts';
import { costOfTree, NAME_COST } from './quota.ts';
import { failure, openFile, readText, Scratch, waysOfHolding, writeText } from './testing.ts';

const KIB = 1024;
const LIMIT = 256 * KIB;
const image = {
  'etc/hosts': 'hosts',
  'etc/conf/a': 'A'.repeat(5000),
  'etc/conf/deep/b': 'B',
  big: 'x'.repeat(200 * KIB),
};

/** The limited file system of one process of a container, and what its ledger says. */
class Limited extends Scratch {
  readonly ledger = join(this.path, 'usage');
  readonly #held: boolean;
  readonly #open: MountTable[] = [];

  constructor(descriptors: boolean, upper = {}) {
    super(descriptors, { lower: image, upper });
    this.#held = descriptors;
  }

  process(limit = LIMIT): MountTable {
    const { lower, upper, ledger } = this;
    const table = openMountTable(
      [{ type: 'overlay', target: '/', lower, upper, readOnly: false, quota: { limit, ledger } }],
      { descriptors: this.#held },
    );
    this.#open.push(table);
    return table;
  }

  /** Bytes by the ledger. */
  get counted(): number {
    const bytes = readFileSync(this.ledger);
    let sum = 0;
    for (let at = 0; at < bytes.length; at += 16) sum += bytes.readDoubleLE(at + 8);
    return sum;
  }

  /** Bytes by looking. */
  get there(): number {
    const root = openHostDirectory(this.upper);
    try {
      return costOfTree(root);
    } finally {
      root.close();
    }
  }

  override [Symbol.dispose](): void {
    for (const table of this.#open) table.close();
    super[Symbol.dispose]();
  }
}

const fill = (table: MountTable, path: string): number => {
  const file = openFile(table, path, { write: true, create: true });
  const block = Buffer.alloc(10_000, 1);
  let size = 0;
  expect(
    failure(() => {
      for (;;) size += file.write(block, 0, block.length, size);
    }),
  ).toBe('ENOSPC');
  expect(file.stat().size).toBe(BigInt(size));
  file.close();
  return size;
};

describe.each(waysOfHolding)('the quota of an upper held by %s', (_way, descriptors) => {
  const open = (upper = {}) => new Limited(descriptors, upper);

  it('lets a file grow to the limit and no further, and gives all of it back', () => {
    using at = open();
    const table = at.process();
    expect(fill(table, '/full')).toBe(Math.floor((LIMIT - NAME_COST) / 4096) * 4096);
    expect(failure(() => writeText(table, '/other', 'x'))).toBe('ENOSPC');
    // What is there can be written over, and read.
    const file = openFile(table, '/full', { write: true });
    expect(file.write(Buffer.alloc(5000), 0, 5000, 100)).toBe(5000);
    file.close();
    table.unlink(table.root, '/full');
    expect(at.counted).toBe(at.there);
    fill(table, '/again');
  });

  it('counts what was there before, and the names', () => {
    using at = open({ 'old/file': 'o'.repeat(100 * KIB), 'etc/.wh.hosts': '' });
    const table = at.process();
    let made = 0;
    const error = failure(() => {
      for (; made < 1000; made++) table.makeDirectory(table.root, `/${made}`);
    });
    expect(error).toBe('ENOSPC');
    // old, old/file and etc are names; the file fills 25 blocks.
    expect(made).toBe((LIMIT - 3 * NAME_COST - 100 * KIB) / NAME_COST);
    expect(at.counted).toBe(LIMIT);
    table.removeDirectory(table.root, '/7');
    table.makeDirectory(table.root, '/seven');
  });

  it('counts what is there before the first change, whichever that is', () => {
    const mine = { mine: 'm'.repeat(100 * KIB), dir: '->mine', 'empty/': '' };
    const firsts: ((table: MountTable) => void)[] = [
      (table) => table.unlink(table.root, '/mine'),
      (table) => table.removeDirectory(table.root, '/empty'),
      (table) => table.rename(table.root, '/dir', table.root, '/mine'),
      (table) => openFile(table, '/mine', { write: true, truncate: true }).close(),
      (table) => openFile(table, '/mine', { truncate: true }).close(),
      (table) => {
        const file = openFile(table, '/mine', { write: true });
        file.resize(10);
        file.close();
      },
    ];
    for (const first of firsts) {
      using at = open(mine);
      first(at.process());
      expect(at.counted).toBe(at.there);
    }
  });

  it('pays for copies of what is the image’s, and deletes it for nothing', () => {
    using at = open();
    const table = at.process();
    openFile(table, '/big', { write: true }).close();
    expect(at.counted).toBe(NAME_COST + 200 * KIB);
    expect(failure(() => table.rename(table.root, '/etc', table.root, '/moved'))).toBe('nothing');
    expect(fill(table, '/more')).toBeLessThan(50 * KIB);
    expect(at.counted).toBe(at.there);
    table.unlink(table.root, '/big');
    table.unlink(table.root, '/moved/hosts');
    expect(at.counted).toBe(at.there);
    expect(readText(table, '/moved/conf/deep/b')).toBe('B');
  });

  it('refuses a copy that does not fit, and nothing is lost', () => {
    using at = open({ mine: 'm'.repeat(100 * KIB) });
    const table = at.process();
    expect(failure(() => openFile(table, '/big', { write: true }))).toBe('ENOSPC');
    expect(failure(() => table.chmod(table.root, '/big', 0o600))).toBe('ENOSPC');
    expect(readText(table, '/big')).toBe(image['big']);
    expect(at.upperHas('big')).toBe(false);
    // Without its bytes it fits.
    openFile(table, '/big', { write: true, truncate: true }).close();
    expect(at.counted).toBe(at.there);
  });

  it('counts holes, cuts, allocations and the bytes of a file whose name is gone', () => {
    using at = open();
    const table = at.process();
    const file = openFile(table, '/a', { write: true, create: true });
    expect(failure(() => file.resize(LIMIT))).toBe('ENOSPC');
    expect(failure(() => file.allocate(0, LIMIT))).toBe('ENOSPC');
    expect(failure(() => file.write(Buffer.of(1), 0, 1, LIMIT))).toBe('ENOSPC');
    file.resize(200 * KIB);
    file.resize(50 * KIB);
    file.allocate(0, 60 * KIB);
    expect(at.counted).toBe(NAME_COST + 60 * KIB);
    table.unlink(table.root, '/a');
    expect(at.counted).toBe(60 * KIB);
    expect(file.write(Buffer.alloc(20 * KIB), 0, 20 * KIB, 60 * KIB)).toBe(20 * KIB);
    expect(at.counted).toBe(80 * KIB);
    file.close();
    expect(at.counted).toBe(0);
  });

  it('is one for all processes of the container, and killed ones leave their account', () => {
    using at = open({ old: 'o'.repeat(50 * KIB) });
    const [first, second] = [at.process(), at.process()];
    writeText(first, '/a', 'a'.repeat(100 * KIB));
    writeText(second, '/b', 'b'.repeat(50 * KIB));
    expect(failure(() => writeText(second, '/c', 'c'.repeat(100 * KIB)))).toBe('nothing');
    expect(statSync(join(at.upper, 'c')).size).toBeLessThan(60 * KIB);
    expect(at.counted).toBe(at.there);
    // One removes what the other made.
    second.unlink(second.root, '/a');
    // The first is never closed; a third comes.
    const third = at.process();
    third.unlink(third.root, '/old');
    fill(third, '/d');
    expect(at.counted).toBe(at.there);
    expect(failure(() => writeText(first, '/e', 'e'.repeat(5 * KIB)))).toBe('ENOSPC');
  });

  it('takes a write of several parts as far as there is room', () => {
    using at = open();
    const table = at.process(64 * KIB);
    const file = openFile(table, '/v', { write: true, create: true });
    const written = file.writeMany([Buffer.alloc(30 * KIB, 1), Buffer.alloc(0), Buffer.alloc(40 * KIB, 2)], 0);
    expect(written).toBe(60 * KIB);
    const tail = Buffer.alloc(1);
    file.read(tail, 0, 1, written - 1);
    expect([tail[0], file.stat().size]).toEqual([2, BigInt(written)]);
    file.close();
  });

  it('says what is there, whatever was done', () => {
    using at = open({ 'dir/one': '1', two: '2'.repeat(9000) });
    const table = at.process(64 * KIB);
    const { root } = table;
    writeText(table, '/a', 'a');
    let seed = 12345;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    const names = [
      '/a',
      '/b',
      '/dir',
      '/dir/one',
      '/dir/x',
      '/two',
      '/etc',
      '/etc/hosts',
      '/etc/conf',
      '/etc/conf/a',
      '/etc/conf/deep',
      '/dir/d/e',
      '/dir/d',
    ];
    const name = (): string => names[random(names.length)] as string;
    const follow = { follow: false };
    const actions = [
      () => writeText(table, name(), 'w'.repeat(random(20_000))),
      () => table.unlink(root, name()),
      () => table.unlink(root, name()),
      () => table.makeDirectory(root, name()),
      () => table.removeDirectory(root, name()),
      () => table.symlink('target', root, name()),
      () => table.link(root, name(), follow, root, name()),
      () => table.rename(root, name(), root, name()),
      () => table.rename(root, name(), root, name()),
      () => table.chmod(root, name(), 0o700),
      () => table.setTimes(root, name(), { atime: 1n, mtime: undefined }, follow),
      () => {
        const file = openFile(table, name(), { write: true, append: random(2) === 0 });
        try {
          if (random(2) === 0) file.resize(random(30_000));
          else file.writeMany([Buffer.alloc(random(3000)), Buffer.alloc(random(3000))], random(20_000));
        } finally {
          file.close();
        }
      },
    ];
    const outcomes = new Map<string, number>();
    for (let step = 0; step < 2000; step++) {
      const action = actions[random(actions.length)] as () => void;
      const outcome = failure(action);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (step % 50 === 0) expect(at.counted).toBe(at.there);
    }
    expect(at.counted).toBe(at.there);
    expect(at.there).toBeLessThanOrEqual(64 * KIB);
    expect(outcomes.get('nothing')).toBeGreaterThan(300);
    expect(outcomes.get('ENOSPC')).toBeGreaterThan(0);
  });
});
