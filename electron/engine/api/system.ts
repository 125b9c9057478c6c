import type { ContainerView } from './containers.ts';
import type { ImagesUsage } from './images.ts';
import type { VolumeView } from './volumes.ts';

export interface EngineInfo {
  readonly id: string;
  readonly version: string;
  readonly home: string;
  readonly hostName: string;
  readonly os: string;
  readonly kernelVersion: string;
  readonly architecture: string;
  readonly cpus: number;
  readonly memoryTotal: number;
  readonly nodeVersion: string;
  readonly v8Version: string;
  readonly runtimes: readonly string[];
  readonly containers: {
    readonly total: number;
    readonly running: number;
    readonly paused: number;
    readonly stopped: number;
  };
  readonly images: number;
}

export interface DiskUsage extends ImagesUsage {
  readonly containers: readonly {
    readonly container: ContainerView;
    readonly sizeRw: number;
    readonly sizeRoot: number;
  }[];
  readonly volumes: readonly { readonly volume: VolumeView; readonly size: number; readonly refCount: number }[];
}

export interface SystemApi {
  info(): EngineInfo;
  diskUsage(): Promise<DiskUsage>;
}
