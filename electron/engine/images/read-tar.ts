import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';
import { extract as newExtract, type Header } from 'tar-stream';
import { DrydockError, invalid, toDrydockError } from '../../base/errors.ts';

export interface TarEntry {
  readonly header: Header;
  /** Where its bytes begin in the (inflated) tar. */
  readonly offset: number;
  /** Read it to its end, or not at all: what is left is skipped. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * The entries of a plain tar, one after the other, with backpressure. `what` names the archive in errors.
 * @throws invalid when it is no tar or ends early
 */
export async function* readTar(source: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<TarEntry> {
  const extract = newExtract();
  // Errors of the source are told apart from errors of the format: they keep their own kind.
  let broken: { readonly error: unknown } | undefined;
  let received = 0;
  /** Where the last entry's bytes end. */
  let end = 0;
  const watched = Readable.from(
    (async function* () {
      try {
        for await (const chunk of source) {
          received += chunk.length;
          yield chunk;
        }
      } catch (error) {
        broken = { error };
        throw error;
      }
    })(),
    { objectMode: false },
  );
  const meaning = (error: unknown): unknown => {
    if (broken) return broken.error;
    const text = error instanceof Error && !(error instanceof DrydockError) ? error.message : '';
    return /tar|header|end of data/i.test(text) ? invalid(`the ${what} is not a whole tar archive: ${text}`) : error;
  };
  pipeline(watched, extract, () => undefined);
  try {
    for await (const entry of extract) {
      const { header } = entry;
      end = ((header as { byteOffset?: number }).byteOffset ?? 0) + (header.size ?? 0);
      yield {
        header,
        offset: (header as { byteOffset?: number }).byteOffset ?? 0,
        body: contents(entry as unknown as AsyncIterable<Uint8Array>, meaning),
      };
      entry.resume();
    }
  } catch (error) {
    // `docker build -f -` sends a tar without its end, not even the last file's padding.
    const isWhole = !broken && received > 0 && received === end;
    if (!(isWhole && error instanceof Error && error.message === 'Unexpected end of data')) throw meaning(error);
  } finally {
    watched.destroy();
  }
}

/** An archive that ends in the middle of a file is noticed by whoever reads the file. */
async function* contents(source: AsyncIterable<Uint8Array>, meaning: (error: unknown) => unknown) {
  try {
    yield* source;
  } catch (error) {
    throw meaning(error);
  }
}

const magics: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];

/** 'gzip', 'zstd', 'bzip2', 'xz', or undefined for bytes that are not known to be compressed. */
export const compressionOf = (head: Uint8Array): string | undefined =>
  magics.find(([, magic]) => magic.every((byte, i) => head[i] === byte))?.[0];

/** Inflates gzip and zstd, told by the first bytes; passes on anything else. @throws invalid for bzip2 and xz, which Node cannot read */
export async function* inflated(source: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<Uint8Array> {
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
    else if (compression === 'gzip') yield* through(rest, createGunzip({ chunkSize: 256 * 1024 }), what);
    else if (compression === 'zstd') yield* through(rest, createZstdDecompress({ chunkSize: 256 * 1024 }), what);
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
): AsyncGenerator<Uint8Array> {
  let broken: { readonly error: unknown } | undefined;
  pipeline(
    Readable.from(
      (async function* () {
        try {
          yield* source;
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
    for await (const chunk of inflate) yield chunk as Uint8Array;
  } catch (error) {
    if (broken) throw broken.error;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (/^(Z_|ZSTD_|ERR_)/.test(code)) throw invalid(`the ${what} cannot be inflated: ${(error as Error).message}`);
    throw toDrydockError(error);
  } finally {
    inflate.destroy();
  }
}

/** The header block of a tar has a checksum; this tells a tar from other bytes. */
export function looksLikeTar(block: Uint8Array): boolean {
  if (block.length < 512) return false;
  const stored = Number.parseInt(
    Buffer.from(block.subarray(148, 156)).toString('latin1').replace(/\0.*$/, '').trim(),
    8,
  );
  let sum = 8 * 32;
  for (let i = 0; i < 512; i++) if (i < 148 || i >= 156) sum += block[i] ?? 0;
  return sum === stored && sum !== 8 * 32;
}

/** Up to this many bytes a synchronous read costs less than handing it to another thread, and holds nobody up. */
const smallRead = 64 * 1024;

/** A part of a file as a stream. */
export const readRange = (path: string, start: number, size: number): AsyncIterable<Uint8Array> =>
  size <= smallRead
    ? readAtOnce(path, start, size)
    : createReadStream(path, { start, end: start + size - 1, highWaterMark: 256 * 1024 });

async function* readAtOnce(path: string, start: number, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.allocUnsafe(size);
  const file = openSync(path, 'r');
  let read = 0;
  try {
    for (let step = -1; read < size && step !== 0; read += step)
      step = readSync(file, bytes, read, size - read, start + read);
  } finally {
    closeSync(file);
  }
  if (read > 0) yield bytes.subarray(0, read);
}
