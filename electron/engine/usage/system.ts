/** What the engine says about itself, and what everything takes on the disk. */
import { createHash } from 'node:crypto';
import { hostInfo } from '../../platform/host-info.ts';
import type { ContainersApi, ImagesApi, ImageView, SystemApi, VolumesApi } from '../api/index.ts';
import { directorySize } from './directory-size.ts';

const none: ReadonlyMap<string, readonly string[]> = new Map();

export interface SystemNeeds {
  readonly home: string;
  readonly version: string;
  readonly runtimes: readonly string[];
  readonly containers: Pick<ContainersApi, 'list' | 'size'>;
  readonly images: Pick<ImagesApi, 'list'>;
  readonly volumes: Pick<VolumesApi, 'list'>;
  /** How many containers hold a volume. */
  readonly volumeUsers: (name: string) => number;
}

export function createSystem(needs: SystemNeeds): SystemApi {
  const { home, version, runtimes, containers, images, volumes } = needs;
  const host = hostInfo();
  return {
    info() {
      const views = containers.list({ all: true, filters: none });
      const running = views.filter(({ state }) => state === 'running' || state === 'restarting').length;
      const paused = views.filter(({ state }) => state === 'paused').length;
      return {
        // The same for the same home on the same machine, and says nothing of either.
        id: createHash('sha256').update(`${host.hostName}\0${home}`).digest('hex').slice(0, 32),
        version,
        home,
        hostName: host.hostName,
        os: host.os,
        kernelVersion: host.kernelVersion,
        architecture: host.architecture,
        cpus: host.cpus,
        memoryTotal: host.memoryTotal,
        nodeVersion: process.versions.node,
        v8Version: process.versions.v8,
        runtimes,
        containers: { total: views.length, running, paused, stopped: views.length - running - paused },
        images: images.list({ all: false, filters: none }).length,
      };
    },

    async diskUsage() {
      const views = containers.list({ all: true, filters: none });
      const all = images.list({ all: true, filters: none });
      const shared = sharedSizes(all);
      const sized = [];
      for (const container of views) {
        const { rw, root } = await containers.size(container.id);
        sized.push({ container, sizeRw: rw, sizeRoot: root });
      }
      const stored = [];
      for (const volume of volumes.list(none)) {
        const size = await directorySize(volume.mountpoint);
        stored.push({ volume, size, refCount: needs.volumeUsers(volume.name) });
      }
      return {
        layersSize: shared.total,
        images: all.map((image) => ({
          image,
          sharedSize: shared.of(image),
          containers: views.filter(({ imageId }) => imageId === image.id).length,
        })),
        containers: sized,
        volumes: stored,
      };
    },
  };
}

/**
 * What images have in common, from sizes of whole images alone: an image whose layers begin another one's shares all of itself with it. Layers that are shared without
 * such an image being there count as each one's own.
 */
function sharedSizes(images: readonly ImageView[]): { readonly total: number; of(image: ImageView): number } {
  const key = (layers: readonly string[]): string => layers.join();
  const byLayers = new Map(images.filter(({ layers }) => layers.length > 0).map((image) => [key(image.layers), image]));
  const base = (image: ImageView): ImageView | undefined => {
    for (let length = image.layers.length - 1; length > 0; length--) {
      const found = byLayers.get(key(image.layers.slice(0, length)));
      if (found) return found;
    }
    return undefined;
  };
  const shared = new Map<string, number>();
  const raise = (image: ImageView, size: number): void =>
    void shared.set(image.id, Math.min(image.size, Math.max(shared.get(image.id) ?? 0, size)));
  let total = 0;
  const counted = new Set<string>();
  for (const image of images) {
    const below = base(image);
    const twin = byLayers.get(key(image.layers));
    if (twin && twin !== image) {
      raise(image, image.size);
      raise(twin, twin.size);
    }
    if (below) {
      raise(image, below.size);
      raise(below, below.size);
    }
    if (!counted.has(key(image.layers))) total += Math.max(0, image.size - (below?.size ?? 0));
    counted.add(key(image.layers));
  }
  return { total, of: (image) => shared.get(image.id) ?? 0 };
}
