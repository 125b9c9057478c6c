import type { HistoryEntry, ImageConfig, ImageView } from '../api/images.ts';
import { sizeOf, type StoredImage } from './image.ts';
import type { RuntimeConfig } from './oci.ts';
import { familiar, parseReference } from './references.ts';
import type { ImageStore } from './store.ts';

/** The short tags of an image, sorted. */
export const tagsOf = (image: StoredImage): string[] =>
  [...image.names.keys()]
    .filter((name) => parseReference(name).digest === undefined)
    .map(familiar)
    .sort();

/** "t@sha256:…" for the names that are digests. */
export const repoDigestsOf = (image: StoredImage): string[] =>
  [...image.names.keys()]
    .filter((name) => parseReference(name).digest !== undefined)
    .map(familiar)
    .sort();

export const viewOf = (store: Pick<ImageStore, 'missing'>, image: StoredImage): ImageView => ({
  id: image.id,
  repoTags: tagsOf(image),
  repoDigests: repoDigestsOf(image),
  created: image.config.created ?? '',
  author: image.config.author ?? '',
  comment: image.config.comment ?? image.config.history?.at(-1)?.comment ?? '',
  architecture: image.config.architecture,
  os: image.config.os,
  size: sizeOf(image),
  config: runtimeView(image.config.config ?? {}),
  layers: image.config.rootfs.diff_ids,
  parent: image.facts.parent,
  lastTagTime: image.tagged,
  damage: store.missing(image),
});

/** Docker's capital letters as our camel case; null and absent are the same. */
export function runtimeView(config: RuntimeConfig): ImageConfig {
  const health = config.Healthcheck;
  return {
    env: config.Env ?? [],
    entrypoint: config.Entrypoint ?? undefined,
    command: config.Cmd ?? undefined,
    workingDir: config.WorkingDir ?? '',
    user: config.User ?? '',
    labels: config.Labels ?? {},
    exposedPorts: Object.keys(config.ExposedPorts ?? {}),
    volumes: Object.keys(config.Volumes ?? {}),
    stopSignal: config.StopSignal || undefined,
    healthcheck: health
      ? {
          test: health.Test ?? [],
          interval: health.Interval ?? 0,
          timeout: health.Timeout ?? 0,
          startPeriod: health.StartPeriod ?? 0,
          ...(health.StartInterval ? { startInterval: health.StartInterval } : {}),
          retries: health.Retries ?? 0,
        }
      : undefined,
    onBuild: config.OnBuild ?? [],
    shell: config.Shell ?? undefined,
  };
}

/**
 * Newest first. The newest steps are named by the images that a build left on the way, as far as the chain of parents reaches; steps that came
 * with a base image from elsewhere are "<missing>", as Docker says.
 */
export function historyOf(store: ImageStore, image: StoredImage): HistoryEntry[] {
  let layer = 0;
  const entries = (image.config.history ?? []).map((record) => ({
    id: '<missing>',
    created: Math.floor((Date.parse(record.created ?? '') || 0) / 1000),
    createdBy: record.created_by ?? '',
    tags: [] as string[],
    size: record.empty_layer ? 0 : (image.facts.layerSizes[layer++] ?? 0),
    comment: record.comment ?? '',
  }));
  entries.reverse();
  let at: StoredImage | undefined = image;
  for (const entry of entries) {
    if (!at) break;
    entry.id = at.id;
    entry.tags = tagsOf(at);
    at = at.facts.parent ? store.images.get(at.facts.parent) : undefined;
  }
  return entries;
}
