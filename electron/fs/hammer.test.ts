import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import type { Attack } from './hammer-attacker.ts';
import { hasDescriptorPaths } from './host-directory.ts';
import type { MountTable } from './mount-table.ts';
import { namesIn, openFile, readText, Scratch, SECRET, writeText } from './testing.ts';

const TRIES = 100_000;
/** What may be said to a guest whose directory is a link, gone, or there again. */
const HARMLESS = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EEXIST', 'ENOTEMPTY', 'EISDIR', 'EINVAL', 'ESTALE']);

/** What a guest does at a path below the directory that is exchanged: each would reach the directory outside if it passed the link. */
const tries: readonly ((table: MountTable, directory: string) => unknown)[] = [
  (table, directory) => readText(table, `${directory}/file`),
  (table, directory) => writeText(table, `${directory}/written`, 'by the guest'),
  (table, directory) => namesIn(table, directory),
  (table, directory) => table.makeDirectory(table.root, `${directory}/made`),
  (table, directory) => table.removeDirectory(table.root, `${directory}/made`),
  (table, directory) => table.rename(table.root, `${directory}/file`, table.root, `${directory}/file`),
  (table, directory) => table.rename(table.root, `${directory}/written`, table.root, '/vol/taken'),
  (table, directory) => table.rename(table.root, '/vol/taken', table.root, `${directory}/given`),
  (table, directory) => table.link(table.root, `${directory}/file`, { follow: true }, table.root, '/vol/linked'),
  (table) => readText(table, '/vol/linked'),
  (table) => table.unlink(table.root, '/vol/linked'),
  (table, directory) => table.unlink(table.root, `${directory}/given`),
  (table, directory) => table.symlink('file', table.root, `${directory}/l`),
  (table, directory) => readText(table, `${directory}/l`),
  (table, directory) => table.unlink(table.root, `${directory}/l`),
  (table, directory) => table.stat(table.root, `${directory}/only-outside`, { follow: true }),
  (table, directory) => table.setTimes(table.root, `${directory}/file`, { atime: 7n, mtime: 7n }, { follow: true }),
  (table, directory) => table.chmod(table.root, `${directory}/file`, 0o600),
  (table, directory) => openFile(table, `${directory}/file`, { write: true, truncate: false }).close(),
  (table, directory) => table.readLink(table.root, `${directory}/only-outside-link`),
];

describe.skipIf(!hasDescriptorPaths)('directories exchanged for links that lead out, all the time', () => {
  it(`let nothing out in ${TRIES} tries, whoever exchanges them`, { timeout: 240_000 }, async () => {
    using at = new Scratch(true, { lower: { x: 'x' }, shared: { 'host/file': 'inside', 'guest/deep/file': 'inside' } });
    const outside = join(at.path, 'outside');
    mkdirSync(outside);
    for (const name of ['file', 'only-outside']) writeFileSync(join(outside, name), SECRET, { mode: 0o644 });
    symlinkSync('only-outside', join(outside, 'only-outside-link'));
    const before = statSync(join(outside, 'file'), { bigint: true });
    symlinkSync('../outside', join(at.shared, 'host-evil'));
    symlinkSync(outside, join(at.shared, 'guest/deep-evil'));

    const attack = (by: Attack['by'], name: string) => {
      const upper = join(at.path, `upper-${by}`);
      mkdirSync(upper);
      const words = new Int32Array(new SharedArrayBuffer(8));
      const workerData: Attack = { by, name, words, shared: at.shared, lower: at.lower, upper };
      const worker = new Worker(new URL('./hammer-attacker.ts', import.meta.url), { workerData });
      const failed: Error[] = [];
      worker.on('error', (error: Error) => failed.push(error));
      return { words, failed, exited: new Promise((resolve) => worker.once('exit', resolve)) };
    };
    const attacks = [attack('host', 'host'), attack('guest', 'guest/deep')];
    const exchanges = (): number[] => attacks.map(({ words }) => Atomics.load(words, 1));

    const table = at.table([at.bind('/vol')]);
    const seen = new Map<string, number>();
    const escapes: string[] = [];
    let done = 0;
    let inside = 0;
    const enough = () => done >= TRIES && exchanges().every((count) => count >= 2000);
    // The bound is for a machine where the other threads get no time; it does not end a run that does its work.
    for (; !enough() && done < 20 * TRIES && attacks.every(({ failed }) => failed.length === 0); done++) {
      const directory = done % 2 === 0 ? '/vol/host' : '/vol/guest/deep';
      const one = tries[(done >> 1) % tries.length] as (typeof tries)[number];
      try {
        const got = one(table, directory);
        const text = JSON.stringify(got, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
        if (text?.includes(SECRET) || text?.includes('only-outside')) escapes.push(text);
        if (got === 'inside') inside += 1;
      } catch (error) {
        const code = (error as { code?: string }).code ?? String(error);
        seen.set(code, (seen.get(code) ?? 0) + 1);
      }
    }
    for (const { words } of attacks) Atomics.store(words, 0, 1);
    await Promise.all(attacks.map(({ exited }) => exited));

    expect(attacks.flatMap(({ failed }) => failed)).toEqual([]);
    expect(escapes).toEqual([]);
    expect(done).toBeGreaterThanOrEqual(TRIES);
    for (const count of exchanges()) expect(count).toBeGreaterThanOrEqual(2000);
    // Both happened: the guest reached its own file, and ran into the exchange.
    expect(inside).toBeGreaterThan(100);
    expect([...seen.keys()].filter((code) => !HARMLESS.has(code))).toEqual([]);
    expect(readdirSync(outside).sort()).toEqual(['file', 'only-outside', 'only-outside-link']);
    expect(readFileSync(join(outside, 'file'), 'utf8')).toBe(SECRET);
    const after = statSync(join(outside, 'file'), { bigint: true });
    for (const key of ['ino', 'mode', 'nlink', 'size', 'mtimeNs', 'ctimeNs'] as const)
      expect(after[key], key).toBe(before[key]);
  });
});
