/** For tests only: a directory of the host with an image's snapshot, an upper, something to bind, and a secret that no guest may reach. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openMountTable, type MountTable } from './mount-table.ts';
import type { MountSpec } from './mounts.ts';
import type { OpenFile, OpenHow } from './open-file.ts';
import { hasDescriptorPaths } from './host-directory.ts';

export const SECRET = 'outside of every mount';

/** Both ways of holding directories, where this system has both. */
export const waysOfHolding: readonly (readonly [string, boolean])[] = hasDescriptorPaths
  ? [
      ['descriptors', true],
      ['paths', false],
    ]
  : [['paths', false]];

/** A name that ends with '/' is a directory, a value that begins with '->' a link. */
export type Tree = Readonly<Record<string, string>>;

export function plant(under: string, tree: Tree): void {
  for (const [name, content] of Object.entries(tree)) {
    const path = join(under, name);
    mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true });
    if (name.endsWith('/')) continue;
    if (content.startsWith('->')) symlinkSync(content.slice(2), path);
    else writeFileSync(path, content);
  }
}

export class Scratch {
  readonly path = mkdtempSync(join(tmpdir(), 'drydock-fs-'));
  readonly lower = join(this.path, 'lower');
  readonly upper = join(this.path, 'upper');
  readonly shared = join(this.path, 'shared');
  readonly #descriptors: boolean;
  readonly #tables: MountTable[] = [];

  constructor(descriptors: boolean, { lower = {}, upper = {}, shared = {} }: Record<string, Tree> = {}) {
    this.#descriptors = descriptors;
    for (const directory of [this.lower, this.upper, this.shared]) mkdirSync(directory);
    writeFileSync(join(this.path, 'secret'), SECRET);
    plant(this.lower, lower);
    plant(this.upper, upper);
    plant(this.shared, shared);
  }

  /** A table over the snapshot and the upper, and whatever else is mounted. Called twice it is what two processes of one container have. */
  table(more: readonly MountSpec[] = [], readOnly = false): MountTable {
    const root: MountSpec = { type: 'overlay', target: '/', lower: this.lower, upper: this.upper, readOnly };
    const table = openMountTable([root, ...more], { descriptors: this.#descriptors });
    this.#tables.push(table);
    return table;
  }

  /** The `shared` directory mounted. */
  bind(target: string, readOnly = false): MountSpec {
    return { type: 'bind', target, source: this.shared, readOnly };
  }

  upperHas(name: string): boolean {
    return lstatSync(join(this.upper, name), { throwIfNoEntry: false }) !== undefined;
  }

  [Symbol.dispose](): void {
    for (const table of this.#tables) table.close();
    const intact = existsSync(join(this.path, 'secret')) && readFileSync(join(this.path, 'secret'), 'utf8') === SECRET;
    rmSync(this.path, { recursive: true, force: true });
    if (!intact) throw new Error('the secret outside of the mounts was changed');
  }
}

export function openFile(table: MountTable, path: string, how: Partial<OpenHow> = {}): OpenFile {
  const opened = table.open(table.root, path, { read: true, write: false, follow: true, ...how });
  if ('file' in opened) return opened.file;
  table.release(opened.directory);
  throw new Error(`${path} is a directory`);
}

export function readText(table: MountTable, path: string): string {
  const file = openFile(table, path);
  const buffer = Buffer.alloc(Number(file.stat().size));
  const read = file.read(buffer, 0, buffer.length, 0);
  file.close();
  return buffer.toString('utf8', 0, read);
}

export function writeText(table: MountTable, path: string, text: string): void {
  const file = openFile(table, path, { write: true, create: true, truncate: true });
  file.write(Buffer.from(text), 0, Buffer.byteLength(text), 0);
  file.close();
}

export function namesIn(table: MountTable, path: string): string[] {
  const opened = table.open(table.root, path, { read: true, write: false, follow: true, onlyDirectory: true });
  if (!('directory' in opened)) throw new Error(`${path} is no directory`);
  const names = table.list(opened.directory).map((entry) => entry.name);
  table.release(opened.directory);
  return names.sort();
}

/** The errno name that a call fails with; 'nothing' when it does not fail. */
export function failure(action: () => unknown): string {
  try {
    action();
    return 'nothing';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}
