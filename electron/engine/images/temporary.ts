import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** HOME/tmp/images: what is not finished. Nothing in it outlives the process. */
export interface Temporary {
  /** A new empty directory; `NAME-` and six letters. */
  directory(name: string): Promise<string>;
  /** A path that nobody else is given. */
  path(name: string): string;
}

/** Empties the directory: after a crash everything in it is garbage. The home's lock says that nobody else is using it. */
export async function openTemporary(home: string): Promise<Temporary> {
  const root = join(home, 'tmp', 'images');
  await rm(root, { recursive: true, force: true });
  await mkdir(root, { recursive: true });
  let count = 0;
  return {
    directory: (name) => mkdtemp(join(root, `${name}-`)),
    path: (name) => join(root, `${name}-${++count}`),
  };
}
