import { constants } from 'node:fs';
import { chmod, copyFile, link, lstat, lutimes, mkdir, readdir, readlink, symlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';

/** System errors that mean "no hard link here", not "something is broken": another device, a full link count, a file system without them. */
const noLinks = new Set(['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/**
 * Fills the empty directory `to` with the tree under `from`: directories and links are made anew, files are shared by hard links, or copied
 * where that cannot be. Nobody may write to such files in place any more.
 */
export async function linkTree(from: string, to: string): Promise<void> {
  const entries = await readdir(from, { withFileTypes: true });
  const directories: string[] = [];
  await inBatches(entries, async (entry) => {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) {
      await mkdir(target);
      directories.push(entry.name);
    } else if (entry.isSymbolicLink()) {
      // link(2) follows symbolic links on some systems.
      await symlink(await readlink(source), target);
      const { atime, mtime } = await lstat(source);
      await lutimes(target, atime, mtime);
    } else await share(source, target);
  });
  for (const name of directories) await linkTree(join(from, name), join(to, name));
  const { mode, atime, mtime } = await lstat(from);
  await chmod(to, mode & 0o777);
  await utimes(to, atime, mtime);
}

async function share(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch (error) {
    if (!noLinks.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await copyFile(source, target, constants.COPYFILE_FICLONE);
    const { mode, atime, mtime } = await lstat(source);
    await chmod(target, mode & 0o777);
    await utimes(target, atime, mtime);
  }
}

const batch = 16;

async function inBatches<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += batch) await Promise.all(items.slice(at, at + batch).map(work));
}
