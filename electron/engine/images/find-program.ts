import { lstat, readlink } from 'node:fs/promises';
import { join } from 'node:path';

const maximumLinks = 40;

/**
 * Where a guest path leads inside a snapshot, links expanded inside the root. Undefined when there is nothing.
 * Only for directories that nobody writes to: between the check and the use nothing may change.
 */
export async function resolveInRoot(
  root: string,
  guestPath: string,
): Promise<{ readonly hostPath: string; readonly guestPath: string; readonly kind: 'file' | 'directory' } | undefined> {
  let todo = guestPath.split('/');
  const at: string[] = [];
  let links = 0;
  let kind: 'file' | 'directory' = 'directory';
  while (todo.length > 0) {
    const part = todo.shift() ?? '';
    if (part === '' || part === '.') continue;
    if (kind === 'file') return undefined;
    if (part === '..') {
      at.pop();
      continue;
    }
    if (part.includes('\0')) return undefined;
    const found = await lstat(join(root, ...at, part)).catch(() => undefined);
    if (!found) return undefined;
    if (found.isSymbolicLink()) {
      if (++links > maximumLinks) return undefined;
      const target = await readlink(join(root, ...at, part));
      if (target.startsWith('/')) at.length = 0;
      todo = [...target.split('/'), ...todo];
      continue;
    }
    if (!found.isDirectory() && !found.isFile()) return undefined;
    at.push(part);
    kind = found.isDirectory() ? 'directory' : 'file';
  }
  return { hostPath: join(root, ...at), guestPath: `/${at.join('/')}`, kind };
}

/** Where programs are looked for when nobody says otherwise, as in Docker. */
export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The program that an argv[0] means: as given (relative ones from the working directory, then from the root: artefacts name their module
 * without a slash), then along PATH, each with and without `.wasm`. What follows a `#` (crun's `x.wasm#function`) is left out.
 */
export async function findProgram(
  root: string,
  name: string,
  options: { readonly env: readonly string[]; readonly workingDir: string },
): Promise<{ readonly hostPath: string; readonly guestPath: string } | undefined> {
  const bare = name.replace(/#.*$/, '') || name;
  const candidates: string[] = [];
  if (bare.startsWith('/')) candidates.push(bare);
  else {
    candidates.push(`${options.workingDir || '/'}/${bare}`, `/${bare}`);
    const path = options.env.find((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? defaultPath;
    if (!bare.includes('/')) for (const directory of path.split(':')) candidates.push(`${directory || '/'}/${bare}`);
  }
  for (const candidate of candidates)
    for (const path of [candidate, `${candidate}.wasm`]) {
      const found = await resolveInRoot(root, path);
      if (found?.kind === 'file') return found;
    }
  return undefined;
}
