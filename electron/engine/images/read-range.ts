import { closeSync, createReadStream, openSync, readSync } from 'node:fs';

/** Up to this many bytes a synchronous read costs less than handing it to another thread, and holds nobody up. */
const smallRead = 64 * 1024;

/** A part of a file as a stream. */
export const readRange = (path: string, start: number, size: number): AsyncIterable<Uint8Array> =>
  size <= smallRead
    ? readAtOnce(path, start, size)
    : createReadStream(path, { start, end: start + size - 1, highWaterMark: 1 << 20 });

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
