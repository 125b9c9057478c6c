import { createHash, randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { gzip } from './gzip.ts';
import { streamOf } from './testing.ts';

async function whole(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a byte', Buffer.from('a')],
  ['one block', Buffer.alloc(1 << 20, 'drydock')],
  ['a block and a byte', Buffer.alloc((1 << 20) + 1, 'drydock')],
  ['many blocks', Buffer.concat([randomBytes(3_000_000), Buffer.alloc(9_000_000, 'x')])],
])('%s: inflates to what it was, however it is cut', async (_what, bytes) => {
  const packed = await whole(gzip(streamOf(bytes, 65_536)));
  expect(gunzipSync(packed).equals(bytes)).toBe(true);
  const digest = (data: Buffer): string => createHash('sha256').update(data).digest('hex');
  expect(digest(await whole(gzip(streamOf(bytes, 1_000_003), 2)))).toBe(digest(packed));
});

test("the source's own error ends it", async () => {
  const source = (async function* () {
    yield Buffer.alloc(3 << 20);
    throw new Error('no more');
  })();
  await expect(whole(gzip(source))).rejects.toThrow('no more');
});
