import { createHash } from 'node:crypto';
import type { PushFormat } from '../api/images.ts';
import { layerKindOf } from './formats/layer-kind.ts';
import type { ImageFormat } from './formats/recognise.ts';
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
  /** What the module of an artifact is called when the artifact does not say: the last part of the repository it came from. '' = nothing known. */
  moduleName: string;
  /** Its manifest was made elsewhere: a push sends it as it is. */
  verbatim: boolean;
}

export interface ImageName {
  readonly manifest: Descriptor;
  /** RFC 3339. */
  readonly tagged: string;
  /** What a push under this name sends; undefined = the image as it is stored. */
  readonly pushFormat?: PushFormat;
}

/** One image in memory; only store.ts changes it. */
export interface StoredImage {
  /** sha256:… of the config; of the manifest for artifacts, whose configs need not tell one from another. */
  readonly id: string;
  readonly format: ImageFormat;
  /** As `formats/recognise.ts` presents it: for an artifact there is no such blob. */
  readonly config: ImageConfigFile;
  /** Layers that are files carry their names; the blob of `descriptor` is the manifest as it was made. */
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

/**
 * OCI image spec, "Layer ChainID": each is the hash of the one below and the layer's diffID. For a layer that is a file its name counts as well:
 * the same module under two names makes two roots.
 */
export function chainIdsOf(diffIds: readonly string[], layers: readonly Descriptor[] = []): string[] {
  const out: string[] = [];
  for (const [at, plainId] of diffIds.entries()) {
    const layer = layers[at];
    const kind = layer && layerKindOf(layer);
    const diffId =
      kind?.kind === 'file'
        ? `sha256:${createHash('sha256').update(`${plainId} ${kind.path}`).digest('hex')}`
        : plainId;
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
