import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

export interface TreeEntry {
  readonly type: 'file' | 'directory' | 'symlink';
  /** Permission bits. */
  readonly mode: number;
  readonly mtime: Date;
  readonly size: number;
  /** Symbolic links only. */
  readonly target?: string;
}

/** What COPY copies from. Paths have no leading slash; '' is the root. Nothing changes while it is used. */
export interface Tree {
  /** Undefined when there is nothing, or nothing that can be copied (a device). */
  lstat(path: string): Promise<TreeEntry | undefined>;
  /** Names in a directory, sorted. */
  list(path: string): Promise<readonly string[]>;
  read(path: string): AsyncIterable<Uint8Array>;
  /** sha256 in hex of a file's bytes. */
  digest(path: string): Promise<string>;
}

const maximumLinks = 40;

/** Where a path leads, all links expanded inside the tree. Undefined when it leads nowhere. */
export async function resolveInTree(tree: Tree, path: string): Promise<string | undefined> {
  let todo = path.split('/');
  let at: string[] = [];
  let links = 0;
  while (todo.length > 0) {
    const part = todo.shift() ?? '';
    if (part === '' || part === '.') continue;
    if (part === '..') {
      at.pop();
      continue;
    }
    const next = [...at, part];
    const entry = await tree.lstat(next.join('/'));
    if (!entry) return undefined;
    if (entry.type === 'symlink') {
      if (++links > maximumLinks) return undefined;
      const target = entry.target ?? '';
      if (target.startsWith('/')) at = [];
      todo = [...target.split('/'), ...todo];
      continue;
    }
    if (entry.type === 'file' && todo.some((rest) => rest !== '' && rest !== '.')) return undefined;
    at = next;
  }
  return at.join('/');
}

/** Bounded: digests of files in snapshots, which never change. */
const digests = new Map<string, string>();
const rememberedDigests = 4096;

/** A snapshot's directory as a tree. */
export function directoryTree(root: string): Tree {
  return {
    async lstat(path) {
      const found = await lstat(join(root, path)).catch(() => undefined);
      if (!found) return undefined;
      const common = { mode: found.mode & 0o7777, mtime: found.mtime };
      if (found.isFile()) return { ...common, type: 'file', size: found.size };
      if (found.isDirectory()) return { ...common, type: 'directory', size: 0 };
      if (found.isSymbolicLink())
        return { ...common, type: 'symlink', size: 0, target: await readlink(join(root, path)) };
      return undefined;
    },
    list: async (path) => (await readdir(join(root, path))).sort(),
    read: (path) => createReadStream(join(root, path), { highWaterMark: 256 * 1024 }),
    async digest(path) {
      const file = join(root, path);
      const known = digests.get(file);
      if (known !== undefined) return known;
      const hash = createHash('sha256');
      for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) hash.update(chunk as Uint8Array);
      const digest = hash.digest('hex');
      if (digests.size >= rememberedDigests) digests.delete(digests.keys().next().value ?? '');
      digests.set(file, digest);
      return digest;
    },
  };
}
