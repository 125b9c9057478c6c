import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageModule, PushFormat } from '../api/images.ts';
import type { KnownBlob } from '../registry/upload.ts';
import { digestOf, type Content, type Lease } from './content.ts';
import { artifactOf } from './formats/as-artifact.ts';
import { layerKindOf } from './formats/layer-kind.ts';
import type { StoredImage } from './image.ts';
import { writeLayer } from './layer-writer.ts';
import { mediaTypes, type Descriptor, type ImageConfigFile, type Manifest } from './oci.ts';
import { readRange } from './read-range.ts';

/** What a manifest says of a blob. */
export interface PushBlob {
  readonly digest: string;
  readonly size: number;
  readonly mediaType: string;
}

export interface PushLayer {
  /** For people: the diffID. */
  readonly id: string;
  /** As it is stored here. */
  readonly blob: KnownBlob & PushBlob;
  /** Plain, and to be sent with gzip. */
  readonly compress: boolean;
  /** As it is sent. */
  readonly mediaType: string;
}

export interface PushPlan {
  readonly layers: readonly PushLayer[];
  readonly config: KnownBlob;
  /** @param layers what was sent, in the order of `layers` */
  manifest(layers: readonly PushBlob[]): {
    readonly bytes: Buffer;
    readonly digest: string;
    readonly mediaType: string;
  };
  /** Other than the image in the store: a later pull gives another image. */
  readonly isConverted: boolean;
}

export interface PlanWorld {
  readonly content: Content;
  readonly snapshot: (image: StoredImage) => Promise<string>;
  readonly moduleOf: (image: StoredImage) => Promise<ImageModule>;
}

const gzipLayer = 'application/vnd.oci.image.layer.v1.tar+gzip';

/**
 * What a push sends. An image goes as it is stored; only plain layers that were made here are compressed. With a `format` it is turned into the other make,
 * unless it is that already. @throws invalid, notFound when an artifact is wanted and the image names no module
 */
export async function planPush(
  world: PlanWorld,
  image: StoredImage,
  format: PushFormat | undefined,
  lease: Lease,
): Promise<PushPlan> {
  const isArtifact = image.id === image.descriptor.digest;
  if (format === 'artifact' && !isArtifact) return asArtifact(world, image);
  if (format === 'image' && isArtifact) return asImage(world, image, lease);
  return asStored(world, image, lease);
}

async function asStored({ content }: PlanWorld, image: StoredImage, lease: Lease): Promise<PushPlan> {
  const text = await content.text(image.descriptor.digest);
  const stored = JSON.parse(text) as Manifest;
  for (const { digest } of [stored.config, ...stored.layers]) lease.keep(digest);
  const layers = stored.layers.map((layer, at): PushLayer => {
    const compress = layer.mediaType === mediaTypes.layer && !image.facts.verbatim;
    return {
      id: image.config.rootfs.diff_ids[at] ?? layer.digest,
      blob: blobOf(content, layer),
      compress,
      mediaType: compress ? gzipLayer : layer.mediaType,
    };
  });
  return {
    layers,
    config: blobOf(content, stored.config),
    manifest: (sent) =>
      layers.some((layer) => layer.compress)
        ? written({
            ...stored,
            layers: stored.layers.map((layer, at) => ({ ...layer, ...(sent[at] && bare(sent[at])) })),
          })
        : { bytes: Buffer.from(text), digest: image.descriptor.digest, mediaType: image.descriptor.mediaType },
    isConverted: false,
  };
}

async function asArtifact(world: PlanWorld, image: StoredImage): Promise<PushPlan> {
  const module = await world.moduleOf(image);
  const file = join(await world.snapshot(image), module.path);
  const { size } = await stat(file);
  const { config, manifest } = artifactOf(image.config, { ...module, size });
  const made = manifest({ mediaType: '', digest: digestOf(config), size: config.length });
  const [layer] = made.layers as [Descriptor];
  const read = (start: number): AsyncIterable<Uint8Array> => createReadStream(file, { start, highWaterMark: chunk });
  return {
    layers: [{ id: layer.digest, blob: { ...bare(layer), read }, compress: false, mediaType: layer.mediaType }],
    config: bytesBlob(config),
    manifest: () => written(made),
    isConverted: true,
  };
}

/** An artifact as a Docker-style image: its files in a layer that is a tar. */
async function asImage({ content }: PlanWorld, image: StoredImage, lease: Lease): Promise<PushPlan> {
  const files = image.manifest.layers.flatMap((layer) => {
    const kind = layerKindOf(layer);
    return kind.kind === 'file' ? [{ layer, name: kind.path.slice(1) }] : [];
  });
  for (const { layer } of files) lease.keep(layer.digest);
  const { descriptor } = await writeLayer(
    lease,
    files.map(({ layer, name }) => ({
      name,
      type: 'file' as const,
      mode: 0o755,
      mtime: new Date(0),
      size: layer.size,
      read: () => readRange(content.path(layer.digest), 0, layer.size),
    })),
  );
  const config: ImageConfigFile = {
    ...image.config,
    rootfs: { type: 'layers', diff_ids: [descriptor.digest] },
    history: [{ created_by: `ARTIFACT ${image.manifest.config.mediaType}` }],
  };
  const configBlob = bytesBlob(Buffer.from(JSON.stringify(config)));
  return {
    layers: [{ id: descriptor.digest, blob: blobOf(content, descriptor), compress: true, mediaType: gzipLayer }],
    config: configBlob,
    manifest: (sent) =>
      written({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        config: { mediaType: mediaTypes.config, digest: configBlob.digest, size: configBlob.size },
        layers: sent.map(bare),
      }),
    isConverted: true,
  };
}

/** Bytes read from a file at a time. */
const chunk = 1 << 20;

const bare = ({ mediaType, digest, size }: PushBlob): PushBlob => ({ mediaType, digest, size });

const blobOf = (content: Content, descriptor: Descriptor): KnownBlob & PushBlob => ({
  ...bare(descriptor),
  read: (start) => createReadStream(content.path(descriptor.digest), { start, highWaterMark: chunk }),
});

const bytesBlob = (bytes: Buffer): KnownBlob => ({
  digest: digestOf(bytes),
  size: bytes.length,
  async *read(start) {
    yield bytes.subarray(start);
  },
});

function written(manifest: Manifest): { readonly bytes: Buffer; readonly digest: string; readonly mediaType: string } {
  const bytes = Buffer.from(JSON.stringify(manifest));
  return { bytes, digest: digestOf(bytes), mediaType: manifest.mediaType };
}
