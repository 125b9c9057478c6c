import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { damaged } from '../../base/errors.ts';
import { inflated } from './inflate.ts';
import { readTar } from './read-tar.ts';
import { Room } from './room.ts';
import type { TarHeader } from './tar-header.ts';
import { checkSymlink, entryParts, hostile } from './tar-names.ts';
import { takingTurns } from './turns.ts';

const whiteout = '.wh.';
const opaque = '.wh..wh..opq';
/** Symbolic links followed on the way to one entry. */
const maximumLinks = 40;
const rememberedParents = 4096;

/**
 * Applies one layer's tar (plain, gzip or zstd) to the directory `root`, which nobody else writes to: entries replace what is there, whiteouts
 * remove it (OCI image spec, layer.md). Links in the tree are expanded inside the root; nothing is ever written through a link by the kernel.
 * Owners and special mode bits are left out: guests of WASI see neither. Answers the bytes of the files written.
 * @param diffId what the inflated bytes must hash to; undefined when the blob's own digest says so already
 * @throws invalid for hostile entries, damaged when the bytes are not those of `diffId`
 */
export async function unpackLayer(
  source: AsyncIterable<Uint8Array>,
  root: string,
  diffId?: string,
): Promise<{ readonly bytes: number }> {
  const layer = new LayerTarget(root);
  const room = new Room(root);
  const hash = diffId === undefined ? undefined : createHash('sha256');
  const plain = inflated(source, 'layer');
  const othersTurn = takingTurns();
  for await (const { header, body } of readTar(hash ? hashing(plain, hash) : plain, 'layer')) {
    await layer.add(header, room.watch(body)).catch((error: unknown) => {
      throw refusedByDisk(error, header.name);
    });
    await othersTurn();
  }
  layer.finish();
  if (hash && `sha256:${hash.digest('hex')}` !== diffId)
    throw damaged(`the layer ${diffId} holds other bytes than its image says`, {
      hint: 'Remove the image and pull it again.',
    });
  return { bytes: layer.bytes };
}

async function* hashing(source: AsyncIterable<Uint8Array>, hash: ReturnType<typeof createHash>) {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}

/** What the system will not take of an entry is the entry's fault where it says so. */
function refusedByDisk(error: unknown, name: string): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENAMETOOLONG':
      return hostile(name, 'layer', 'its path is too long for the disk');
    case 'EMLINK':
      return hostile(name, 'layer', 'its file has more hard links than the disk can hold');
    case 'EILSEQ':
    case 'EINVAL':
      return hostile(name, 'layer', 'the disk cannot have a file of that name');
    default:
      return error;
  }
}

class LayerTarget {
  bytes = 0;
  readonly #root: string;
  /** Host paths this layer has made, and the directories above them: whiteouts spare them. */
  readonly #made = new Set<string>();
  /** False for the lowest layer: nothing to hide, so nothing of this one need be remembered. */
  readonly #isOverOthers: boolean;
  /** Directories whose mode and time are set at the end, when nothing is written into them any more. */
  readonly #directories = new Map<string, { readonly mode: number; readonly mtime: Date }>();
  /** Parents that were resolved already: path in the layer → host path. */
  #parents = new Map<string, string>();

  constructor(root: string) {
    this.#root = root;
    this.#isOverOthers = readdirSync(root).length > 0;
  }

  async add(header: TarHeader, body: AsyncIterable<Uint8Array>): Promise<void> {
    const parts = entryParts(header.name);
    const name = parts.pop();
    if (name === undefined) {
      if (header.type === 'directory') this.#directories.set(this.#root, { mode: header.mode, mtime: header.mtime });
      return;
    }
    const parent = this.#parent(parts, header.name);
    if (name === opaque) return this.#emptyDirectory(parent);
    if (name.startsWith(whiteout)) return this.#whiteOut(parent, name, header.name);
    const path = join(parent, name);
    switch (header.type) {
      case 'directory':
        await this.#makeDirectory(path, header);
        break;
      case 'file':
      case 'contiguous-file':
        await this.#clear(path);
        this.bytes += header.size;
        await writeFile(path, header, body);
        break;
      case 'symlink':
        checkSymlink([...parts, name], header.linkname);
        await this.#clear(path);
        symlinkSync(header.linkname, path);
        lutimesSync(path, header.mtime, header.mtime);
        break;
      case 'link':
        await this.#makeHardLink(path, header);
        break;
      default:
        throw hostile(
          header.name,
          'layer',
          `devices and other special files (${header.type ?? 'unknown'}) are not unpacked`,
        );
    }
    this.#note(path);
  }

  finish(): void {
    for (const [path, { mode, mtime }] of [...this.#directories].reverse()) {
      chmodSync(path, (mode & 0o777) | 0o700);
      utimesSync(path, mtime, mtime);
    }
  }

  /** The host directory that a path in the layer leads to; made where it is missing. */
  #parent(parts: readonly string[], entry: string): string {
    const key = parts.join('/');
    const known = this.#parents.get(key);
    if (known !== undefined) return known;
    // What lies above was mostly asked for just now.
    const above = parts.length > 0 ? this.#parents.get(parts.slice(0, -1).join('/')) : undefined;
    let todo = above === undefined ? [...parts] : parts.slice(-1);
    let at = above ?? this.#root;
    let links = 0;
    while (todo.length > 0) {
      const part = todo.shift() ?? '';
      if (part === '' || part === '.') continue;
      if (part === '..') {
        // As in a chroot: above the root is the root.
        if (at !== this.#root) at = dirname(at);
        continue;
      }
      const next = join(at, part);
      const found = lookAt(next);
      if (!found) mkdirSync(next, { mode: 0o755 });
      else if (found.isSymbolicLink()) {
        if (++links > maximumLinks) throw hostile(entry, 'layer', 'too many symbolic links on the way to it');
        const target = readlinkSync(next);
        if (target.startsWith('/')) at = this.#root;
        todo = [...target.split('/'), ...todo];
        continue;
      } else if (!found.isDirectory())
        throw hostile(entry, 'layer', `${next.slice(this.#root.length)} is a file, not a directory`);
      at = next;
    }
    if (this.#parents.size >= rememberedParents) this.#parents.clear();
    this.#parents.set(key, at);
    return at;
  }

  async #makeDirectory(path: string, { mode, mtime }: TarHeader): Promise<void> {
    const found = lookAt(path);
    if (found && !found.isDirectory()) await this.#clear(path);
    if (!found?.isDirectory()) mkdirSync(path, { mode: 0o755 });
    this.#directories.set(path, { mode, mtime });
  }

  async #makeHardLink(path: string, header: TarHeader): Promise<void> {
    const target = entryParts(header.linkname.replace(/^\/+/, ''));
    const name = target.pop();
    if (name === undefined) throw hostile(header.name, 'layer', 'it is a link to the root');
    const source = join(this.#parent(target, header.name), name);
    if (source === path) return;
    const found = lookAt(source);
    if (!found) throw hostile(header.name, 'layer', `it is a link to ${header.linkname}, which does not exist`);
    if (found.isDirectory()) throw hostile(header.name, 'layer', 'it is a hard link to a directory');
    await this.#clear(path);
    if (found.isSymbolicLink()) symlinkSync(readlinkSync(source), path);
    else linkSync(source, path);
  }

  async #whiteOut(parent: string, name: string, entry: string): Promise<void> {
    const hidden = name.slice(whiteout.length);
    // Names that aufs and overlays leave behind for themselves.
    if (hidden.startsWith(whiteout)) return;
    if (hidden === '' || hidden === '.' || hidden === '..')
      throw hostile(entry, 'layer', 'it is a whiteout of no name');
    const path = join(parent, hidden);
    if (this.#isOverOthers && !this.#made.has(path)) await this.#clear(path);
  }

  /** An opaque directory shows nothing of the layers below; what this layer put there stays. */
  async #emptyDirectory(directory: string): Promise<void> {
    if (!this.#isOverOthers) return;
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (!this.#made.has(path)) await this.#clear(path);
      else if (entry.isDirectory()) await this.#emptyDirectory(path);
    }
  }

  /** Makes room for a new entry, and forgets what was known about the old one. Nothing is changed in place: other snapshots share the file. */
  async #clear(path: string): Promise<void> {
    const found = lookAt(path);
    if (!found) return;
    if (!found.isDirectory()) unlinkSync(path);
    else await rm(path, { recursive: true, force: true });
    if (!found.isDirectory() && !found.isSymbolicLink()) return;
    this.#parents = new Map();
    for (const known of this.#directories.keys())
      if (known === path || known.startsWith(`${path}/`)) this.#directories.delete(known);
    for (const known of this.#made) if (known.startsWith(`${path}/`)) this.#made.delete(known);
  }

  #note(path: string): void {
    if (!this.#isOverOthers) return;
    for (let at = path; at.length > this.#root.length && !this.#made.has(at); at = dirname(at)) this.#made.add(at);
  }
}

/** The path is free and its parents are no links, so O_EXCL makes a file there and nowhere else. */
async function writeFile(path: string, header: TarHeader, body: AsyncIterable<Uint8Array>): Promise<void> {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    for await (const chunk of body)
      for (let at = 0; at < chunk.length;) at += writeSync(file, chunk, at, chunk.length - at);
    fchmodSync(file, (header.mode & 0o777) | 0o400);
    futimesSync(file, header.mtime, header.mtime);
  } finally {
    closeSync(file);
  }
}

const lookAt = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });
