import { expect, test } from 'vitest';
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
