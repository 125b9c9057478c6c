import { damaged, invalid } from '../../base/errors.ts';
import type { LoadedImage } from '../api/images.ts';
import type { Blob, Content, Lease } from './content.ts';
import { isIndexType, isManifestType, manifestTypes } from './formats/media-types.ts';
import { layerKindOf } from './formats/layer-kind.ts';
import type { StoredImage } from './image.ts';
import { annotations } from './index-file.ts';
import { mediaTypes, type Descriptor, type Manifest } from './oci.ts';
import { compressionOf, inflated } from './inflate.ts';
import { fileSource } from './read-range.ts';
import { readTar } from './read-tar.ts';
import { familiar, normalise } from './references.ts';
import type { Snapshots } from './snapshots.ts';
import type { ImageStore } from './store.ts';
import { checkEntry, entryParts } from './tar-names.ts';

export interface LoadWorld {
  readonly content: Content;
  readonly store: ImageStore;
  readonly snapshots: Snapshots;
  /** Gives full names, and says so. */
  readonly name: (image: StoredImage, full: string) => Promise<void>;
}

/** More than any archive of images; each costs a file. */
const ENTRIES = 20_000;
/** Images whose layers are at most this large together are unpacked at once, as in a pull. */
const unpackLimit = 64 << 20;
/** Bytes of a JSON document in an archive. */
const DOCUMENT = 4 << 20;

/** The files of an archive, in the content store by their paths; links lead to the same blob. */
type Files = ReadonlyMap<string, Blob>;

/** An image of an archive: its manifest's blob and its full names. */
interface Found {
  readonly manifest: Descriptor;
  readonly names: readonly string[];
}

/**
 * `docker load`: an OCI image layout or a docker-archive (also one of old versions), plain or compressed. Blobs come in as they are, so ids and digests are
 * what they were. Every image is unpacked or looked through before it is listed: what would be refused then is refused now. Images that came before an error stay.
 * @throws invalid for what is no such archive and for refused entries (the entry is named), damaged for what does not verify, full
 */
export async function* loadImages(world: LoadWorld, tar: AsyncIterable<Uint8Array>): AsyncGenerator<LoadedImage> {
  const lease = world.content.lease();
  try {
    const files = await receive(lease, tar);
    const found =
      files.has('index.json') && files.has('oci-layout') ? layout(world, files) : archive(world, lease, files);
    let count = 0;
    for await (const each of found) {
      count += 1;
      yield* admit(world, each);
    }
    if (count === 0) throw notAnArchive();
  } finally {
    await lease.end();
  }
}

const notAnArchive = () =>
  invalid('the archive holds no image: it has neither an index.json with images nor a manifest.json', {
    hint: 'Load takes what docker save, podman save and skopeo write. A root file system is taken by docker import.',
  });

async function* admit(
  { content, store, snapshots, name }: LoadWorld,
  { manifest, names }: Found,
): AsyncGenerator<LoadedImage> {
  const before = new Set(store.images.keys());
  // Of the image alone, until it has its names: who hears of it may do with it as he likes.
  const lease = content.lease();
  let image: StoredImage;
  try {
    image = await store.adopt(lease, manifest, {});
    try {
      if (await mayWait(content, image)) await scan(content, image);
      else await snapshots.ensure(image);
    } catch (error) {
      if (!before.has(image.id)) await content.release(await store.delete(image.id));
      throw error;
    }
    for (const full of names) await name(image, full);
  } finally {
    await lease.end();
  }
  for (const full of names) yield { id: image.id, reference: familiar(full) };
  if (names.length === 0) yield { id: image.id };
}

/**
 * Larger images of plain layers are unpacked by who needs them first: what an unpacking would refuse is told from their headers as well, and that their bytes are
 * those of the diffIDs from their digests.
 */
async function mayWait(content: Content, image: StoredImage): Promise<boolean> {
  const { layers } = image.manifest;
  if (layers.reduce((sum, layer) => sum + layer.size, 0) <= unpackLimit) return false;
  for (const [at, layer] of layers.entries()) {
    if (layerKindOf(layer).kind !== 'tar') continue;
    const isPlain = layer.digest === image.config.rootfs.diff_ids[at];
    if (!isPlain || (await layerType(content, layer)) !== mediaTypes.layer) return false;
  }
  return true;
}

async function scan(content: Content, image: StoredImage): Promise<void> {
  for (const layer of image.manifest.layers) {
    if (layerKindOf(layer).kind !== 'tar') continue;
    for await (const { header } of readTar(fileSource(content.path(layer.digest)), 'layer'))
      checkEntry(header, 'layer');
  }
}

/** Takes all files in. @throws invalid, damaged when a file under blobs/ is not what its name says */
async function receive(lease: Lease, tar: AsyncIterable<Uint8Array>): Promise<Files> {
  const files = new Map<string, Blob>();
  const links = new Map<string, string>();
  for await (const { header, body } of readTar(inflated(tar, 'archive'), 'archive')) {
    const parts = entryParts(header.name, 'archive');
    const path = parts.join('/');
    if (files.size + links.size >= ENTRIES) throw invalid(`the archive has more than ${ENTRIES} entries`);
    if (header.type === 'file' || header.type === 'contiguous-file') {
      const digest = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1];
      files.set(path, await lease.put(body, digest === undefined ? undefined : { digest: `sha256:${digest}` }));
    } else if (header.type === 'symlink') links.set(path, resolveLink(parts.slice(0, -1), header.linkname ?? ''));
    else if (header.type === 'link') links.set(path, entryParts(header.linkname ?? '', 'archive').join('/'));
  }
  // Old archives hold a layer that images share once, and links to it.
  for (const [path, target] of links) {
    const blob = files.get(target) ?? files.get(links.get(target) ?? '');
    if (blob) files.set(path, blob);
  }
  return files;
}

/** A relative link inside of the archive; what leads elsewhere is a file that is not there. */
function resolveLink(from: readonly string[], target: string): string {
  const at = target.startsWith('/') ? [] : [...from];
  for (const part of target.split('/')) {
    if (part === '..') at.pop();
    else if (part !== '' && part !== '.') at.push(part);
  }
  return at.join('/');
}

/** @throws invalid, damaged */
async function json(content: Content, files: Files, path: string): Promise<unknown> {
  const blob = files.get(path);
  if (!blob) throw invalid(`the archive lacks ${path}, which it refers to`, { data: { path } });
  if (blob.size > DOCUMENT) throw invalid(`${path} of the archive is larger than a document may be`);
  try {
    return JSON.parse(await content.text(blob.digest));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw invalid(`${path} of the archive is not JSON: ${error.message}`);
  }
}

/** The images of an OCI image layout (image-spec, image-layout.md). */
async function* layout({ content }: LoadWorld, files: Files): AsyncGenerator<Found> {
  const known = new Map<string, Set<string>>();
  const manifests = new Map<string, Descriptor>();
  const listed = (value: unknown): readonly Descriptor[] => {
    const list = (value as { manifests?: unknown } | null)?.manifests;
    return Array.isArray(list) ? (list as Descriptor[]) : [];
  };
  const take = async (entry: Descriptor, name: string | undefined, depth: number): Promise<void> => {
    const path = `blobs/sha256/${String(entry.digest).replace(/^sha256:/, '')}`;
    // An index may list platforms that were not saved, and attestations.
    if (!files.has(path)) {
      if (depth === 0) throw damaged(`the archive lacks ${path}, which its index.json lists`);
      return;
    }
    if (isIndexType(entry.mediaType)) {
      if (depth > 3) throw invalid('the indexes of the archive are nested too deeply');
      for (const inner of listed(await json(content, files, path)))
        if (inner.platform?.os !== 'unknown') await take(inner, name, depth + 1);
      return;
    }
    if (!isManifestType(entry.mediaType)) return;
    manifests.set(entry.digest, { mediaType: entry.mediaType, digest: entry.digest, size: files.get(path)?.size ?? 0 });
    const names = known.get(entry.digest) ?? new Set();
    known.set(entry.digest, names);
    if (name !== undefined) names.add(name);
  };
  for (const entry of listed(await json(content, files, 'index.json'))) await take(entry, nameOf(entry), 0);
  for (const [digest, manifest] of manifests) yield { manifest, names: [...(known.get(digest) ?? [])] };
}

/** containerd's annotation, or the ref.name when it is more than a tag (skopeo, podman). */
function nameOf({ annotations: about }: Descriptor): string | undefined {
  const name = about?.[annotations.name] ?? about?.[annotations.tag] ?? '';
  if (about?.[annotations.name] === undefined && !/[:/]/.test(name)) return undefined;
  return normalise(name);
}

/** The images of a docker-archive (moby: image/spec/v1.2.md, "Combined Image JSON + Filesystem Changeset"). */
async function* archive({ content }: LoadWorld, lease: Lease, files: Files): AsyncGenerator<Found> {
  if (!files.has('manifest.json')) throw notAnArchive();
  const entries = await json(content, files, 'manifest.json');
  if (!Array.isArray(entries)) throw invalid('manifest.json of the archive is not a list');
  for (const entry of entries as readonly unknown[]) {
    const { Config, RepoTags, Layers } = (entry ?? {}) as { Config?: unknown; RepoTags?: unknown; Layers?: unknown };
    if (
      typeof Config !== 'string' ||
      !isStrings(Layers) ||
      !(RepoTags === null || RepoTags === undefined || isStrings(RepoTags))
    )
      throw invalid('manifest.json of the archive is not what docker save writes');
    const config = files.get(Config);
    if (!config) throw invalid(`the archive lacks ${Config}, which its manifest.json names`);
    const layers: Descriptor[] = [];
    for (const path of Layers) {
      const blob = files.get(path) ?? files.get(entryParts(path, 'archive').join('/'));
      if (!blob) throw invalid(`the archive lacks the layer ${path}, which its manifest.json names`);
      layers.push({ mediaType: await layerType(content, blob), ...blob });
    }
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: manifestTypes.oci,
      config: { mediaType: mediaTypes.config, ...config },
      layers,
    };
    const blob = await lease.putBytes(Buffer.from(JSON.stringify(manifest)));
    yield { manifest: { mediaType: manifestTypes.oci, ...blob }, names: (RepoTags ?? []).map(normalise) };
  }
}

const isStrings = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

async function layerType(content: Content, { digest }: Pick<Blob, 'digest'>): Promise<string> {
  const stream = content.read(digest);
  try {
    for await (const chunk of stream) {
      const compression = compressionOf(chunk as Uint8Array);
      return compression === undefined ? mediaTypes.layer : `${mediaTypes.layer}+${compression}`;
    }
  } finally {
    stream.destroy();
  }
  return mediaTypes.layer;
}
