/** What `docker cp` asks first: what is at a path. */
import { posix } from 'node:path';
import type { MountTable } from '../../../fs/mount-table.ts';
import type { FileStat } from '../../../fs/stat.ts';
import type { PathStat } from '../../api/index.ts';
import { fileProblem, openFiles, type FilesContext } from './view.ts';

/** Longest chain of links that is followed. */
const LINKS = 40;

/**
 * A path as clients give it: relative ones start at the root, `..` ends there. A trailing separator or `/.` asks for the directory itself, so a link is
 * followed (moby: container.ResolvePath).
 */
export function absolute(path: string): { readonly path: string; readonly follow: boolean } {
  const clean = posix.normalize(`/${path}`);
  const follow = /\/\.?$/.test(path);
  return { path: clean === '/' ? clean : clean.replace(/\/$/, ''), follow };
}

/** @throws notFound */
export async function statPath(context: FilesContext, ref: string, asked: string): Promise<PathStat> {
  const container = context.store.find(ref);
  const table = await openFiles(context, container);
  try {
    return pathStat(table, asked);
  } catch (error) {
    throw fileProblem(error, container, asked);
  } finally {
    table.close();
  }
}

/** @throws FsError */
export function pathStat(table: MountTable, asked: string): PathStat {
  const { path, follow } = absolute(asked);
  const stat = table.stat(table.root, path, { follow });
  return {
    name: path === '/' ? '/' : posix.basename(path),
    size: Number(stat.size),
    kind: stat.kind,
    mode: stat.mode,
    mtime: stat.mtime,
    linkTarget: stat.kind === 'symlink' ? finalTarget(table, path) : '',
  };
}

/** Where a link leads in the end, as a path of the container. */
function finalTarget(table: MountTable, path: string): string {
  let at = path;
  for (let step = 0; step < LINKS; step++) {
    at = posix.resolve(posix.dirname(at), table.readLink(table.root, at));
    const stat: FileStat | undefined = table.find(table.root, at, { follow: false });
    if (stat?.kind !== 'symlink') return at;
  }
  return at;
}
