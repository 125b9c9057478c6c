import { cancelled, invalid, unsupported } from '../../base/errors.ts';
import type { PullEvent, PullOptions } from '../api/images.ts';
import type { RawManifest, Repository } from '../registry/client.ts';
import { lookupFailure, type Registries } from '../registry/registry.ts';
import type { Content, Lease } from './content.ts';
import type { DownloadNote, Downloads, OpenBlob } from './downloads.ts';
import { EventQueue, paced, sideBySide } from './event-queue.ts';
import { configTypes, isIndexType, isManifestType, isSchema1 } from './formats/media-types.ts';
import { checkManifest } from './formats/recognise.ts';
import type { StoredImage } from './image.ts';
import { parseConfig, parseIndex, parseManifest, type Descriptor, type Manifest } from './oci.ts';
import { checkPlatform, chooseManifest, mayHoldWasm, noPlatform, type Choice } from './platform.ts';
import { familiarName, fullName, parseReference, withDefaultTag, type Reference } from './references.ts';
import type { Snapshots } from './snapshots.ts';
import type { ImageStore } from './store.ts';

/** What a pull needs of the image store; images.ts supplies it. */
export interface PullWorld {
  readonly content: Content;
  readonly store: ImageStore;
  readonly snapshots: Snapshots;
  readonly downloads: Downloads;
  readonly registries: Pick<Registries, 'repository'>;
  readonly pulled: (image: StoredImage, reference: Reference) => void;
}

/** Layers that are fetched side by side: dockerd's default. */
const width = 3;
/** Milliseconds between two notes about the same layer. */
const pace = 100;
/**
 * Images whose layers are at most this large together are unpacked as part of the pull: then a refused entry is known at once and the first start waits for
 * nothing. Larger ones are unpacked by who needs them first, so that a pull is as fast as the wire.
 */
const unpackLimit = 64 << 20;

/** `docker pull`. @throws see ImagesApi.pull */
export async function* pullImage(
  world: PullWorld,
  ref: string,
  options: PullOptions,
  signal?: AbortSignal,
): AsyncGenerator<PullEvent> {
  const asked = parseReference(ref);
  if (options.allTags && (asked.tag !== undefined || asked.digest !== undefined))
    throw invalid("tag can't be used with --all-tags/-a", { data: { reference: ref } });
  const repository = await world.registries.repository(asked, options.auth, 'read');
  if (!options.allTags) return yield* pullOne(world, repository, withDefaultTag(asked), options, signal);
  const tags = await repository.tags(signal).catch((error: unknown) => {
    throw lookupFailure(error, asked);
  });
  for (const tag of tags) yield* pullOne(world, repository, { ...asked, tag }, options, signal);
}

async function* pullOne(
  world: PullWorld,
  repository: Repository,
  reference: Reference,
  { platform }: PullOptions,
  signal?: AbortSignal,
): AsyncGenerator<PullEvent> {
  const lease = world.content.lease();
  const stop = new AbortController();
  const until = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  let work: Promise<void> | undefined;
  try {
    const found = await find(world, repository, reference, { platform, lease, signal: until });
    yield { type: 'begin', repository: reference.path, tag: reference.digest ?? reference.tag ?? '' };
    const queue = new EventQueue<PullEvent>();
    work = transfer(world, repository, reference, found, { lease, queue, stop, signal: until }).then(
      () => queue.end(),
      (error: unknown) => queue.fail(error),
    );
    yield* queue;
  } catch (error) {
    if (signal?.aborted) throw cancelled(`the pull of ${familiarName(reference)} was cancelled`);
    throw error;
  } finally {
    // Whoever stops reading ends the pull.
    stop.abort();
    await work;
    await lease.end();
  }
}

interface Found {
  /** The manifest that was chosen; it and its config are in the store. */
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  /** What the name means: the index, where there is one. */
  readonly digest: string;
}

interface Finding {
  readonly platform: string | undefined;
  readonly lease: Lease;
  readonly signal: AbortSignal;
}

/** From a name to one manifest with its config. Everything that can be said against an image before its layers come is said here. */
async function find(
  { content }: PullWorld,
  repository: Repository,
  reference: Reference,
  { platform, lease, signal }: Finding,
): Promise<Found> {
  const name = familiarName(reference);
  const ask = (what: string): Promise<RawManifest> =>
    repository.manifest(what, signal).catch((error: unknown) => {
      throw lookupFailure(error, reference);
    });
  let raw = await ask(reference.digest ?? reference.tag ?? 'latest');
  const { digest } = raw.descriptor;
  let choice: Choice | undefined;
  for (let depth = 0; isIndexType(raw.descriptor.mediaType); depth++) {
    if (depth > 2) throw invalid(`${name} is an index of indexes of indexes`);
    choice = chooseManifest(parseIndex(raw.bytes.toString('utf8'), name), platform, name);
    raw = await ask(choice.manifest.digest);
  }
  const { mediaType } = raw.descriptor;
  if (isSchema1(mediaType))
    throw unsupported(`${name} is stored in Docker's image format of before 2016 (schema 1), which is not read`, {
      hint: 'Push it again with a current tool.',
    });
  if (!isManifestType(mediaType)) throw unsupported(`${name} is not an image: ${mediaType}`);
  const manifest = parseManifest(raw.bytes.toString('utf8'), `the manifest of ${name}`);
  checkManifest(manifest, name);

  const { config } = manifest;
  if (content.has(config.digest)) lease.keep(config.digest);
  else await lease.put(repository.blob(config, { signal }), config);
  if (config.mediaType === configTypes.oci || config.mediaType === configTypes.docker) {
    const about = parseConfig(await content.text(config.digest), `the config of ${name}`);
    if (choice?.isNative && !mayHoldWasm(manifest, about)) throw noPlatform(name, undefined, choice.platforms);
    if (!choice) checkPlatform(about, platform, name);
  }
  await lease.putBytes(raw.bytes);
  return { descriptor: raw.descriptor, manifest, digest };
}

interface Transfer {
  readonly lease: Lease;
  readonly queue: EventQueue<PullEvent>;
  readonly stop: AbortController;
  readonly signal: AbortSignal;
}

async function transfer(
  world: PullWorld,
  repository: Repository,
  reference: Reference,
  { descriptor, manifest, digest }: Found,
  { lease, queue, stop, signal }: Transfer,
): Promise<void> {
  const { content, store, snapshots } = world;
  // The same layer may be there twice (empty ones are).
  const layers = [...new Map(manifest.layers.map((layer) => [layer.digest, layer])).values()];
  for (const { digest: id } of layers) queue.push({ type: 'layer', id, state: 'pulling' });
  for (const { digest: id } of layers.slice(width)) queue.push({ type: 'layer', id, state: 'waiting' });
  // An image that is here needs no layers, also when the registry has them compressed in another way.
  const same = store.images.get(manifest.config.digest) ?? store.images.get(descriptor.digest);
  const known = same && !same.facts.detached && store.missing(same).length === 0 ? same : undefined;
  if (known) lease.keepImage(known.id);
  const fetched = new Set<string>();
  await sideBySide(layers, width, async (layer) => {
    const { digest: id } = layer;
    if (content.has(id)) lease.keep(id);
    if (content.has(id) || known) {
      return queue.push({ type: 'layer', id, state: 'exists' });
    }
    try {
      await fetchLayer(world, repository, layer, { lease, queue, stop, signal });
    } catch (error) {
      stop.abort();
      throw error;
    }
    fetched.add(id);
  });

  const moduleName = reference.path.split('/').at(-1) ?? '';
  const before = new Set(store.images.keys());
  const image = known
    ? await store.keep(known.id)
    : await store.adopt(lease, descriptor, { moduleName, verbatim: true });
  try {
    const size = layers.reduce((sum, layer) => sum + layer.size, 0);
    if (size <= unpackLimit) {
      for (const layer of layers.filter((each) => fetched.has(each.digest)))
        queue.push({ type: 'layer', id: layer.digest, state: 'extracting', current: layer.size, total: layer.size });
      const letGo = snapshots.hold(image.chainIds);
      await snapshots.ensure(image).finally(letGo);
    }
  } catch (error) {
    if (!before.has(image.id) && image.names.size === 0) await content.release(await store.delete(image.id));
    throw error;
  }
  for (const id of fetched) queue.push({ type: 'layer', id, state: 'complete' });
  queue.push({ type: 'digest', digest });

  const tagged = reference.digest === undefined ? fullName(reference) : undefined;
  const name = fullName({ ...reference, tag: undefined, digest });
  const isNew = store.byName(tagged ?? name)?.id !== image.id;
  const names = tagged === undefined ? [name] : [name, tagged];
  if (!names.every((each) => image.names.has(each))) await store.name(image.id, ...names);
  world.pulled(image, reference);
  queue.push({ type: 'done', reference: familiarName(reference), image: image.id, isNew });
}

async function fetchLayer(
  { downloads }: PullWorld,
  repository: Repository,
  layer: Descriptor,
  { lease, queue, signal }: Transfer,
): Promise<void> {
  const { digest: id, size: total } = layer;
  const isTime = paced(pace);
  const listen = (note: DownloadNote): void => {
    if (note.kind === 'retry') queue.push({ type: 'layer', id, state: 'retrying', after: note.after });
    else if (isTime()) queue.push({ type: 'layer', id, state: 'downloading', current: note.current, total }, id);
  };
  const open: OpenBlob = (ended, onRetry) => repository.blob(layer, { signal: ended, onRetry });
  await downloads.fetch(layer, lease, open, listen, signal);
  queue.drop(id);
  queue.push({ type: 'layer', id, state: 'verifying' });
  queue.push({ type: 'layer', id, state: 'downloaded' });
}
