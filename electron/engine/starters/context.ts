import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { damaged } from '../../base/errors.ts';
import { packTar, type PackEntry } from '../images/pack-tar.ts';
import { inflated } from '../images/inflate.ts';
import { readRange } from '../images/read-range.ts';
import { readTar } from '../images/read-tar.ts';
import { entryParts } from '../images/tar-names.ts';
import type { Recipe } from './recipe.ts';

/** Times do not count in a build, but tars have them. */
const epoch = new Date(0);

/**
 * The build context of a recipe: its folder, what it takes from the package, its links. The package is read once, in its own order.
 * @throws damaged when the package lacks a file that the recipe names
 */
export const starterContext = (recipe: Recipe, tarball: string | undefined): AsyncIterable<Uint8Array> =>
  packTar(entriesOf(recipe, tarball));

async function* entriesOf(recipe: Recipe, tarball: string | undefined): AsyncGenerator<PackEntry> {
  yield* folder(recipe.directory, '');
  if (tarball !== undefined) yield* fromPackage(recipe, tarball);
  for (const [name, target] of Object.entries(recipe.links))
    yield { name, type: 'symlink', mode: 0o777, mtime: epoch, target };
}

async function* folder(directory: string, prefix: string): AsyncGenerator<PackEntry> {
  for (const child of (await readdir(join(directory, prefix))).sort()) {
    const name = prefix === '' ? child : `${prefix}/${child}`;
    if (name === 'starter.json') continue;
    const path = join(directory, name);
    const found = await lstat(path);
    if (found.isDirectory()) yield* folder(directory, name);
    else if (found.isFile())
      yield {
        name,
        type: 'file',
        mode: 0o644,
        mtime: epoch,
        size: found.size,
        read: () => readRange(path, 0, found.size),
      };
  }
}

async function* fromPackage({ files, npm }: Recipe, tarball: string): AsyncGenerator<PackEntry> {
  const missing = new Set(Object.keys(files));
  const what = `package ${npm?.package ?? ''}`;
  for await (const { header, body } of readTar(inflated(createReadStream(tarball), what), what)) {
    if (header.type !== 'file') continue;
    // npm packs everything below one directory, whatever it is called.
    const path = entryParts(header.name, what).slice(1).join('/');
    for (const [to, from] of Object.entries(files)) {
      const rest = path === from ? '' : path.startsWith(`${from}/`) ? path.slice(from.length) : undefined;
      if (rest === undefined) continue;
      missing.delete(to);
      yield { name: `${to}${rest}`, type: 'file', mode: 0o644, mtime: epoch, size: header.size ?? 0, read: () => body };
      // Its bytes come once.
      break;
    }
  }
  if (missing.size > 0)
    throw damaged(
      `the ${what} lacks ${[...missing].map((to) => files[to]).join(', ')}, which the recipe takes from it`,
    );
}
