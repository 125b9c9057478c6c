import { createHash } from 'node:crypto';
import { createReadStream, renameSync, statSync, type ReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { damaged } from '../../base/errors.ts';
import { replaceFile, syncDirectory } from './durable.ts';
import type { Temporary } from './temporary.ts';

/** `sha256:…` of bytes at hand. */
export const digestOf = (bytes: Uint8Array | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export interface Blob {
  readonly digest: string;
  readonly size: number;
}

/**
 * Keeps blobs from being removed between their arrival and the moment an image refers to them. `end` lets go: what nothing refers to is
 * removed. Every lease must be ended, also after a failure.
 */
export interface Lease {
  /** Streams a blob in; memory use does not depend on its size. @throws damaged when it is not the one expected, or whatever the source throws */
  put(source: AsyncIterable<Uint8Array>, expected?: { readonly digest: string }): Promise<Blob>;
  putBytes(bytes: Uint8Array): Promise<Blob>;
  /** Holds a blob that is there already. */
  keep(digest: string): void;
  end(): Promise<void>;
}

/**
 * HOME/content/blobs. A blob's life: streamed into tmp and hashed on the way → synced → renamed to its digest (now it exists) →
 * referred to by an image → removed when no image and no lease holds it any more.
 */
export interface Content {
  readonly directory: string;
  has(digest: string): boolean;
  path(digest: string): string;
  /** Bytes on disk. @throws damaged when it is missing */
  size(digest: string): Promise<number>;
  read(digest: string): ReadStream;
  /** For small JSON blobs. @throws damaged when it is missing or does not verify */
  text(digest: string): Promise<string>;
  lease(): Lease;
  /** Removes those of the blobs that neither `isReferenced` nor a lease holds. Answers the bytes freed. */
  release(digests: Iterable<string>): Promise<number>;
  /** Every digest that is there. */
  all(): Iterable<string>;
  /** Makes what was put so far survive a power cut. */
  sync(): Promise<void>;
}

export async function openContent(
  home: string,
  temporary: Temporary,
  isReferenced: (digest: string) => boolean,
): Promise<Content> {
  const directory = join(home, 'content');
  const blobs = join(directory, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const layout = join(directory, 'oci-layout');
  await readFile(layout, 'utf8').catch(() =>
    replaceFile(layout, '{"imageLayoutVersion":"1.0.0"}', temporary.path('oci-layout')),
  );
  const present = new Set<string>();
  for (const name of await readdir(blobs)) if (/^[0-9a-f]{64}$/.test(name)) present.add(`sha256:${name}`);
  const held = new Map<string, number>();
  let unsynced = false;

  const path = (digest: string): string => join(blobs, digest.slice('sha256:'.length));
  const missing = (digest: string, cause: unknown) =>
    damaged(`blob ${digest} is missing from ${blobs}`, { cause, hint: 'Remove the image and pull or build it again.' });

  const release = async (digests: Iterable<string>): Promise<number> => {
    let freed = 0;
    for (const digest of new Set(digests)) {
      if (!present.has(digest) || held.has(digest) || isReferenced(digest)) continue;
      // In one tick, so that a blob that arrives again meanwhile is either seen here or lands after this.
      const doomed = temporary.path('removed');
      try {
        freed += statSync(path(digest)).size;
        renameSync(path(digest), doomed);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
      present.delete(digest);
      await rm(doomed, { force: true });
    }
    return freed;
  };

  const lease = (): Lease => {
    const mine = new Set<string>();
    const keep = (digest: string): void => {
      if (mine.has(digest)) return;
      mine.add(digest);
      held.set(digest, (held.get(digest) ?? 0) + 1);
    };
    const put: Lease['put'] = async (source, expected) => {
      const target = temporary.path('blob');
      const handle = await open(target, 'wx');
      try {
        const blob = await write(handle, source);
        if (expected && expected.digest !== blob.digest)
          throw damaged(`received ${blob.digest} where ${expected.digest} was expected`, {
            data: { expected: expected.digest, received: blob.digest },
          });
        keep(blob.digest);
        if (!present.has(blob.digest)) {
          await handle.sync();
          await handle.close();
          await rename(target, path(blob.digest));
          present.add(blob.digest);
          unsynced = true;
        }
        return blob;
      } finally {
        await handle.close();
        await rm(target, { force: true });
      }
    };
    return {
      put,
      keep,
      async putBytes(bytes) {
        const digest = digestOf(bytes);
        if (!present.has(digest)) return put(once(bytes));
        keep(digest);
        return { digest, size: bytes.length };
      },
      async end() {
        for (const digest of mine) {
          const left = (held.get(digest) ?? 1) - 1;
          if (left === 0) held.delete(digest);
          else held.set(digest, left);
        }
        const done = [...mine];
        mine.clear();
        await release(done);
      },
    };
  };

  return {
    directory,
    path,
    lease,
    release,
    has: (digest) => present.has(digest),
    all: () => present,
    read: (digest) => createReadStream(path(digest), { highWaterMark: 256 * 1024 }),
    async size(digest) {
      return (await stat(path(digest)).catch((error: unknown) => Promise.reject(missing(digest, error)))).size;
    },
    async text(digest) {
      const bytes = await readFile(path(digest)).catch((error: unknown) => Promise.reject(missing(digest, error)));
      if (digestOf(bytes) !== digest)
        throw damaged(`blob ${digest} does not hold what its name says`, {
          hint: 'The disk changed it. Remove the image and pull or build it again.',
        });
      return bytes.toString('utf8');
    },
    async sync() {
      if (!unsynced) return;
      unsynced = false;
      await syncDirectory(blobs);
    },
  };
}

/** Gathers small chunks (tar headers) so that a layer of many files is not as many system calls. */
const batchSize = 256 * 1024;

async function write(handle: FileHandle, source: AsyncIterable<Uint8Array>): Promise<Blob> {
  const hash = createHash('sha256');
  let size = 0;
  let batch: Uint8Array[] = [];
  let waiting = 0;
  const flush = async (): Promise<void> => {
    const bytes = batch.length === 1 ? batch[0] : Buffer.concat(batch);
    batch = [];
    waiting = 0;
    for (let at = 0; bytes !== undefined && at < bytes.length;) at += (await handle.write(bytes, at)).bytesWritten;
  };
  for await (const chunk of source) {
    hash.update(chunk);
    size += chunk.length;
    batch.push(chunk);
    waiting += chunk.length;
    if (waiting >= batchSize) await flush();
  }
  await flush();
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
