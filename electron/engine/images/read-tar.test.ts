import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileSource } from './read-range.ts';
import { readTar } from './read-tar.ts';
import { streamOf, tarOf } from './testing.ts';

async function texts(bytes: Uint8Array): Promise<string[]> {
  const out: string[] = [];
  for await (const { header, body } of readTar(streamOf(bytes), 'archive')) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    out.push(`${header.name}=${Buffer.concat(chunks).toString()}`);
  }
  return out;
}

const items = [
  { name: 'a', content: 'alpha' },
  { name: 'b', content: 'b'.repeat(700) },
];
const whole = ['a=alpha', `b=${'b'.repeat(700)}`];
/** Where the bytes of b end: two headers, a block of a, 700 bytes. */
const end = 512 + 512 + 512 + 700;

test('the end may be missing, and the last padding too: so docker build -f - sends it', async () => {
  const tar = await tarOf(items);
  expect(await texts(tar)).toEqual(whole);
  expect(await texts(tar.subarray(0, end))).toEqual(whole);
  expect(await texts(tar.subarray(0, 2560))).toEqual(whole);
});

test('what ends in a file or in a header is refused', async () => {
  const tar = await tarOf(items);
  for (const cut of [end - 1, 512 + 3, 512 + 512 + 100])
    await expect(texts(tar.subarray(0, cut)), String(cut)).rejects.toMatchObject({ kind: 'invalid' });
});

test('of a file only the headers are read, wherever they lie; bodies that are wanted are there', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'drydock-tar-'));
  try {
    const path = join(directory, 'a.tar');
    const sizes = [0, 1, 511, 512, 513, 65_000, 65_536, 70_000, 1_000_000, 3, 200_000];
    const tar = await tarOf(sizes.map((size, at) => ({ name: `f${at}`, content: Buffer.alloc(size, at) })));
    writeFileSync(path, tar);
    const seen: [string, number][] = [];
    for await (const { header, offset } of readTar(fileSource(path), 'archive')) {
      seen.push([header.name, header.size]);
      if (header.size > 0) expect(tar[offset]).toBe(seen.length - 1);
    }
    expect(seen).toEqual(sizes.map((size, at) => [`f${at}`, size]));
    for await (const { header, body } of readTar(fileSource(path), 'archive')) {
      if (Number(header.name.slice(1)) % 2 === 0) continue;
      const bytes = Buffer.concat(await Array.fromAsync(body));
      expect(bytes.equals(Buffer.alloc(header.size, Number(header.name.slice(1))))).toBe(true);
    }
    writeFileSync(path, tar.subarray(0, tar.length - 1024 - 100_000));
    await expect(Array.fromAsync(readTar(fileSource(path), 'archive'))).rejects.toThrow('in the middle of \"f10\"');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
