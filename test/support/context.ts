import { copyFileSync, linkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A build context in a temporary directory: text or bytes by name, or `{ from: path }` for a file that is linked there. */
export function buildContext(files: Readonly<Record<string, string | Uint8Array | { readonly from: string }>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'drydock-context-'));
  for (const [name, content] of Object.entries(files)) {
    const target = join(directory, name);
    if (typeof content === 'string' || content instanceof Uint8Array) writeFileSync(target, content);
    else {
      try {
        linkSync(content.from, target);
      } catch {
        copyFileSync(content.from, target); // another device
      }
    }
  }
  return directory;
}

/** Removes a directory made by a test. */
export const removeDirectory = (path: string): void => rmSync(path, { recursive: true, force: true });
