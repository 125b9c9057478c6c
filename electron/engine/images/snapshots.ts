import { renameSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { damaged } from '../../base/errors.ts';
import type { Content } from './content.ts';
import type { StoredImage } from './image.ts';
import { layerKindOf } from './formats/layer-kind.ts';
import { linkTree, placeFile } from './link-tree.ts';
import { sealOf } from './seal.ts';
import type { ImageStore } from './store.ts';
import type { Temporary } from './temporary.ts';
import { unpackLayer } from './unpack.ts';

/** An image without layers has this chain: the hash of nothing. */
const emptyChain = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const nameOf = (chainId: string | undefined): string =>
  chainId === undefined ? emptyChain : chainId.slice('sha256:'.length);

/** What unpacking needs of an image; a build's stage has it before it is an image. */
export type Layered = Pick<StoredImage, 'config' | 'manifest' | 'chainIds'>;

/** HOME/snapshots: for each chain of layers that somebody has asked for, the merged root as a directory that nobody writes to. */
export interface Snapshots {
  /** Made on demand in tmp and renamed: whole or absent. Who asks at the same time gets the same one. */
  ensure(image: Layered): Promise<string>;
  /** Keeps a chain from being swept until the answer is called. */
  hold(chainIds: readonly string[]): () => void;
  /** Removes those that no image in the store needs, however far up its chain. */
  sweep(): Promise<void>;
  /** What is there, by name: the chain's hash in hex. */
  names(): Promise<readonly string[]>;
  /** False when the directory does not look as it did when it was made (seal.ts), or nobody noted how. A look at each file, not at its bytes. */
  isWhole(name: string): Promise<boolean>;
  /** Removes one, to be made anew by the next who asks. False when somebody holds it or makes it just now. */
  discard(name: string): Promise<boolean>;
}

/** Of a chain of layers, as directories are called. */
export const snapshotName = (chainIds: readonly string[]): string => nameOf(chainIds.at(-1));

export async function openSnapshots(
  home: string,
  temporary: Temporary,
  content: Content,
  store: ImageStore,
): Promise<Snapshots> {
  const directory = join(home, 'snapshots');
  /** For each snapshot what it looked like when it was made. */
  const seals = join(home, 'seals');
  for (const each of [directory, seals]) await mkdir(each, { recursive: true });
  const making = new Map<string, Promise<string>>();
  const held = new Map<string, number>();

  const exists = (name: string): Promise<boolean> =>
    stat(join(directory, name)).then(
      (found) => found.isDirectory(),
      () => false,
    );

  async function make(image: Layered, depth: number): Promise<string> {
    const name = nameOf(image.chainIds[depth - 1]);
    const target = join(directory, name);
    if (await exists(name)) return target;
    const draft = await temporary.directory('snapshot');
    try {
      const root = join(draft, 'root');
      await mkdir(root, { mode: 0o755 });
      const base = await baseDepth(image, depth);
      const sizes = new Map<string, number>();
      if (base > 0) await linkTree(await ensure(image, base), root);
      for (let at = base; at < depth; at++) {
        const layer = image.manifest.layers[at];
        const diffId = image.config.rootfs.diff_ids[at];
        if (!layer || diffId === undefined) break;
        if (!content.has(layer.digest))
          throw damaged(`the layer ${layer.digest} is not there: it was found damaged, or is missing`, {
            hint: 'Pull, load or build its image again.',
            data: { missing: [layer.digest] },
          });
        const kind = layerKindOf(layer);
        if (kind.kind === 'file') await placeFile(content.path(layer.digest), join(root, kind.path));
        if (kind.kind !== 'tar') continue;
        const { bytes } = await unpackLayer(
          content.read(layer.digest),
          root,
          layer.digest === diffId ? undefined : diffId,
        );
        sizes.set(diffId, bytes);
      }
      // First what it looks like: one without the other is taken for damaged.
      await writeFile(join(draft, 'seal'), await sealOf(root));
      await rename(join(draft, 'seal'), join(seals, name));
      await rename(root, target);
      await store.measure(sizes);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
    return target;
  }

  /**
   * How many of the layers below to take from another snapshot: the longest chain that is there already, or else the longest one that an image
   * with other layers on top shares, so that both have one copy of its files. 0 = unpack all.
   */
  async function baseDepth(image: Layered, depth: number): Promise<number> {
    for (let at = depth - 1; at > 0; at--) if (await exists(nameOf(image.chainIds[at - 1]))) return at;
    for (let at = depth - 1; at > 0; at--) if (isShared(image.chainIds, at, depth)) return at;
    return 0;
  }

  /** True for a chain of `at` layers that a named image ends with, or that goes on to something else. Steps of the image's own build do neither. */
  function isShared(chainIds: readonly string[], at: number, depth: number): boolean {
    for (const other of store.images.values()) {
      if (other.chainIds[at - 1] !== chainIds[at - 1]) continue;
      if (other.chainIds.length < depth ? other.names.size > 0 : other.chainIds[depth - 1] !== chainIds[depth - 1])
        return true;
    }
    return false;
  }

  function ensure(image: Layered, depth: number): Promise<string> {
    const name = nameOf(image.chainIds[depth - 1]);
    const running = making.get(name);
    if (running) return running;
    const work = make(image, depth).finally(() => making.delete(name));
    making.set(name, work);
    return work;
  }

  return {
    ensure: (image) => ensure(image, image.chainIds.length),
    hold(chainIds) {
      const names = chainIds.map(nameOf);
      for (const name of names) held.set(name, (held.get(name) ?? 0) + 1);
      return () => {
        for (const name of names.splice(0)) {
          const left = (held.get(name) ?? 1) - 1;
          if (left === 0) held.delete(name);
          else held.set(name, left);
        }
      };
    },
    async sweep() {
      const needed = new Set<string>([emptyChain]);
      for (const image of store.images.values()) for (const chainId of image.chainIds) needed.add(nameOf(chainId));
      const there = new Set([...(await readdir(directory)), ...(await readdir(seals))]);
      for (const name of there) if (!needed.has(name)) await discard(name);
    },
    names: () => readdir(directory),
    async isWhole(name) {
      try {
        const [noted, seen] = await Promise.all([readFile(join(seals, name), 'utf8'), sealOf(join(directory, name))]);
        return noted === seen;
      } catch {
        return false;
      }
    },
    discard,
  };

  async function discard(name: string): Promise<boolean> {
    if (making.has(name) || held.has(name)) return false;
    // Renamed first, and in one tick: a half-removed snapshot must never be found under its name, nor lose the seal of the next one.
    const doomed = temporary.path('snapshot-removed');
    moveAway(join(seals, name), `${doomed}-seal`);
    moveAway(join(directory, name), doomed);
    await rm(`${doomed}-seal`, { force: true });
    await rm(doomed, { recursive: true, force: true });
    return true;
  }
}

function moveAway(path: string, to: string): void {
  try {
    renameSync(path, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
