import { lstatSync, readdirSync, type Dirent, type Stats } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

/** Milliseconds of looking before others get their turn. */
const turn = 5;

/**
 * Bytes of all files under some directories together, each hard link once also across them; links are not followed. What vanishes or may not be read while we
 * look counts nothing. By synchronous calls in turns: through the thread pool it takes ten times as long.
 */
export async function footprint(...directories: readonly string[]): Promise<number> {
  const seen = new Set<string>();
  let bytes = 0;
  let since = performance.now();
  const waiting = [...directories];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    for (const entry of entriesOf(directory)) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) {
        waiting.push(path);
        continue;
      }
      const found = lookAt(path);
      if (!found) continue;
      if (found.nlink > 1) {
        const key = `${found.dev}:${found.ino}`;
        if (seen.has(key)) continue;
        seen.add(key);
      }
      bytes += found.size;
      if (performance.now() - since < turn) continue;
      await setImmediate();
      since = performance.now();
    }
  }
  return bytes;
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}
