import type { ImagesUsage } from '../api/images.ts';
import { buildCache } from './build-cache.ts';
import { createdAt } from './image.ts';
import { imageLayers, isImage, layersOf, sum } from './layer-sizes.ts';
import type { ImageStore } from './store.ts';
import { viewOf } from './view.ts';

/**
 * What images take, as `docker system df` counts: bytes of the files in layers, each layer once, however many images have it. Every layer in the store is either an
 * image's or the build cache's, so both together are all of it.
 */
export function usageOf(
  store: ImageStore,
  usedBy: (imageId: string) => readonly unknown[],
  isLeased: (imageId: string) => boolean,
): Omit<ImagesUsage, 'onDisk'> {
  const images = [...store.images.values()].filter((image) => isImage(store, image));
  const holders = new Map<string, number>();
  for (const image of images)
    for (const diffId of layersOf(image).keys()) holders.set(diffId, (holders.get(diffId) ?? 0) + 1);
  return {
    layersSize: sum(imageLayers(store).values()),
    images: images
      .filter((image) => !image.facts.detached)
      .sort((a, b) => createdAt(b) - createdAt(a))
      .map((image) => ({
        image: viewOf(store, image),
        sharedSize: sum(
          [...layersOf(image)].filter(([diffId]) => (holders.get(diffId) ?? 0) > 1).map(([, size]) => size),
        ),
        containers: usedBy(image.id).length,
      })),
    buildCache: buildCache(store, isLeased),
  };
}
