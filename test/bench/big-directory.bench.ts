/** A directory of a million entries, read by a guest with a libc's buffer of 4 KB: the time must be proportional to their number, the memory bounded by it. */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { at, HandGuest } from '../../electron/runner/wasi/testing.ts';
import { oflag } from '../../electron/runner/wasi/types.ts';
import type { Row } from './table.ts';

const BUFFER = 4096;
const HEADER = 24;

/** Reads all entries; milliseconds until the first were there and until the end, and the most memory (MB) that the process had meanwhile. */
function readAll(guest: HandGuest, path: string) {
  const started = performance.now();
  const fd = guest.open(path, { oflags: oflag.directory });
  let first = 0;
  let entries = 0;
  let peak = 0;
  for (let cookie = 0n, calls = 0; ; calls++) {
    guest.ok('fd_readdir', fd, at.data, BUFFER, cookie, at.out);
    first ||= performance.now() - started;
    const used = guest.out32();
    const { view } = guest;
    for (let offset = 0; offset + HEADER <= used; entries++) {
      const length = view.getUint32(at.data + offset + 16, true);
      if (offset + HEADER + length > used) break;
      cookie = view.getBigUint64(at.data + offset, true);
      offset += HEADER + length;
    }
    if (calls % 500 === 0) peak = Math.max(peak, process.memoryUsage().rss / 2 ** 20);
    if (used < BUFFER) break;
  }
  guest.ok('fd_close', fd);
  return { first, whole: performance.now() - started, entries, peak };
}

export default function bench(): Row[] {
  using guest = new HandGuest({ binds: ['/mnt'] });
  const rows: Row[] = [];
  const make = (name: string, count: number): void => {
    mkdirSync(`${guest.scratch.shared}/${name}`);
    for (let index = 0; index < count; index++)
      closeSync(openSync(`${guest.scratch.shared}/${name}/entry-number-${index}`, 'w'));
  };
  const each: number[] = [];
  for (const count of [100_000, 1_000_000]) {
    const name = `of-${count}`;
    make(name, count);
    const before = process.memoryUsage().rss / 2 ** 20;
    const { first, whole, entries, peak } = readAll(guest, `mnt/${name}`);
    if (entries !== count + 2) throw new Error(`${entries} entries were read instead of ${count + 2}`);
    each.push((whole * 1000) / count);
    rows.push(
      { what: `${count} entries, until the first are there`, p50: first, n: 1, unit: 'ms' },
      { what: `${count} entries, all`, p50: whole, n: 1, unit: 'ms' },
      { what: `${count} entries, memory`, p50: peak - before, n: 1, unit: 'MB', goal: '≤700' },
    );
  }
  const [small, large] = each as [number, number];
  rows.push({
    what: 'time an entry, of a million against a tenth of it',
    p50: large / small,
    n: 1,
    unit: 'x',
    goal: '≤2',
  });
  return rows;
}
