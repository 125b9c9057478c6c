/**
 * Files that are whole or absent after a crash of this process: written beside, then renamed. No fsync: a kill -9 cannot tear what the
 * kernel has taken, and a sync would cost milliseconds on every step of a container's life.
 */
import { closeSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
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

/** Overwrites in place. Only for files that nobody can find yet. */
export function writeWhole(path: string, text: string): void {
  const bytes = Buffer.from(text);
  const file = openSync(path, 'w', 0o600);
  try {
    // A nearly full disk takes a part of the bytes and says so only by the count.
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
  } finally {
    closeSync(file);
  }
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
