import type { StoredImage } from './image.ts';
import { isDangling } from './list.ts';
import type { ImageStore } from './store.ts';

/** On the list of images, or kept for a container: what is not is the cache of builds. */
export const isImage = (store: ImageStore, image: StoredImage): boolean =>
  image.facts.detached || image.names.size > 0 || isDangling(store, image);

/** Bytes of each layer of an image, by diffID: the same one twice is stored once. */
export const layersOf = (image: StoredImage): Map<string, number> =>
  new Map(image.config.rootfs.diff_ids.map((diffId, at) => [diffId, image.facts.layerSizes[at] ?? 0]));

export const sum = (sizes: Iterable<number>): number => [...sizes].reduce((all, size) => all + size, 0);

/** Bytes of the layers that went with an image: those that no other one has. */
export const goneWith = (store: ImageStore, image: StoredImage): number =>
  sum([...layersOf(image)].filter(([diffId]) => !store.hasLayer(diffId)).map(([, size]) => size));

/** All layers of images, each once. */
export function imageLayers(store: ImageStore): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const image of store.images.values())
    if (isImage(store, image)) for (const [diffId, size] of layersOf(image)) sizes.set(diffId, size);
  return sizes;
}
