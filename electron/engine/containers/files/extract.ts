/** `docker cp` into a container: a tar is unpacked in a directory that is there. */
import { invalid } from '../../../base/errors.ts';
import type { Directory } from '../../../fs/directory.ts';
import { fsError } from '../../../fs/error.ts';
import type { MountTable } from '../../../fs/mount-table.ts';
import { inflated } from '../../images/inflate.ts';
import { readTar, type TarEntry } from '../../images/read-tar.ts';
import { entryParts, hostile } from '../../images/tar-names.ts';
import { announce } from '../transitions.ts';
import { absolute } from './stat.ts';
import { fileProblem, openFiles, type FilesContext } from './view.ts';

export interface ExtractOptions {
  /** Refuse to put a file where a directory is and the other way round; without it the one that is there goes. */
  readonly keepKinds: boolean;
}

/**
 * Unpacks a tar (plain, gzip, zstd). Names are taken inside of the directory whatever they say; links in the container are followed inside of the container
 * only. What was unpacked before an error stays, as with tar(1). @throws notFound, denied (read-only), invalid (no directory, a refused entry), full
 */
export async function extract(
  context: FilesContext,
  ref: string,
  asked: string,
  tar: AsyncIterable<Uint8Array>,
  options: ExtractOptions,
): Promise<void> {
  const container = context.store.find(ref);
  const table = await openFiles(context, container);
  let at = asked;
  try {
    const { path } = absolute(asked);
    if (table.stat(table.root, path, { follow: true }).kind !== 'directory')
      throw invalid('extraction point is not a directory', { data: { path: asked } });
    const opened = table.open(table.root, path, { read: true, write: false, follow: true, onlyDirectory: true });
    if (!('directory' in opened)) throw fsError('ENOTDIR', path);
    const { directory } = opened;
    try {
      if (directory.volume.readOnly) throw fsError('EROFS', path);
      for await (const entry of readTar(inflated(tar, 'archive'), 'archive')) {
        const parts = entryParts(entry.header.name, 'archive');
        at = parts.length === 0 ? asked : `${path === '/' ? '' : path}/${parts.join('/')}`;
        await unpack(table, directory, parts, entry, options);
      }
    } finally {
      table.release(directory);
    }
  } catch (error) {
    throw fileProblem(error, container, at);
  } finally {
    table.close();
  }
  announce(context, container, 'extract-to-dir', { path: asked });
}

async function unpack(
  table: MountTable,
  at: Directory,
  parts: readonly string[],
  { header, body }: TarEntry,
  { keepKinds }: ExtractOptions,
): Promise<void> {
  const path = parts.join('/');
  // Set-user-id bits would be the host's: a directory of the host may be mounted here.
  const mode = header.mode & 0o777;
  const mtime = BigInt(header.mtime.getTime()) * 1_000_000n;
  const stamp = (): void => table.setTimes(at, path, { atime: undefined, mtime }, { follow: false });
  for (let depth = 1; depth < parts.length; depth++) {
    const parent = parts.slice(0, depth).join('/');
    if (!table.find(at, parent, { follow: true })) table.makeDirectory(at, parent);
  }
  const there = path === '' ? undefined : table.find(at, path, { follow: false });
  switch (header.type) {
    case 'directory': {
      if (path === '') return;
      if (there && there.kind !== 'directory') {
        // A link to a directory is as good as one.
        if (there.kind === 'symlink' && table.find(at, path, { follow: true })?.kind === 'directory') return;
        if (keepKinds) throw invalid(`cannot overwrite non-directory "${path}" with directory`);
        table.unlink(at, path);
      }
      if (there?.kind !== 'directory') table.makeDirectory(at, path, mode);
      else table.chmod(at, path, mode);
      return stamp();
    }
    case 'file':
    case 'contiguous-file': {
      clear(table, at, path, there?.kind, keepKinds);
      const opened = table.open(at, path, {
        read: false,
        write: true,
        create: true,
        truncate: true,
        mode,
        follow: false,
      });
      if (!('file' in opened)) throw fsError('EISDIR', path);
      const { file } = opened;
      try {
        let position = 0;
        for await (const chunk of body)
          for (let done = 0; done < chunk.length;) {
            const written = file.write(chunk, done, chunk.length - done, position);
            done += written;
            position += written;
          }
        file.chmod(mode);
        file.setTimes({ atime: undefined, mtime });
      } finally {
        file.close();
      }
      return;
    }
    case 'symlink':
      clear(table, at, path, there?.kind, keepKinds);
      table.symlink(header.linkname, at, path);
      return stamp();
    case 'link': {
      const target = entryParts(header.linkname, 'archive').join('/');
      if (target === path) return;
      clear(table, at, path, there?.kind, keepKinds);
      return table.link(at, target, { follow: false }, at, path);
    }
    default:
      throw hostile(header.name, 'archive', `it is a ${header.type ?? 'thing of unknown kind'}`);
  }
}

/** Makes room for what is no directory. A mounted file cannot be replaced: it is written into. */
function clear(table: MountTable, at: Directory, path: string, kind: string | undefined, keepKinds: boolean): void {
  if (kind === undefined) return;
  if (kind === 'directory') {
    if (keepKinds) throw invalid(`cannot overwrite directory "${path}" with non-directory`);
    return removeTree(table, at, path);
  }
  try {
    table.unlink(at, path);
  } catch (error) {
    if ((error as { code?: string }).code !== 'EBUSY') throw error;
  }
}

function removeTree(table: MountTable, at: Directory, path: string): void {
  const opened = table.open(at, path, { read: true, write: false, follow: false, onlyDirectory: true });
  if (!('directory' in opened)) return;
  const { directory } = opened;
  try {
    for (const { name, kind } of table.list(directory)) {
      if (kind === 'directory') removeTree(table, directory, name);
      else table.unlink(directory, name);
    }
  } finally {
    table.release(directory);
  }
  table.removeDirectory(at, path);
}
