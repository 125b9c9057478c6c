/** A new volume gets what the image has at its mount point, as Docker does (moby: daemon/create_unix.go populateVolume). */
import { cp, lstat, readdir, readlink, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { asFull } from '../../platform/atomic-file.ts';

/** Copies the content of `path` in the image's root into an empty directory. Nothing happens when the image has no directory there. @throws full */
export async function populate(imageRoot: string, path: string, target: string): Promise<void> {
  const source = await insideImage(imageRoot, path);
  if (source === undefined) return;
  const names = await readdir(source);
  if (names.length === 0 || (await readdir(target)).length > 0) return;
  try {
    for (const name of names) {
      await cp(join(source, name), join(target, name), {
        recursive: true,
        verbatimSymlinks: true,
        preserveTimestamps: true,
      });
    }
  } catch (error) {
    // Half a copy would pass for the image's content next time.
    for (const name of names) await rm(join(target, name), { recursive: true, force: true });
    throw asFull(error, target);
  }
}

/** The host path of a directory in the image; links are followed inside the image only. The snapshot is immutable, so looking first is no race. */
async function insideImage(root: string, path: string): Promise<string | undefined> {
  let todo = path.split('/').filter(Boolean);
  let done: string[] = [];
  for (let links = 0; todo.length > 0;) {
    const [name = '', ...rest] = todo;
    todo = rest;
    if (name === '.') continue;
    if (name === '..') {
      done = done.slice(0, -1);
      continue;
    }
    const host = join(root, ...done, name);
    const found = await lstat(host).catch(() => undefined);
    if (!found) return undefined;
    if (!found.isSymbolicLink()) {
      if (!found.isDirectory()) return undefined;
      done = [...done, name];
      continue;
    }
    if (++links > 40) return undefined;
    const link = await readlink(host);
    if (posix.isAbsolute(link)) done = [];
    todo = [...link.split('/').filter(Boolean), ...todo];
  }
  return join(root, ...done);
}
