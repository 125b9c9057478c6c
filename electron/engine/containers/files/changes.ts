/** `docker diff`: what the container's own directory holds over its image (moby: pkg/archive/changes_linux.go). */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hiddenBy, isLongWhiteout, isMark, OPAQUE } from '../../../fs/whiteout.ts';
import type { PathChange } from '../../api/index.ts';
import type { FilesContext } from './view.ts';

/** Sorted by path. A directory with changes below it is changed itself; one that only carries a mount point is not told. @throws notFound */
export async function changes(context: FilesContext, ref: string): Promise<readonly PathChange[]> {
  const container = context.store.find(ref);
  const lower = await context.roots.of(container.record.imageId);
  const upper = join(container.directory, 'upper');
  const mounts = new Set(container.record.mounts.map(({ target }) => target));
  const found = await below(upper, lower, '', mounts);
  return found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

async function below(upper: string, lower: string, at: string, mounts: ReadonlySet<string>): Promise<PathChange[]> {
  const out: PathChange[] = [];
  const names = await readdir(join(upper, at));
  const inImage = names.includes(OPAQUE) ? await readdir(join(lower, at)).catch(() => []) : [];
  for (const name of inImage) if (!names.includes(name)) out.push({ path: `${at}/${name}`, kind: 'deleted' });
  for (const name of names) {
    const hidden = isLongWhiteout(name) ? await readFile(join(upper, at, name), 'utf8') : hiddenBy(name);
    if (hidden !== undefined && !names.includes(hidden)) out.push({ path: `${at}/${hidden}`, kind: 'deleted' });
    if (isMark(name)) continue;
    const path = `${at}/${name}`;
    const [mine, image] = await Promise.all([
      lstat(join(upper, path)),
      lstat(join(lower, path)).catch(() => undefined),
    ]);
    const kind = image ? 'modified' : 'added';
    if (!mine.isDirectory()) {
      out.push({ path, kind });
      continue;
    }
    const inside = await below(upper, lower, path, mounts);
    const carries = [...mounts].some((target) => target === path || target.startsWith(`${path}/`));
    if (inside.length > 0 || !carries) out.push({ path, kind });
    out.push(...inside);
  }
  return out;
}
