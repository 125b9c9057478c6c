import {
  chmodSync,
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { takingTurns } from './turns.ts';

/** System errors that mean "no hard link here", not "something is broken": another device, a full link count, a file system without them. */
const noLinks = new Set(['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/**
 * Fills the empty directory `to` with the tree under `from`: directories and links are made anew, files are shared by hard links, or copied
 * where that cannot be. Nobody may write to such files in place any more.
 */
export async function linkTree(from: string, to: string): Promise<void> {
  const othersTurn = takingTurns();
  const fill = async (source: string, target: string): Promise<void> => {
    for (const entry of readdirSync(source, { withFileTypes: true })) {
      await othersTurn();
      const old = join(source, entry.name);
      const made = join(target, entry.name);
      if (entry.isDirectory()) {
        mkdirSync(made);
        await fill(old, made);
      } else if (entry.isSymbolicLink()) {
        // link(2) follows symbolic links on some systems.
        symlinkSync(readlinkSync(old), made);
        const { atime, mtime } = lstatSync(old);
        lutimesSync(made, atime, mtime);
      } else share(old, made);
    }
    const { mode, atime, mtime } = lstatSync(source);
    chmodSync(target, mode & 0o777);
    utimesSync(target, atime, mtime);
  };
  await fill(from, to);
}

function share(source: string, target: string): void {
  try {
    linkSync(source, target);
  } catch (error) {
    if (!noLinks.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    copyFileSync(source, target, constants.COPYFILE_FICLONE);
    const { mode, atime, mtime } = lstatSync(source);
    chmodSync(target, mode & 0o777);
    utimesSync(target, atime, mtime);
  }
}

/** A blob as a file of a root; shared, since nobody writes to either. Another file of that name, from a layer below, gives way. */
export async function placeFile(blob: string, path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
  share(blob, path);
  chmodSync(path, 0o755);
}
