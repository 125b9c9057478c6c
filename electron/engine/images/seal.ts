import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { takingTurns } from './turns.ts';

/**
 * What a directory that nobody writes to looks like from outside, as one hash: every name with its kind, mode, size, time and target, but not the bytes of
 * files. It costs a look at each, so it tells cheaply that something was removed, added, cut off or written to.
 * @throws ENOENT, EACCES
 */
export async function sealOf(root: string): Promise<string> {
  const hash = createHash('sha256');
  const othersTurn = takingTurns();
  const walk = async (directory: string): Promise<void> => {
    for (const name of readdirSync(join(root, directory)).sort()) {
      await othersTurn();
      const path = `${directory}/${name}`;
      const found = lstatSync(join(root, path));
      const mode = (found.mode & 0o777).toString(8);
      const time = Math.floor(found.mtimeMs);
      if (found.isDirectory()) {
        hash.update(`d ${mode} ${time} ${path}\0`);
        await walk(path);
      } else if (found.isSymbolicLink()) hash.update(`l ${readlinkSync(join(root, path))} ${path}\0`);
      else if (found.isFile()) hash.update(`f ${mode} ${time} ${found.size} ${path}\0`);
      else hash.update(`? ${path}\0`);
    }
  };
  await walk('');
  return `sha256:${hash.digest('hex')}`;
}
