import type { VolumeView } from '../../engine/api/index.ts';

export interface VolumeUsage {
  readonly size: number;
  readonly refCount: number;
}

/** A volume as lists, inspect and create answer it. */
export function volumeJson(view: VolumeView, usage?: VolumeUsage): Record<string, unknown> {
  return {
    CreatedAt: view.createdAt,
    Driver: view.driver,
    Labels: view.labels,
    Mountpoint: view.mountpoint,
    Name: view.name,
    Options: Object.keys(view.options).length > 0 ? view.options : null,
    Scope: 'local',
    ...(usage ? { UsageData: { Size: usage.size, RefCount: usage.refCount } } : {}),
  };
}
