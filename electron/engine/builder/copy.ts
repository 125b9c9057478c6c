import { createHash } from 'node:crypto';
import { invalid, notFound } from '../../base/errors.ts';
import { globPattern, hasWildcards } from '../images/glob.ts';
import { resolveInTree, type Tree, type TreeEntry } from './tree.ts';

/** A file, link or directory that a COPY takes along. `name` is relative to what was named; '' for a file or directory itself. */
export interface CopyItem {
  readonly name: string;
  /** In the tree. */
  readonly path: string;
  readonly entry: TreeEntry;
}

/** One thing that a source names. */
export interface Selected {
  /** Its last name as written, not where a link leads: `COPY link /dir/` makes /dir/link. */
  readonly baseName: string;
  readonly isDirectory: boolean;
  /** The file, or everything under the directory, parents first. */
  readonly items: readonly CopyItem[];
}

/**
 * Finds what the sources of a COPY or ADD mean; a directory means its contents. Links named directly are followed inside the tree, links in a
 * directory are copied. A pattern may match nothing. @param fromContext the words of the error for a missing source
 * @throws invalid, notFound in moby's words
 */
export async function selectSources(
  tree: Tree,
  sources: readonly string[],
  options: { readonly kind: 'COPY' | 'ADD'; readonly fromContext: boolean },
): Promise<Selected[]> {
  const out: Selected[] = [];
  for (const source of sources) {
    const path = cleanSource(source, options.kind);
    const paths = hasWildcards(path) ? await matching(tree, path) : [path];
    for (const each of paths) out.push(await select(tree, each, source, options));
  }
  return out;
}

/** Without a leading slash, '.' and '..'. @throws invalid for a path out of the context */
function cleanSource(source: string, kind: string): string {
  const out: string[] = [];
  for (const part of source.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') out.push(part);
    else if (out.pop() === undefined)
      throw invalid(`${kind} failed: forbidden path outside the build context: ${source} ()`, {
        hint: 'Only what lies under the context directory can be copied; run the build from further up.',
      });
  }
  return out.join('/');
}

async function select(
  tree: Tree,
  path: string,
  source: string,
  { kind, fromContext }: { readonly kind: string; readonly fromContext: boolean },
): Promise<Selected> {
  const resolved = await resolveInTree(tree, path);
  const entry = resolved === undefined ? undefined : await tree.lstat(resolved);
  if (resolved === undefined || !entry) {
    const where = fromContext ? 'file not found in build context or excluded by .dockerignore: ' : '';
    throw notFound(`${kind} failed: ${where}stat ${source}: file does not exist`, { data: { source } });
  }
  const baseName = path.slice(path.lastIndexOf('/') + 1);
  if (entry.type !== 'directory') return { baseName, isDirectory: false, items: [{ name: '', path: resolved, entry }] };
  const items: CopyItem[] = [];
  await walk(tree, resolved, '', items);
  return { baseName, isDirectory: true, items };
}

async function walk(tree: Tree, directory: string, prefix: string, items: CopyItem[]): Promise<void> {
  for (const child of await tree.list(directory)) {
    const path = directory === '' ? child : `${directory}/${child}`;
    const entry = await tree.lstat(path);
    if (!entry) continue;
    items.push({ name: prefix + child, path, entry });
    if (entry.type === 'directory') await walk(tree, path, `${prefix}${child}/`, items);
  }
}

/** Go's filepath.Match over the tree, level by level; links to directories are not entered. */
async function matching(tree: Tree, pattern: string): Promise<string[]> {
  let found = [''];
  const parts = pattern.split('/');
  for (const [depth, part] of parts.entries()) {
    const expression = globPattern(part);
    const next: string[] = [];
    for (const directory of found)
      for (const child of await tree.list(directory)) {
        if (!expression.test(child)) continue;
        const path = directory === '' ? child : `${directory}/${child}`;
        const entry = await tree.lstat(path);
        if (entry && (depth === parts.length - 1 || entry.type === 'directory')) next.push(path);
      }
    found = next;
  }
  return found;
}

/** Hash of names, modes and contents, times left out: equal contents are equal whenever they were written. */
export async function contentKey(tree: Tree, selected: readonly Selected[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { baseName, isDirectory, items } of selected) {
    hash.update(JSON.stringify([baseName, isDirectory]));
    for (const { name, path, entry } of items) {
      const content = entry.type === 'file' ? await tree.digest(path) : (entry.target ?? '');
      hash.update(JSON.stringify([name, entry.type, entry.mode, content]));
    }
  }
  return hash.digest('hex');
}
