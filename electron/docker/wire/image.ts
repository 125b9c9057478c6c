import type { BuildCacheRecord, DeletedImage, HistoryEntry, ImageConfig, ImageView } from '../../engine/api/index.ts';
import { atLeast } from '../versions.ts';
import { keysJson } from './container.ts';
import { healthcheckJson } from './healthcheck.ts';

type Json = Record<string, unknown>;

const orNull = <T>(values: readonly T[] | undefined): readonly T[] | null =>
  values && values.length > 0 ? values : null;

/** `GET /images/{name}/json`; also the window's Inspect tab. */
export function imageInspectJson(view: ImageView): Json {
  return {
    Id: view.id,
    RepoTags: view.repoTags,
    RepoDigests: view.repoDigests,
    Parent: view.parent,
    Comment: view.comment,
    ...(view.created ? { Created: view.created } : {}),
    DockerVersion: '',
    Author: view.author,
    Architecture: view.architecture,
    Os: view.os,
    Size: view.size,
    VirtualSize: view.size,
    GraphDriver: { Name: 'overlay', Data: null },
    RootFS: { Type: 'layers', Layers: view.layers },
    Metadata: { LastTagTime: view.lastTagTime || '0001-01-01T00:00:00Z' },
    Config: configJson(view.config),
  };
}

function configJson(config: ImageConfig): Json {
  return {
    Hostname: '',
    Domainname: '',
    User: config.user,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ...(config.exposedPorts.length > 0 ? { ExposedPorts: keysJson(config.exposedPorts) } : {}),
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: config.env,
    Cmd: orNull(config.command),
    ...(config.healthcheck ? { Healthcheck: healthcheckJson(config.healthcheck) } : {}),
    Image: '',
    Volumes: config.volumes.length > 0 ? keysJson(config.volumes) : null,
    WorkingDir: config.workingDir,
    Entrypoint: orNull(config.entrypoint),
    OnBuild: orNull(config.onBuild),
    Labels: Object.keys(config.labels).length > 0 ? config.labels : null,
    ...(config.stopSignal ? { StopSignal: config.stopSignal } : {}),
    ...(config.shell ? { Shell: config.shell } : {}),
  };
}

export interface ImageRowExtras {
  /** Bytes shared with other images, and containers made from it; -1 = not counted. */
  readonly sharedSize?: number;
  readonly containers?: number;
}

/** One row of `GET /images/json`. Clients before 1.43 expect a name even where there is none. */
export function imageRowJson(view: ImageView, version: string, extras: ImageRowExtras = {}): Json {
  const named = view.repoTags.length > 0 || atLeast(version, '1.43');
  return {
    Id: view.id,
    ParentId: view.parent,
    RepoTags: named ? view.repoTags : ['<none>:<none>'],
    RepoDigests: view.repoDigests.length > 0 || atLeast(version, '1.43') ? view.repoDigests : ['<none>@<none>'],
    Created: Math.floor((Date.parse(view.created) || 0) / 1000),
    Size: view.size,
    SharedSize: extras.sharedSize ?? -1,
    ...(atLeast(version, '1.44') ? {} : { VirtualSize: view.size }),
    Labels: Object.keys(view.config.labels).length > 0 ? view.config.labels : null,
    Containers: extras.containers ?? -1,
  };
}

/** One entry of `GET /images/{name}/history`. */
export function historyJson(entry: HistoryEntry): Json {
  return {
    Id: entry.id || '<missing>',
    Created: entry.created,
    CreatedBy: entry.createdBy,
    Tags: orNull(entry.tags),
    Size: entry.size,
    Comment: entry.comment,
  };
}

export const deletedJson = (entry: DeletedImage): Json =>
  'untagged' in entry ? { Untagged: entry.untagged } : { Deleted: entry.deleted };

/** One row of `BuildCache` in `GET /system/df`. */
export const buildCacheJson = (record: BuildCacheRecord): Json => ({
  ID: record.id.replace(/^sha256:/, '').slice(0, 25),
  ...(record.parent ? { Parents: [record.parent.replace(/^sha256:/, '').slice(0, 25)] } : {}),
  Type: 'regular',
  Description: record.description,
  InUse: record.inUse,
  Shared: record.shared,
  Size: record.size,
  CreatedAt: record.created || '0001-01-01T00:00:00Z',
  LastUsedAt: null,
  UsageCount: 0,
});
