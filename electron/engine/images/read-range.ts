import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Skippable } from './read-tar.ts';

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

/** Bytes read at a time where most is skipped. */
const glance = 64 * 1024;

/** A file whose bytes can be passed unread: for the headers of a tar. */
export function fileSource(path: string): Skippable {
  let position = 0;
  let size = 0;
  return {
    skip(bytes) {
      const passed = Math.max(0, Math.min(bytes, size - position));
      position += passed;
      return passed;
    },
    async *[Symbol.asyncIterator]() {
      const file = await open(path, 'r');
      try {
        ({ size } = await file.stat());
        for (;;) {
          const buffer = Buffer.allocUnsafe(glance);
          const { bytesRead } = await file.read(buffer, 0, glance, position);
          if (bytesRead === 0) return;
          position += bytesRead;
          yield buffer.subarray(0, bytesRead);
        }
      } finally {
        await file.close();
      }
    },
  };
}
