import { linkSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { asFull, rewriteFileAtomically, writeFileAtomically } from './atomic-file.ts';

const directory = (): string => mkdtempSync(join(tmpdir(), 'drydock-file-'));

test('an atomic write replaces the whole text and leaves nothing else', () => {
  const home = directory();
  const path = join(home, 'f');
  writeFileAtomically(path, 'long text');
  writeFileAtomically(path, 'short');
  expect(readFileSync(path, 'utf8')).toBe('short');
  expect(readdirSync(home)).toEqual(['f']);
});

test('rewriting alternates between two files and never shortens what is read', () => {
  const home = directory();
  const path = join(home, 'f');
  const inodes = new Set<number>();
  for (const length of [10, 5, 3000, 1, 700]) {
    rewriteFileAtomically(path, 'x'.repeat(length));
    expect(readFileSync(path, 'utf8')).toBe('x'.repeat(length));
    inodes.add(statSync(path).ino);
  }
  expect(inodes.size).toBe(2);
  expect(readdirSync(home).sort()).toEqual(['f', 'f.spare']);
});

test.each([
  ['after the new text was written', (path: string) => writeFileSync(`${path}.spare`, 'half')],
  [
    'after the old file got its second name',
    (path: string) => {
      writeFileSync(`${path}.spare`, 'new');
      linkSync(path, `${path}.kept`);
    },
  ],
])('a crash %s leaves the old text, and the next write works', (_, crash) => {
  const path = join(directory(), 'f');
  rewriteFileAtomically(path, 'old');
  crash(path);
  expect(readFileSync(path, 'utf8')).toBe('old');
  rewriteFileAtomically(path, 'next');
  expect(readFileSync(path, 'utf8')).toBe('next');
  rewriteFileAtomically(path, 'last');
  expect(readFileSync(path, 'utf8')).toBe('last');
});

test('a spare that is by mistake the file itself is not written to', () => {
  const path = join(directory(), 'f');
  writeFileSync(path, 'old text');
  linkSync(path, `${path}.spare`);
  const before = statSync(path).ino;
  const reader = readFileSync(path, 'utf8');
  rewriteFileAtomically(path, 'new');
  expect(reader).toBe('old text');
  expect(statSync(path).ino).not.toBe(before);
  expect(readFileSync(path, 'utf8')).toBe('new');
});

test('a full disk is said to be full, naming the file', () => {
  const error = asFull(Object.assign(new Error('write'), { code: 'ENOSPC' }), '/x/f');
  expect(error).toMatchObject({ kind: 'full', message: 'no space left on the disk that holds /x/f' });
  const other = new Error('other');
  expect(asFull(other, '/x/f')).toBe(other);
});
