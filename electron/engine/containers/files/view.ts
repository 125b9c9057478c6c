/** A container's file system as cp, export and diff see it. */
import { denied, full, invalid, notFound } from '../../../base/errors.ts';
import { FsError } from '../../../fs/error.ts';
import { openMountTable, type MountTable } from '../../../fs/mount-table.ts';
import type { Container } from '../container.ts';
import type { Context } from '../context.ts';
import { mountsForRun } from '../mounts.ts';

export type FilesContext = Pick<Context, 'store' | 'roots' | 'volumes' | 'emit'>;

/** Opens the mounts; whoever calls must `close` the table. `only` leaves all but the root out. @throws notFound, damaged, invalid */
export async function openFiles(
  context: FilesContext,
  container: Container,
  only: 'root' | 'everything' = 'everything',
): Promise<MountTable> {
  const lower = await context.roots.of(container.record.imageId);
  const mounts = mountsForRun(context, container.record, container.directory, lower);
  return openMountTable(only === 'root' ? mounts.slice(0, 1) : mounts);
}

/** What went wrong with a path, in moby's words (daemon/archive.go). */
export function fileProblem(error: unknown, container: Container, path: string): unknown {
  if (!(error instanceof FsError)) return error;
  const about = { data: { path, container: container.id }, cause: error };
  switch (error.code) {
    case 'ENOENT':
      return notFound(`Could not find the file ${path} in container ${container.name}`, about);
    case 'EROFS':
      return denied(
        isOnMount(container, path) ? 'mounted volume is marked read-only' : 'container rootfs is marked read-only',
        {
          ...about,
          hint: `${path} cannot be written from outside either.`,
        },
      );
    case 'EACCES':
    case 'EPERM':
      return denied(`${path} in container ${container.name}: permission denied`, about);
    case 'ENOSPC':
    case 'EDQUOT':
      return full(`no space left for ${path} in container ${container.name}`, about);
    default:
      return invalid(`${path} in container ${container.name}: ${error.message}`, about);
  }
}

const isOnMount = ({ record }: Container, path: string): boolean =>
  record.mounts.some(({ target }) => path === target || path.startsWith(`${target}/`));
