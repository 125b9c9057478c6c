/** `docker cp` out of a container, and `docker export`. */
import { posix } from 'node:path';
import type { PathStat } from '../../api/index.ts';
import { packTar, type PackEntry } from '../../images/pack-tar.ts';
import type { Container } from '../container.ts';
import { announce } from '../transitions.ts';
import { treeEntries } from './pack.ts';
import { absolute, statPath } from './stat.ts';
import { fileProblem, openFiles, type FilesContext } from './view.ts';

/**
 * What is at the path, as a tar whose entries begin with its last name. A link that is the last name is not followed. @throws notFound before the first
 * byte
 */
export async function archive(
  context: FilesContext,
  ref: string,
  asked: string,
): Promise<{ readonly stat: PathStat; readonly tar: AsyncIterable<Uint8Array> }> {
  const container = context.store.find(ref);
  const stat = await statPath(context, ref, asked);
  const { path, follow } = absolute(asked);
  // "dir/." is its content, named "./…"; the root has no name of its own.
  const name = asked.endsWith('/.') || path === '/' ? '.' : posix.basename(path);
  announce(context, container, 'archive-path', { path: asked });
  return { stat, tar: packTar(entriesOf(context, container, 'everything', { path, name, follow })) };
}

/** The container's root file system, without what is mounted in it (moby: daemon/export.go). @throws notFound */
export function exportFiles(context: FilesContext, ref: string): AsyncIterable<Uint8Array> {
  const container = context.store.find(ref);
  announce(context, container, 'export');
  return packTar(entriesOf(context, container, 'root', { path: '/', name: '', follow: false }));
}

/** The file system is open only while somebody reads. */
async function* entriesOf(
  context: FilesContext,
  container: Container,
  only: 'root' | 'everything',
  { path, name, follow }: { readonly path: string; readonly name: string; readonly follow: boolean },
): AsyncGenerator<PackEntry> {
  const table = await openFiles(context, container, only);
  try {
    yield* treeEntries(table, table.root, path, name, follow);
  } catch (error) {
    throw fileProblem(error, container, path);
  } finally {
    table.close();
  }
}
