/** What the engine says about itself, and what everything takes on the disk. */
import { createHash } from 'node:crypto';
import { hostInfo } from '../../platform/host-info.ts';
import type { ContainersApi, ImagesApi, SystemApi, VolumesApi } from '../api/index.ts';
import { directorySize } from './directory-size.ts';

const none: ReadonlyMap<string, readonly string[]> = new Map();

export interface SystemNeeds {
  readonly home: string;
  readonly version: string;
  readonly runtimes: readonly string[];
  readonly containers: Pick<ContainersApi, 'list' | 'size'>;
  readonly images: Pick<ImagesApi, 'list' | 'usage'>;
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
        ...(await images.usage()),
        containers: sized,
        volumes: stored,
      };
    },
  };
}
