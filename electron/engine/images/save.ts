import { createReadStream } from 'node:fs';
import type { Content } from './content.ts';
import { assertWhole } from './damage.ts';
import type { StoredImage } from './image.ts';
import { annotations } from './index-file.ts';
import { mediaTypes, type Descriptor } from './oci.ts';
import { packTar, type PackEntry } from './pack-tar.ts';
import { familiar, fullName, isDigest, parseReference, repositoryOf } from './references.ts';
import { resolveImage } from './resolve.ts';
import type { ImageStore } from './store.ts';

/** One image of an archive, and the names under which it was asked for. */
interface Saved {
  readonly image: StoredImage;
  /** Full names with tags. */
  readonly names: readonly string[];
}

const epoch = new Date(0);
/** Bytes read from a layer at a time. */
const CHUNK = 1 << 20;

/**
 * `docker save`: a tar that is an OCI image layout and, by its manifest.json, a docker-archive as well; both point to the same blobs. Configs and layers are
 * in it byte for byte, so ids and digests outlive the trip. The same images give the same bytes.
 * @throws notFound before the first byte when one of the names means nothing, damaged when an image is
 */
export function saveImages(
  { content, store }: { readonly content: Content; readonly store: ImageStore },
  refs: readonly string[],
): AsyncIterable<Uint8Array> {
  const images = selected(store, refs);
  return packTar(held(content, images));
}

/** A bare name stands for all tags of its repository (moby: image/tarexport/save.go). Each image once, with all names asked for. */
function selected(store: ImageStore, refs: readonly string[]): Saved[] {
  const found = new Map<string, { image: StoredImage; names: Set<string> }>();
  const take = (image: StoredImage, name?: string): void => {
    const entry = found.get(image.id) ?? { image, names: new Set() };
    found.set(image.id, entry);
    if (name !== undefined) entry.names.add(name);
  };
  for (const ref of refs) {
    const image = resolveOrTags(store, ref, take);
    if (image) take(image);
  }
  for (const { image } of found.values()) assertWhole(store, image);
  return [...found.values()].map(({ image, names }) => ({ image, names: [...names] }));
}

/** Takes what is meant by name; answers an image that is meant by its id or digest. @throws notFound */
function resolveOrTags(
  store: ImageStore,
  ref: string,
  take: (image: StoredImage, name: string) => void,
): StoredImage | undefined {
  const reference = isDigest(ref) || /^[0-9a-f]{64}$/.test(ref) ? undefined : tryParse(ref);
  if (reference && reference.digest === undefined) {
    const repository = repositoryOf(reference);
    const names = [...store.images.values()]
      .filter((image) => !image.facts.detached)
      .flatMap((image) => [...image.names.keys()].map((name) => ({ image, name, parsed: parseReference(name) })))
      .filter(
        ({ name, parsed }) =>
          parsed.digest === undefined &&
          (reference.tag === undefined ? repositoryOf(parsed) === repository : name === fullName(reference)),
      )
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { image, name } of names) take(image, name);
    if (names.length > 0) return undefined;
  }
  return resolveImage(store, ref);
}

function tryParse(ref: string) {
  try {
    return parseReference(ref);
  } catch {
    return undefined;
  }
}

async function* held(content: Content, images: readonly Saved[]): AsyncGenerator<PackEntry> {
  const lease = content.lease();
  try {
    const blobs = images.flatMap(({ image }) => [image.descriptor, image.manifest.config, ...image.manifest.layers]);
    for (const { digest } of blobs) lease.keep(digest);
    yield directory('blobs');
    yield directory('blobs/sha256');
    for (const digest of new Set(blobs.map((blob) => blob.digest))) {
      const size = await content.size(digest);
      const read = () => createReadStream(content.path(digest), { highWaterMark: CHUNK });
      yield { name: pathOf(digest), type: 'file', mode: 0o644, mtime: epoch, size, read };
    }
    yield text('index.json', JSON.stringify(indexOf(images)));
    yield text('manifest.json', JSON.stringify(images.map(archiveEntry)));
    yield text('oci-layout', '{"imageLayoutVersion":"1.0.0"}');
  } finally {
    await lease.end();
  }
}

const pathOf = (digest: string): string => `blobs/sha256/${digest.slice('sha256:'.length)}`;
const directory = (name: string): PackEntry => ({ name, type: 'directory', mode: 0o755, mtime: epoch });

function text(name: string, value: string): PackEntry {
  const bytes = Buffer.from(value);
  return {
    name,
    type: 'file',
    mode: 0o644,
    mtime: epoch,
    size: bytes.length,
    async *read() {
      yield bytes;
    },
  };
}

/** One descriptor a name, as containerd and Docker write them. */
function indexOf(images: readonly Saved[]): Readonly<Record<string, unknown>> {
  const manifests = images.flatMap(({ image, names }): Descriptor[] =>
    names.length === 0
      ? [image.descriptor]
      : names.map((name) => ({
          ...image.descriptor,
          annotations: { [annotations.name]: name, [annotations.tag]: parseReference(name).tag ?? 'latest' },
        })),
  );
  return { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
}

const archiveEntry = ({ image, names }: Saved) => ({
  Config: pathOf(image.manifest.config.digest),
  RepoTags: names.length === 0 ? null : names.map(familiar),
  Layers: image.manifest.layers.map((layer) => pathOf(layer.digest)),
});
