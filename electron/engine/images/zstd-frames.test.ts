import { randomBytes } from 'node:crypto';
import { constants, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { inflated } from './inflate.ts';
import { streamOf } from './testing.ts';

const skippable = (content: string): Buffer => {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a53, 0);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, Buffer.from(content)]);
};
const all = async (bytes: Uint8Array, chunk: number): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(inflated(streamOf(bytes, chunk), 'layer')));

describe.each([1, 7, 700, 65_536, 1 << 24])('in chunks of %i', (chunk) => {
  test('many frames are one stream, whatever they are made of', async () => {
    const parts = [
      randomBytes(3000),
      Buffer.alloc(400_000, 'compressible '),
      Buffer.alloc(0),
      Buffer.alloc(200_000),
      Buffer.from('x'),
    ];
    const checked = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
    const packed = Buffer.concat(
      parts.flatMap((part, at) => [
        zstdCompressSync(part, at % 2 === 0 ? checked : {}),
        skippable('nothing'.repeat(at)),
      ]),
    );
    expect((await all(packed, chunk)).equals(Buffer.concat(parts))).toBe(true);
  });

  test('what is cut off is refused', async () => {
    const packed = Buffer.concat([zstdCompressSync(Buffer.alloc(1000, 'a')), zstdCompressSync(randomBytes(1000))]);
    for (const cut of [packed.length - 1, packed.length - 500, packed.length - 1003, 10])
      await expect(all(packed.subarray(0, cut), chunk)).rejects.toMatchObject({ kind: 'invalid' });
  });

  test('what follows and is no frame is refused', async () => {
    const packed = Buffer.concat([zstdCompressSync(Buffer.from('abc')), Buffer.from('rubbish that is no frame')]);
    await expect(all(packed, chunk)).rejects.toMatchObject({ kind: 'invalid' });
  });
});
