import { createHash } from 'node:crypto';
import type { Descriptor, ImageConfigFile, Manifest } from './oci.ts';

/** What the store knows of an image beyond its config. Docker keeps these beside the image too: they are not part of the id. */
export interface ImageFacts {
  /** Image id; '' = none. Images of a build form a chain down to their base. */
  parent: string;
  buildKey: string;
  layerKey: string;
  step: boolean;
  detached: boolean;
  /** Bytes of the files in each layer. */
  layerSizes: readonly number[];
}

export interface ImageName {
  readonly manifest: Descriptor;
  /** RFC 3339. */
  readonly tagged: string;
}

/** One image in memory; only store.ts changes it. */
export interface StoredImage {
  /** sha256:… of the config. */
  readonly id: string;
  readonly config: ImageConfigFile;
  readonly manifest: Manifest;
  readonly descriptor: Descriptor;
  /** Of the whole chain at each layer, bottom first; the last one names the snapshot. Empty for an image without layers. */
  readonly chainIds: readonly string[];
  /** Full names: tags and digests. */
  readonly names: Map<string, ImageName>;
  readonly facts: ImageFacts;
  /** RFC 3339; the last time any name was given. */
  tagged: string;
}

/** OCI image spec, "Layer ChainID": each is the hash of the one below and the layer's diffID. */
export function chainIdsOf(diffIds: readonly string[]): string[] {
  const out: string[] = [];
  for (const diffId of diffIds) {
    const below = out.at(-1);
    out.push(
      below === undefined ? diffId : `sha256:${createHash('sha256').update(`${below} ${diffId}`).digest('hex')}`,
    );
  }
  return out;
}

/** The digests an image needs to be whole. */
export const blobsOf = (image: StoredImage): string[] => [
  image.descriptor.digest,
  image.manifest.config.digest,
  ...image.manifest.layers.map((layer) => layer.digest),
  ...[...image.names.values()].map((name) => name.manifest.digest),
];

export const sizeOf = (image: StoredImage): number => image.facts.layerSizes.reduce((sum, size) => sum + size, 0);

/** Milliseconds since the epoch; 0 when the config says nothing. */
export const createdAt = (image: StoredImage): number => Date.parse(image.config.created ?? '') || 0;
