import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of all files under a directory, each hard link once; links are not followed. What vanishes or may not be read while we look counts nothing. */
export async function directorySize(path: string): Promise<number> {
  const seen = new Set<string>();
  const walk = async (directory: string): Promise<number> => {
    let sum = 0;
    const entries = await opendir(directory).catch(() => undefined);
    if (!entries) return 0;
    for await (const entry of entries) {
      const child = join(directory, entry.name);
      if (entry.isDirectory()) {
        sum += await walk(child);
        continue;
      }
      const stat = await lstat(child).catch(() => undefined);
      if (!stat) continue;
      if (stat.nlink > 1) {
        const key = `${stat.dev}:${stat.ino}`;
        if (seen.has(key)) continue;
        seen.add(key);
      }
      sum += stat.size;
    }
    return sum;
  };
  return walk(path);
}
