import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

const stampFile = join(root, 'dist', '.stamp');
const sources = ['electron', 'renderer', 'build', 'assets', 'package-lock.json', 'tsconfig.json'];

/** Newest change under a path, in ms; tests and generated files do not count. @param {string} path @returns {number} */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  let latest = stat.mtimeMs;
  for (const name of readdirSync(path)) {
    if (name === 'generated' || name.includes('.test.')) continue;
    latest = Math.max(latest, newest(join(path, name)));
  }
  return latest;
}

const sourceTime = () => Math.max(...sources.map((name) => newest(join(root, name))));

/** True when `dist` is missing or older than any source. */
export function isStale() {
  try {
    return Number(readFileSync(stampFile, 'utf8')) < sourceTime();
  } catch {
    return true;
  }
}

/** Remembers that `dist` is as new as the sources were at `time`. @param {number} time */
export const stamp = (time) => writeFileSync(stampFile, String(time));

export { sourceTime };
