import { pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';
import { invalid, toDrydockError } from '../../base/errors.ts';
import { zstdFrames } from './zstd-frames.ts';

const magics: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];

/** 'gzip', 'zstd', 'bzip2', 'xz', or undefined for bytes that are not known to be compressed. */
export const compressionOf = (head: Uint8Array): string | undefined =>
  magics.find(([, magic]) => magic.every((byte, i) => head[i] === byte))?.[0];

/**
 * How far compressed bytes may swell. Programs and texts shrink to a tenth at best; gzip can promise a thousand times its size, zstd thirty thousand. Up to
 * `always` nobody is asked, since a disk image of zeros is no attack; beyond, `ratio` times what has come so far.
 */
export interface SwellLimit {
  readonly always: number;
  readonly ratio: number;
}

const swellLimit: SwellLimit = { always: 256 << 20, ratio: 200 };

/**
 * Inflates gzip and zstd, told by the first bytes; passes on anything else.
 * @throws invalid for bzip2 and xz, which Node cannot read, for what cannot be inflated, and for what swells beyond the limit
 */
export async function* inflated(
  source: AsyncIterable<Uint8Array>,
  what: string,
  limit: SwellLimit = swellLimit,
): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    let head: Uint8Array = new Uint8Array();
    let done = false;
    while (head.length < 6 && !done) {
      const next = await iterator.next();
      if (next.done) done = true;
      else head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
    }
    const rest = (async function* () {
      if (head.length > 0) yield head;
      if (done) return;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    })();
    const compression = compressionOf(head);
    if (compression === undefined) yield* rest;
    else if (compression === 'gzip') yield* through(rest, createGunzip({ chunkSize: 256 * 1024 }), what, limit);
    else if (compression === 'zstd')
      yield* through(zstdFrames(rest, what), createZstdDecompress({ chunkSize: 256 * 1024 }), what, limit);
    else
      throw invalid(`the ${what} is compressed with ${compression}, which Drydock cannot read`, {
        hint: 'Use plain tar, gzip or zstd.',
      });
  } finally {
    await iterator.return?.();
  }
}

async function* through(
  source: AsyncIterable<Uint8Array>,
  inflate: Gunzip | ZstdDecompress,
  what: string,
  limit: SwellLimit,
): AsyncGenerator<Uint8Array> {
  let broken: { readonly error: unknown } | undefined;
  let taken = 0;
  let given = 0;
  pipeline(
    Readable.from(
      (async function* () {
        try {
          for await (const chunk of source) {
            taken += chunk.length;
            yield chunk;
          }
        } catch (error) {
          broken = { error };
          throw error;
        }
      })(),
      { objectMode: false },
    ),
    inflate,
    () => undefined,
  );
  try {
    for await (const chunk of inflate) {
      given += (chunk as Uint8Array).length;
      if (given > limit.always && given > limit.ratio * taken)
        throw invalid(
          `the ${what} swells from ${taken} bytes to more than ${given}: over ${limit.ratio} times as many`,
          { hint: 'That is how an archive is made to fill a disk. If it is meant, bring it uncompressed.' },
        );
      yield chunk as Uint8Array;
    }
  } catch (error) {
    if (broken) throw broken.error;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (/^(Z_|ZSTD_|ERR_)/.test(code)) throw invalid(`the ${what} cannot be inflated: ${(error as Error).message}`);
    throw toDrydockError(error);
  } finally {
    inflate.destroy();
  }
}
