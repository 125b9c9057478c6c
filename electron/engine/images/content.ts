import { createHash } from 'node:crypto';
import { createReadStream, renameSync, statSync, type ReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { damaged } from '../../base/errors.ts';
import { BlobWriter } from './blob-thread.ts';
import { replaceFile, syncDirectory } from './durable.ts';
import { Room } from './room.ts';
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
  /** Holds an image, be it there already or not: nobody removes it between its arrival and the moment it has its name. */
  keepImage(id: string): void;
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
  /** True for an image that is just being pulled, loaded or built. */
  isLeased(imageId: string): boolean;
  /**
   * Takes a blob that does not verify out of use: it is moved to HOME/content/quarantine, for whoever wants to look at it, until nothing refers to it any more or
   * the right one has come. `inode` is the file that was read; another one that took its place meanwhile stays. Answers the path; undefined when there was
   * nothing to move, and then a file that is gone is known to be.
   */
  quarantine(digest: string, inode?: number): Promise<string | undefined>;
  /** What was taken out of use. */
  quarantined(): Iterable<string>;
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
  for (const name of await readdir(blobs)) if (isHex(name)) present.add(`sha256:${name}`);
  const aside = join(directory, 'quarantine');
  const quarantined = new Set<string>();
  for (const name of await readdir(aside).catch(() => [])) if (isHex(name)) quarantined.add(`sha256:${name}`);
  const held = new Map<string, number>();
  const heldImages = new Map<string, number>();
  let unsynced = false;

  const path = (digest: string): string => join(blobs, digest.slice('sha256:'.length));
  const asidePath = (digest: string): string => join(aside, digest.slice('sha256:'.length));
  const dropQuarantined = async (digest: string): Promise<void> => {
    if (quarantined.delete(digest)) await rm(asidePath(digest), { force: true });
  };
  const missing = (digest: string, cause: unknown) =>
    damaged(`blob ${digest} is missing from ${blobs}`, { cause, hint: 'Remove the image and pull or build it again.' });

  const release = async (digests: Iterable<string>): Promise<number> => {
    let freed = 0;
    for (const digest of new Set(digests)) {
      if (held.has(digest) || isReferenced(digest)) continue;
      await dropQuarantined(digest);
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
    const myImages = new Set<string>();
    const keep = (digest: string): void => hold(held, mine, digest);
    const put: Lease['put'] = async (source, expected) => {
      const target = temporary.path('blob');
      const handle = await open(target, 'wx');
      try {
        const blob = await write(handle, source, new Room(blobs));
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
          await dropQuarantined(blob.digest);
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
      keepImage: (id) => hold(heldImages, myImages, id),
      async end() {
        letGo(heldImages, myImages);
        const done = [...mine];
        letGo(held, mine);
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
    isLeased: (id) => heldImages.has(id),
    quarantined: () => quarantined,
    async quarantine(digest, inode) {
      await mkdir(aside, { recursive: true });
      if (!present.has(digest)) return undefined;
      // In one tick, as in `release`.
      try {
        if (inode !== undefined && statSync(path(digest)).ino !== inode) return undefined;
        renameSync(path(digest), asidePath(digest));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        present.delete(digest);
        return undefined;
      }
      present.delete(digest);
      quarantined.add(digest);
      return asidePath(digest);
    },
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

const isHex = (name: string): boolean => /^[0-9a-f]{64}$/.test(name);

function hold(counts: Map<string, number>, mine: Set<string>, key: string): void {
  if (mine.has(key)) return;
  mine.add(key);
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function letGo(counts: Map<string, number>, mine: Set<string>): void {
  for (const key of mine) {
    const left = (counts.get(key) ?? 1) - 1;
    if (left === 0) counts.delete(key);
    else counts.set(key, left);
  }
  mine.clear();
}

/** Larger blobs are hashed and written in a thread of their own (blob-thread.ts); smaller ones are not worth one. */
const largeFrom = 8 << 20;
/** Bytes after which the disk is asked to begin, so that the sync at the end of a large blob finds little left to do. */
const ahead = 32 << 20;

/** Writes and hashes. Nothing is under way any more when this ends, however it does. */
async function write(handle: FileHandle, source: AsyncIterable<Uint8Array>, room: Room): Promise<Blob> {
  let held: Uint8Array[] = [];
  let size = 0;
  let large: BlobWriter | undefined;
  let begun = ahead;
  let syncing: Promise<void> | undefined;
  try {
    for await (const chunk of source) {
      size += chunk.length;
      if (!large) {
        held.push(chunk);
        if (size < largeFrom) continue;
        await room.take(size);
        large = new BlobWriter(handle.fd);
        for (const each of held) await large.add(each);
        held = [];
        continue;
      }
      await room.take(chunk.length);
      await large.add(chunk);
      if (syncing || size < begun) continue;
      begun = size + ahead;
      syncing = handle
        .datasync()
        .catch(() => undefined)
        .finally(() => (syncing = undefined));
    }
    if (large) return { digest: await large.end(), size };
  } finally {
    await large?.close();
    await syncing;
  }
  const bytes = held.length === 1 && held[0] ? held[0] : Buffer.concat(held);
  for (let at = 0; at < size;) at += (await handle.write(bytes, at)).bytesWritten;
  return { digest: digestOf(bytes), size };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
