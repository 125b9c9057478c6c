import { createHash } from 'node:crypto';
import { invalid } from '../../base/errors.ts';
import type { LayerEntry } from '../images/layer-writer.ts';
import { compressionOf, inflated } from '../images/inflate.ts';
import { readTar } from '../images/read-tar.ts';
import { looksLikeTar } from '../images/tar-header.ts';
import { checkSymlink, entryParts, hostile } from '../images/tar-names.ts';
import type { Selected } from './copy.ts';
import type { StageRoot } from './stage-root.ts';
import type { Tree } from './tree.ts';

/** A layer that is about to be written: what it will hold is known, and has a key, before a byte of it is read. */
export interface LayerPlan {
  readonly layerKey: string;
  entries(): AsyncIterable<LayerEntry>;
}

export interface CopyTarget {
  /** Absolute guest path as given, joined with the working directory. */
  readonly path: string;
  /** It ends in a slash or a dot: whatever is copied goes into it. */
  readonly isDirectory: boolean;
}

/** moby's normalizeDest: relative to the working directory, with a slash at the end kept in mind. */
export function copyTarget(target: string, workingDir: string): CopyTarget {
  const path = target.startsWith('/') ? target : `${workingDir || '/'}/${target}`;
  return { path, isDirectory: /(^|\/)\.{0,2}$/.test(target) };
}

/** Some of what a COPY or ADD takes along, and where it lies. */
export interface CopySource {
  readonly tree: Tree;
  readonly selected: readonly Selected[];
  /** Local archives of ADD are unpacked. */
  readonly unpack: boolean;
}

type Planned =
  | { readonly entry: LayerEntry; readonly content: string }
  /** ADD of an archive: its entries are known when it is read. */
  | { readonly tree: Tree; readonly archive: string; readonly into: readonly string[]; readonly content: string };

/**
 * What copying the selected things to the target puts into a layer: directories on the way that are missing, then files, where links in the
 * stage lead.
 * @throws invalid in moby's words
 */
export async function planCopy(
  sources: readonly CopySource[],
  target: CopyTarget,
  root: StageRoot,
  options: { readonly kind: 'COPY' | 'ADD'; readonly mode: number | undefined },
): Promise<LayerPlan> {
  const selected = sources.flatMap((source) => source.selected.map((each) => ({ ...source, ...each })));
  if (selected.length > 1 && !target.isDirectory)
    throw invalid(
      `When using ${options.kind} with more than one source file, the destination must be a directory and end with a /`,
    );
  const planner = new Planner(root, newest(selected));
  const requested = target.path.split('/');
  const located = await root.locate(requested);
  const intoDirectory = target.isDirectory || located.kind === 'directory';

  for (const { tree, unpack, baseName, isDirectory, items } of selected) {
    const first = items[0];
    if (!isDirectory && unpack && first && (await isArchive(tree, first.path))) {
      await planner.directory(located.parts);
      planner.planned.push({ tree, archive: first.path, into: located.parts, content: await tree.digest(first.path) });
      continue;
    }
    if (isDirectory) {
      if (located.kind === 'file' || located.kind === 'symlink')
        throw invalid(`${options.kind} failed: cannot copy to non-directory: ${target.path}`);
      await planner.directory(located.parts);
    }
    for (const { name, path, entry } of items) {
      const inside = isDirectory ? name.split('/') : intoDirectory ? [baseName] : [];
      const { parts, kind } = await root.locate([...located.parts, ...inside], entry.type === 'directory');
      if (parts.length === 0) {
        if (entry.type === 'directory') continue;
        throw invalid(`${options.kind} failed: cannot copy a file over the root directory`);
      }
      await planner.directory(parts.slice(0, -1));
      const mode = options.mode ?? entry.mode;
      const common = { name: parts.join('/'), mode, mtime: entry.mtime };
      if (entry.type === 'directory') await planner.copiedDirectory(parts, mode, entry.mtime, kind === 'directory');
      else if (entry.type === 'symlink') {
        const link = entry.target ?? '';
        checkSymlink(parts, link, 'build context');
        planner.add(parts, { ...common, type: 'symlink', mode: 0o777, target: link }, link);
      } else {
        const read = () => tree.read(path);
        planner.add(parts, { ...common, type: 'file', size: entry.size, read }, await tree.digest(path));
      }
    }
  }
  return planner.finish(options.mode);
}

/** A layer that makes one directory and those above it, as WORKDIR does; undefined when it is there. */
export async function planDirectory(path: string, root: StageRoot): Promise<LayerPlan | undefined> {
  const planner = new Planner(root, new Date());
  const { parts, kind } = await root.locate(path.split('/'));
  if (kind === 'directory') return undefined;
  if (kind !== undefined) throw invalid(`Cannot mkdir: ${path} is not a directory`);
  await planner.directory(parts);
  return planner.finish(undefined);
}

const newest = (selected: readonly Selected[]): Date =>
  new Date(Math.max(0, ...selected.flatMap(({ items }) => items.map(({ entry }) => entry.mtime.getTime()))));

class Planner {
  readonly planned: Planned[] = [];
  readonly #root: StageRoot;
  /** The time of directories that only stand on the way. */
  readonly #time: Date;
  /** Directories that are sure to be there. */
  readonly #known = new Set<string>();

  constructor(root: StageRoot, time: Date) {
    this.#root = root;
    this.#time = time;
  }

  add(parts: readonly string[], entry: LayerEntry, content: string): void {
    // What could not be unpacked had better not be packed.
    if (entry.type === 'symlink') checkSymlink(parts, entry.target ?? '', 'image');
    this.planned.push({ entry, content });
    this.#root.note(parts, entry.type === 'link' ? 'file' : entry.type, entry.target);
  }

  /** Makes a directory and those above it where they are missing. The path holds no links. */
  async directory(parts: readonly string[]): Promise<void> {
    if (this.#known.has(parts.join('/'))) return;
    for (let depth = 1; depth <= parts.length; depth++) {
      const part = parts.slice(0, depth);
      if (this.#known.has(part.join('/'))) continue;
      const { kind } = await this.#root.locate(part);
      this.#known.add(part.join('/'));
      if (kind === 'directory') continue;
      if (kind !== undefined) throw invalid(`cannot make the directory /${part.join('/')}: a file is in its place`);
      this.add(part, { name: part.join('/'), type: 'directory', mode: 0o755, mtime: this.#time }, '');
    }
  }

  /** A directory of the source; one that is there keeps its contents and takes the mode. */
  async copiedDirectory(parts: readonly string[], mode: number, mtime: Date, exists: boolean): Promise<void> {
    // A link to a directory stays one: an entry of that name would replace it.
    if (exists && (await this.#root.locate(parts, false)).kind === 'symlink') return;
    this.add(parts, { name: parts.join('/'), type: 'directory', mode, mtime }, '');
    this.#known.add(parts.join('/'));
  }

  finish(mode: number | undefined): LayerPlan {
    const hash = createHash('sha256');
    for (const item of this.planned)
      hash.update(
        'archive' in item
          ? JSON.stringify(['archive', item.into, item.content, mode])
          : JSON.stringify([item.entry.name, item.entry.type, item.entry.mode, item.content]),
      );
    const { planned } = this;
    const root = this.#root;
    return {
      layerKey: hash.digest('hex'),
      async *entries() {
        for (const item of planned) {
          if ('entry' in item) yield item.entry;
          else yield* archiveEntries(item.tree.read(item.archive), item, root, mode);
        }
      },
    };
  }
}

async function isArchive(tree: Tree, path: string): Promise<boolean> {
  const head: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of tree.read(path)) {
    head.push(chunk);
    length += chunk.length;
    if (length >= 512) break;
  }
  const block = Buffer.concat(head).subarray(0, 512);
  const compression = compressionOf(block);
  if (compression === undefined) return looksLikeTar(block);
  if (compression === 'bzip2' || compression === 'xz')
    throw invalid(`ADD failed: ${path} is compressed with ${compression}, which Drydock cannot unpack`, {
      hint: 'Use gzip or zstd, or COPY to keep it as it is.',
    });
  return beginsWithTar(tree.read(path));
}

async function beginsWithTar(compressed: AsyncIterable<Uint8Array>): Promise<boolean> {
  let block: Uint8Array = new Uint8Array();
  try {
    for await (const chunk of inflated(compressed, 'archive')) {
      block = Buffer.concat([block, chunk]);
      if (block.length >= 512) break;
    }
  } catch {
    // Not compressed after all: then it is copied as it is, as moby does.
    return false;
  }
  return looksLikeTar(block);
}

/** An archive's entries under a directory. A directory that is there already keeps its mode. */
async function* archiveEntries(
  source: AsyncIterable<Uint8Array>,
  { archive, into }: { readonly archive: string; readonly into: readonly string[] },
  root: StageRoot,
  forced: number | undefined,
): AsyncGenerator<LayerEntry> {
  for await (const { header, body } of readTar(inflated(source, archive), archive)) {
    const parts = [...into, ...entryParts(header.name, archive)];
    if (parts.length === into.length) continue;
    const mtime = header.mtime ?? new Date(0);
    const common = { name: parts.join('/'), mode: forced ?? (header.mode ?? 0o644) & 0o7777, mtime };
    switch (header.type) {
      case 'directory': {
        const { kind } = await root.locate(parts, false);
        if (kind === 'directory' || (kind === 'symlink' && (await root.locate(parts)).kind === 'directory')) continue;
        root.note(parts, 'directory');
        yield { ...common, type: 'directory' };
        break;
      }
      case 'file':
      case 'contiguous-file':
        root.note(parts, 'file');
        yield { ...common, type: 'file', size: header.size ?? 0, read: () => body };
        break;
      case 'symlink':
        checkSymlink(parts, header.linkname ?? '', archive);
        root.note(parts, 'symlink', header.linkname ?? '');
        yield { ...common, type: 'symlink', target: header.linkname ?? '' };
        break;
      case 'link': {
        const target = [...into, ...entryParts((header.linkname ?? '').replace(/^\/+/, ''), archive)];
        root.note(parts, 'file');
        yield { ...common, type: 'link', target: target.join('/') };
        break;
      }
      default:
        throw hostile(
          header.name,
          archive,
          `devices and other special files (${header.type ?? 'unknown'}) are not unpacked`,
        );
    }
  }
}
