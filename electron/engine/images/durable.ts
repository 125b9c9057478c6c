import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes renames in a directory last. Windows has no such call and needs none. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Replaces a file by new text: after a crash it holds the old or the new, never half. `temporary` lies on the same file system. */
export async function replaceFile(path: string, text: string, temporary: string): Promise<void> {
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}
