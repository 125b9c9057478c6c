import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import ignore from '@balena/dockerignore';
import { cancelled, invalid } from '../../base/errors.ts';
import { inflated } from '../images/inflate.ts';
import { readRange } from '../images/read-range.ts';
import { readTar } from '../images/read-tar.ts';
import { entryParts, hostile } from '../images/tar-names.ts';
import type { Tree, TreeEntry } from './tree.ts';

/** Text of a Dockerfile or a .dockerignore; larger ones are a mistake. */
const maximumText = 4 * 1024 * 1024;
/** Each is held in memory until the build ends. */
const maximumEntries = 1_000_000;

export interface Context {
  /** Without what .dockerignore leaves out. */
  readonly tree: Tree;
  /** A file of the whole context, ignored or not: the Dockerfile may be. Undefined when there is none. @throws invalid when it is too large */
  text(path: string): Promise<string | undefined>;
}

interface Node extends TreeEntry {
  readonly offset: number;
  readonly digest: string;
}

/**
 * Takes in a whole build context (tar, gzip, zstd) as one plain tar file in `directory`, hashing each file on the way. Also after an error it reads
 * to the end, because a client that is cut off while it sends shows "broken pipe" and not the error.
 * @throws invalid for what is no tar or holds hostile entries, cancelled
 */
export async function readContext(
  source: AsyncIterable<Uint8Array>,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<Context> {
  const path = join(directory, 'context.tar');
  const nodes = new Map<string, Node>();
  const iterator = source[Symbol.asyncIterator]();
  const file = await open(path, 'wx');
  try {
    const plain = spooled(inflated(unending(iterator, signal), 'build context'), file);
    for await (const { header, offset, body } of readTar(plain, 'build context')) {
      if (nodes.size > maximumEntries)
        throw invalid(`the build context has more than ${maximumEntries.toLocaleString('en')} files and directories`, {
          hint: 'Leave out what is not needed in a .dockerignore.',
        });
      const parts = entryParts(header.name, 'build context');
      const name = parts.join('/');
      const common = {
        mode: (header.mode ?? 0) & 0o7777,
        mtime: header.mtime ?? new Date(0),
        offset,
        size: 0,
        digest: '',
      };
      switch (header.type) {
        case 'file':
        case 'contiguous-file': {
          const hash = createHash('sha256');
          for await (const chunk of body) hash.update(chunk);
          put(nodes, name, { ...common, type: 'file', size: header.size ?? 0, digest: hash.digest('hex') });
          break;
        }
        case 'directory':
          put(nodes, name, { ...common, type: 'directory' });
          break;
        case 'symlink':
          // Wherever it leads: it is only ever followed inside the context, where above the root is the root.
          if (!header.linkname || header.linkname.includes('\0'))
            throw hostile(header.name, 'build context', 'it is a link to nothing');
          put(nodes, name, { ...common, type: 'symlink', target: header.linkname ?? '' });
          break;
        case 'link': {
          const target = nodes.get(entryParts((header.linkname ?? '').replace(/^\/+/, ''), 'build context').join('/'));
          if (!target)
            throw hostile(header.name, 'build context', `it is a link to ${header.linkname}, which is not there`);
          put(nodes, name, target);
          break;
        }
        default:
          throw hostile(
            header.name,
            'build context',
            `devices and other special files (${header.type ?? 'unknown'}) cannot be built from`,
          );
      }
    }
  } catch (error) {
    if (!signal?.aborted) await drain(iterator, signal);
    throw error;
  } finally {
    await file.close();
    // Not awaited: a source that hangs does not answer this either.
    if (signal?.aborted) void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }

  const rules = nodes.get('.dockerignore');
  const all = contextTree(path, nodes);
  const text = async (name: string): Promise<string | undefined> => {
    const node = nodes.get(name);
    if (node?.type !== 'file') return undefined;
    if (node.size > maximumText) throw invalid(`${name} has ${node.size} bytes; that cannot be right`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of all.read(name)) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  };
  const tree = rules?.type === 'file' ? contextTree(path, without(nodes, (await text('.dockerignore')) ?? '')) : all;
  return { tree, text };
}

/** Hands on the source's chunks, but does not close it when the reader stops early. */
async function* unending(iterator: AsyncIterator<Uint8Array>, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  for (;;) {
    const next = await nextOf(iterator, signal);
    if (next.done) return;
    yield next.value;
  }
}

async function nextOf(iterator: AsyncIterator<Uint8Array>, signal?: AbortSignal): Promise<IteratorResult<Uint8Array>> {
  if (!signal) return iterator.next();
  let stop = (): void => undefined;
  try {
    return await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
      stop = () => reject(cancelled('the build was cancelled'));
      if (signal.aborted) stop();
      else {
        signal.addEventListener('abort', stop, { once: true });
        iterator.next().then(resolve, reject);
      }
    });
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function drain(iterator: AsyncIterator<Uint8Array>, signal?: AbortSignal): Promise<void> {
  try {
    while (!(await nextOf(iterator, signal)).done);
  } catch {
    // The error that brought us here says more.
  }
}

/** Writes each chunk while the reader hashes it: one write is under way at most. */
async function* spooled(source: AsyncIterable<Uint8Array>, file: FileHandle): AsyncGenerator<Uint8Array> {
  let writing = Promise.resolve();
  try {
    for await (const chunk of source) {
      await writing;
      writing = writeAll(file, chunk);
      // Its error is thrown where it is awaited, not while nobody looks.
      writing.catch(() => undefined);
      yield chunk;
    }
  } finally {
    await writing;
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) at += (await file.write(chunk, at)).bytesWritten;
}

/** The last entry of a name counts; directories that were only implied are filled in. */
function put(nodes: Map<string, Node>, name: string, node: Node): void {
  nodes.delete(name);
  nodes.set(name, node);
  for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
    const parent = name.slice(0, at);
    if (nodes.get(parent)?.type === 'directory') break;
    nodes.set(parent, { type: 'directory', mode: 0o755, mtime: node.mtime, size: 0, offset: 0, digest: '' });
  }
}

/** What .dockerignore leaves; a directory stays when something in it does. */
function without(nodes: ReadonlyMap<string, Node>, rules: string): Map<string, Node> {
  const matcher = ignore().add(rules.replace(/^\uFEFF/, ''));
  const kept = new Map<string, Node>();
  const directories = [...nodes].filter(([, node]) => node.type === 'directory');
  for (const [name, node] of nodes) if (node.type !== 'directory' && !matcher.ignores(name)) put(kept, name, node);
  for (const [name, node] of directories)
    if (kept.has(name) || name === '' || !matcher.ignores(name)) kept.set(name, node);
  return kept;
}

function contextTree(path: string, nodes: ReadonlyMap<string, Node>): Tree {
  const children = new Map<string, string[]>();
  for (const name of nodes.keys()) {
    if (name === '') continue;
    const at = name.lastIndexOf('/');
    const parent = at < 0 ? '' : name.slice(0, at);
    const list = children.get(parent);
    if (list) list.push(name.slice(at + 1));
    else children.set(parent, [name.slice(at + 1)]);
  }
  for (const list of children.values()) list.sort();
  const root: TreeEntry = { type: 'directory', mode: 0o755, mtime: new Date(0), size: 0 };
  const node = (name: string): Node => {
    const found = nodes.get(name);
    if (!found) throw invalid(`${name} is not in the build context`);
    return found;
  };
  return {
    lstat: (name) => Promise.resolve(nodes.get(name) ?? (name === '' ? root : undefined)),
    list: (name) => Promise.resolve(children.get(name) ?? []),
    read: (name) => readRange(path, node(name).offset, node(name).size),
    digest: (name) => Promise.resolve(node(name).digest),
  };
}
