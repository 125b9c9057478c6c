/**
 * Files that are whole or absent after a crash of this process: written beside, then renamed. No fsync: a kill -9 cannot tear what the
 * kernel has taken, and a sync would cost milliseconds on every step of a container's life.
 */
import { closeSync, fstatSync, ftruncateSync, linkSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { full } from '../base/errors.ts';

/** @throws full when the disk is; the old file is then still there and nothing else. */
export function writeFileAtomically(path: string, text: string, draft = `${path}.new`): void {
  try {
    writeWhole(draft, text);
    renameSync(draft, path);
  } catch (error) {
    try {
      unlinkSync(draft);
    } catch {
      // It was never made.
    }
    throw asFull(error, path);
  }
}

/**
 * The same for files that change all the time: makes no inode, because the file that was replaced is kept as `PATH.spare` and written to next time. Where many files
 * were deleted in the last seconds, ext4 takes up to a millisecond to find a free inode; writing to an old one takes 6 µs.
 * At any moment PATH is one whole text: the spare is another file until it takes the name. @throws full
 */
export function rewriteFileAtomically(path: string, text: string): void {
  const spare = `${path}.spare`;
  const kept = `${path}.kept`;
  try {
    writeWhole(spare, text);
    if (!keep(path, kept)) {
      renameSync(spare, path);
      return;
    }
    try {
      renameSync(spare, path);
    } catch (error) {
      unlinkSync(kept);
      throw error;
    }
    renameSync(kept, spare);
  } catch (error) {
    throw asFull(error, path);
  }
}

/** A second name for the file that is about to be replaced; false where it has none or the file system knows no second names. */
function keep(path: string, kept: string): boolean {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      linkSync(path, kept);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false;
      // Left by a crash in the middle of this.
      unlinkSync(kept);
    }
  }
  return false;
}

/** Overwrites in place, and makes the file when it is not there. Only for files that nobody can find under their real name yet. */
export function writeWhole(path: string, text: string): void {
  const bytes = Buffer.from(text);
  const file = openToOverwrite(path);
  try {
    // A nearly full disk takes a part of the bytes and says so only by the count.
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done, done);
    // Not before: ext4 writes a file out at close when it was cut to nothing.
    ftruncateSync(file, bytes.length);
  } finally {
    closeSync(file);
  }
}

function openToOverwrite(path: string): number {
  try {
    const file = openSync(path, 'r+');
    if (fstatSync(file).nlink === 1) return file;
    // It is somebody else's file as well: leave that one alone.
    closeSync(file);
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return openSync(path, 'w', 0o600);
}

/** ENOSPC and EDQUOT become `full` that names the file; anything else stays as it is. */
export function asFull(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return full(`no space left on the disk that holds ${path}`, {
    hint: 'Free some space (docker system prune removes what nothing uses) and try again.',
    cause: error,
    data: { path },
  });
}
