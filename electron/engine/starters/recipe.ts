import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { damaged } from '../../base/errors.ts';

/** starter.json, see assets/starters/README.md. */
export interface Recipe {
  readonly name: string;
  /** The folder on disk: Dockerfile and sources. */
  readonly directory: string;
  readonly title: string;
  readonly tag: string;
  readonly about: Readonly<Record<string, string>>;
  readonly try: string;
  readonly license: string;
  readonly needs: readonly string[];
  readonly npm:
    | {
        readonly package: string;
        readonly version: string;
        /** sha512-…, as npm writes it. */
        readonly integrity: string;
        /** Bytes of the tarball. */
        readonly size: number;
      }
    | undefined;
  /** Path in the build context → file or directory of the package. */
  readonly files: Readonly<Record<string, string>>;
  /** Path in the build context → what the symbolic link says. */
  readonly links: Readonly<Record<string, string>>;
}

const order = ['hello', 'web', 'python', 'clang', 'sqlite', 'lua'];

/** All recipes below a directory; none when it is not there (an engine without the app around it). @throws damaged */
export function readRecipes(directory: string | undefined): readonly Recipe[] {
  if (directory === undefined) return [];
  const names = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  const rank = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return names
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map((name) => readRecipe(name, join(directory, name)));
}

function readRecipe(name: string, directory: string): Recipe {
  const path = join(directory, 'starter.json');
  try {
    const read = JSON.parse(readFileSync(path, 'utf8')) as Partial<Recipe>;
    const { title, tag, about, license, npm, needs = [], files = {}, links = {} } = read;
    if (!title || !tag || !about?.['en'] || !license || !read.try)
      throw new Error('title, tag, about, try or license is missing');
    if (npm && !/^sha512-[A-Za-z0-9+/]{86}==$/.test(npm.integrity)) throw new Error('npm.integrity is not a sha512');
    return { name, directory, title, tag, about, try: read.try, license, npm, needs, files, links };
  } catch (cause) {
    throw damaged(`the recipe ${path} cannot be read: ${(cause as Error).message}`, {
      cause,
      hint: 'It came with Drydock: install it again.',
    });
  }
}
