import { createHash } from 'node:crypto';
import { chainIdsOf, type StoredImage } from '../images/image.ts';
import type { WrittenLayer } from '../images/layer-writer.ts';
import { mediaTypes, type Descriptor, type ImageConfigFile, type RuntimeConfig } from '../images/oci.ts';
import type { Layered } from '../images/snapshots.ts';
import { idOf, type NewImage } from '../images/store.ts';

/** What a stage is after some step: everything an image needs, whether it is one already or not. */
export interface StageImage {
  /** '' before the first step of FROM scratch. */
  readonly id: string;
  readonly config: ImageConfigFile;
  readonly layers: readonly Descriptor[];
  readonly layerSizes: readonly number[];
}

/** FROM scratch. */
export const emptyImage = (os: string, architecture: string): StageImage => ({
  id: '',
  config: { architecture, os, config: {}, rootfs: { type: 'layers', diff_ids: [] }, history: [] },
  layers: [],
  layerSizes: [],
});

export const stageImageOf = (image: StoredImage): StageImage => ({
  id: image.id,
  config: image.config,
  layers: image.manifest.layers,
  layerSizes: image.facts.layerSizes,
});

/** What one instruction makes of an image. */
export interface StepResult {
  readonly createdBy: string;
  readonly runtime: RuntimeConfig;
  readonly author: string | undefined;
  readonly layer: WrittenLayer | undefined;
  /** RFC 3339. */
  readonly created: string;
}

/** The next image of a stage. Keys of the base's config that are not known here stay as they are. */
export function nextImage(base: StageImage, step: StepResult): StageImage {
  const { created, createdBy, layer } = step;
  const diffIds = base.config.rootfs.diff_ids;
  const config: ImageConfigFile = {
    ...base.config,
    created,
    ...(step.author !== undefined && { author: step.author }),
    config: step.runtime,
    rootfs: { type: 'layers', diff_ids: layer ? [...diffIds, layer.descriptor.digest] : diffIds },
    history: [
      ...(base.config.history ?? []),
      { created, created_by: createdBy, ...(layer === undefined && { empty_layer: true }) },
    ],
  };
  return {
    id: idOf(config),
    config,
    layers: layer ? [...base.layers, layer.descriptor] : base.layers,
    layerSizes: layer ? [...base.layerSizes, layer.size] : base.layerSizes,
  };
}

export const newImageOf = (image: StageImage, facts: NewImage['facts']): NewImage => ({
  config: image.config,
  layers: image.layers,
  facts: { ...facts, layerSizes: image.layerSizes },
});

/** What snapshots need of it. */
export const layeredOf = (image: StageImage): Layered => ({
  config: image.config,
  chainIds: chainIdsOf(image.config.rootfs.diff_ids, image.layers),
  manifest: {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: image.id, size: 0 },
    layers: image.layers,
  },
});

/** What the cache looks a step up by. */
export const buildKeyOf = (base: StageImage, key: readonly unknown[]): string =>
  createHash('sha256')
    .update(JSON.stringify([base.id || `scratch ${base.config.os}/${base.config.architecture}`, ...key]))
    .digest('hex');
