import { cancelled, invalid, notFound } from '../../base/errors.ts';
import type { ImageModule, PushEvent, TransferAuth } from '../api/images.ts';
import type { Repository } from '../registry/client.ts';
import type { Registries } from '../registry/registry.ts';
import type { CompressedLayers } from './compressed.ts';
import type { Content, Lease } from './content.ts';
import { EventQueue, paced, sideBySide } from './event-queue.ts';
import { gzip } from './gzip.ts';
import type { StoredImage } from './image.ts';
import {
  familiarName,
  familiarRepository,
  fullName,
  parseReference,
  repositoryOf,
  type Reference,
} from './references.ts';
import { planPush, type PushBlob, type PushLayer } from './push-plan.ts';
import type { ImageStore } from './store.ts';

/** What a push needs of the image store; images.ts supplies it. */
export interface PushWorld {
  readonly content: Content;
  readonly store: ImageStore;
  readonly compressed: CompressedLayers;
  readonly registries: Pick<Registries, 'repository'>;
  /** Host path of the merged root. */
  readonly snapshot: (image: StoredImage) => Promise<string>;
  readonly moduleOf: (image: StoredImage) => Promise<ImageModule>;
  readonly pushed: (image: StoredImage, reference: Reference) => void;
}

/** Layers that are sent side by side: dockerd's default. */
const width = 5;
const pace = 100;
/** Repositories that are asked for a layer before it is sent. */
const mostMounts = 2;

/** `docker push`. @throws see ImagesApi.push */
export async function* pushImage(
  world: PushWorld,
  ref: string,
  { auth }: { readonly auth?: TransferAuth },
  signal?: AbortSignal,
): AsyncGenerator<PushEvent> {
  const reference = parseReference(ref);
  if (reference.digest !== undefined)
    throw invalid('cannot push a digest reference', {
      hint: 'Give the image a tag and push that.',
      data: { reference: ref },
    });
  const tags = tagsToPush(world.store, reference);
  const repository = await world.registries.repository(reference, auth, 'write');
  yield { type: 'begin', repository: repositoryOf(reference) };
  for (const { image, tag } of tags) yield* pushOne(world, repository, image, { ...reference, tag }, signal);
}

/** @throws notFound in moby's words */
function tagsToPush(store: ImageStore, reference: Reference): { readonly image: StoredImage; readonly tag: string }[] {
  const repository = repositoryOf(reference);
  const found = [...store.images.values()]
    .filter((image) => !image.facts.detached)
    .flatMap((image) => [...image.names.keys()].map((name) => ({ image, parsed: parseReference(name) })))
    .flatMap(({ image, parsed: { tag, ...parsed } }) =>
      tag !== undefined && parsed.digest === undefined && repositoryOf({ tag, ...parsed }) === repository
        ? [{ image, tag }]
        : [],
    )
    .filter(({ tag }) => reference.tag === undefined || tag === reference.tag)
    .sort((a, b) => (a.tag < b.tag ? -1 : 1));
  if (found.length === 0)
    throw notFound(
      reference.tag === undefined
        ? `An image does not exist locally with the tag: ${familiarRepository(reference)}`
        : `tag does not exist: ${familiarName(reference)}`,
      { hint: 'Give an image that name first: docker tag IMAGE NAME.', data: { reference: familiarName(reference) } },
    );
  return found;
}

async function* pushOne(
  world: PushWorld,
  repository: Repository,
  image: StoredImage,
  reference: Reference,
  signal: AbortSignal | undefined,
): AsyncGenerator<PushEvent> {
  const lease = world.content.lease();
  const stop = new AbortController();
  const until = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const queue = new EventQueue<PushEvent>();
  const work = send(world, repository, image, reference, { lease, queue, stop, signal: until }).then(
    () => queue.end(),
    (error: unknown) => queue.fail(error),
  );
  try {
    yield* queue;
  } catch (error) {
    if (signal?.aborted) throw cancelled(`the push of ${familiarName(reference)} was cancelled`);
    throw error;
  } finally {
    stop.abort();
    await work;
    await lease.end();
  }
}

interface Sending {
  readonly lease: Lease;
  readonly queue: EventQueue<PushEvent>;
  readonly stop: AbortController;
  readonly signal: AbortSignal;
}

async function send(
  world: PushWorld,
  repository: Repository,
  image: StoredImage,
  reference: Reference,
  sending: Sending,
): Promise<void> {
  const { lease, queue, stop, signal } = sending;
  const plan = await planPush(world, image, image.names.get(fullName(reference))?.pushFormat, lease);
  const shown = new Map(plan.layers.map((layer) => [layer.id, layer]));
  for (const id of shown.keys()) queue.push({ type: 'layer', id, state: 'preparing' });
  for (const id of [...shown.keys()].slice(width)) queue.push({ type: 'layer', id, state: 'waiting' });
  const sent = new Map<string, PushBlob>();
  await sideBySide([...shown.values()], width, async (layer) => {
    try {
      sent.set(layer.id, await sendLayer(world, repository, layer, reference, sending));
    } catch (error) {
      stop.abort();
      throw error;
    }
  });
  const { config } = plan;
  if (!(await repository.hasBlob(config.digest, signal)))
    await repository.upload({ ...config, read: config.read }, { signal });
  const manifest = plan.manifest(plan.layers.map((layer) => sent.get(layer.id) ?? layer.blob));
  const tag = reference.tag ?? 'latest';
  await repository.putManifest(tag, manifest.bytes, manifest.mediaType, signal);
  // What the registry has now is this very image, unless it was turned into something else on the way.
  if (!plan.isConverted)
    await world.store.name(image.id, fullName({ ...reference, tag: undefined, digest: manifest.digest }));
  world.pushed(image, reference);
  queue.push({ type: 'done', tag, digest: manifest.digest, size: manifest.bytes.length });
}

/** Sends a layer, or finds that this is not needed. Answers what the manifest has to say of it. */
async function sendLayer(
  world: PushWorld,
  repository: Repository,
  layer: PushLayer,
  reference: Reference,
  { queue, signal }: Sending,
): Promise<PushBlob> {
  const { id } = layer;
  const isTime = paced(pace);
  const progress = (current: number): void => {
    if (isTime()) queue.push({ type: 'layer', id, state: 'pushing', current, total: layer.blob.size }, id);
  };
  const onRetry = (after: number): void => queue.push({ type: 'layer', id, state: 'retrying', after });
  const done = (event: PushEvent): void => {
    queue.drop(id);
    queue.push(event);
  };
  const compressed = layer.compress ? world.compressed.get(layer.blob.digest) : undefined;
  const known = layer.compress ? compressed : layer.blob;
  if (known) {
    if (await repository.hasBlob(known.digest, signal)) {
      done({ type: 'layer', id, state: 'exists' });
      return { ...known, mediaType: layer.mediaType };
    }
    for (const from of repositoriesWith(world.store, reference, layer.blob.digest)) {
      const taken = await repository.mount(known.digest, from, signal).catch((error: unknown) => {
        // Perhaps we may not read there; then it is sent.
        if (signal.aborted) throw error;
        return false;
      });
      if (!taken) continue;
      done({ type: 'layer', id, state: 'mounted', from });
      return { ...known, mediaType: layer.mediaType };
    }
  }
  if (!layer.compress) {
    await repository.upload(layer.blob, { signal, onRetry, onProgress: progress });
    done({ type: 'layer', id, state: 'pushed' });
    return { ...layer.blob, mediaType: layer.mediaType };
  }
  let size = 0;
  const read = async function* (): AsyncGenerator<Uint8Array> {
    size = 0;
    let current = 0;
    const plain = counted(layer.blob.read(0), (count) => progress((current += count)));
    for await (const chunk of gzip(plain)) {
      size += chunk.length;
      yield chunk;
    }
  };
  const digest = await repository.uploadSource({ read }, { signal, onRetry });
  await world.compressed.set(layer.blob.digest, { digest, size });
  done({ type: 'layer', id, state: 'pushed' });
  return { digest, size, mediaType: layer.mediaType };
}

async function* counted(source: AsyncIterable<Uint8Array>, count: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    count(chunk.length);
    yield chunk;
  }
}

/** Other repositories of the same registry that were seen to have an image with this layer. */
function repositoriesWith(store: ImageStore, { domain, path }: Reference, digest: string): string[] {
  const found = new Set<string>();
  for (const image of store.images.values()) {
    if (!image.manifest.layers.some((layer) => layer.digest === digest)) continue;
    for (const name of image.names.keys()) {
      const other = parseReference(name);
      if (other.digest !== undefined && other.domain === domain && other.path !== path) found.add(other.path);
    }
  }
  return [...found].slice(0, mostMounts);
}
