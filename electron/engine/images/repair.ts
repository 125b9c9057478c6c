import { cancelled, kindOf, unavailable, type DrydockError } from '../../base/errors.ts';
import type { RepairEvent, TransferAuth } from '../api/images.ts';
import type { Repository } from '../registry/client.ts';
import type { Registries } from '../registry/registry.ts';
import type { CompressedLayers } from './compressed.ts';
import type { Content, Lease } from './content.ts';
import type { Downloads } from './downloads.ts';
import { EventQueue, paced } from './event-queue.ts';
import type { StoredImage } from './image.ts';
import { inflated } from './inflate.ts';
import type { Descriptor } from './oci.ts';
import { pullImage, type PullWorld } from './pull.ts';
import { familiarName, familiarRepository, parseReference, repositoryOf, type Reference } from './references.ts';
import { labelOf, type ImageStore, type LostEntry } from './store.ts';

export interface RepairWorld {
  readonly content: Content;
  readonly store: ImageStore;
  readonly downloads: Downloads;
  readonly compressed: CompressedLayers;
  readonly registries: Pick<Registries, 'repository'>;
  readonly repaired: (image: StoredImage, fetched: readonly string[]) => void;
}

const pace = 100;
const gzipLayer = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** Fetches what is missing of one image. See ImagesApi.repair. */
export async function* repairImage(
  world: RepairWorld,
  image: StoredImage,
  auth: TransferAuth,
  signal?: AbortSignal,
): AsyncGenerator<RepairEvent> {
  const lease = world.content.lease();
  lease.keepImage(image.id);
  const queue = new EventQueue<RepairEvent>();
  const stop = new AbortController();
  const until = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const work = fetchMissing(world, image, { auth, lease, queue, signal: until }).then(
    () => queue.end(),
    (error: unknown) => queue.fail(error),
  );
  try {
    yield* queue;
  } catch (error) {
    if (signal?.aborted) throw cancelled(`the repair of ${labelOf(image)} was cancelled`);
    throw error;
  } finally {
    stop.abort();
    await work;
    await lease.end();
  }
}

/** An image of which only the index knows: its very manifest is pulled, whatever its tag means by now. */
export async function* repairLost(
  world: PullWorld,
  { entry, name }: LostEntry,
  auth: TransferAuth,
  signal?: AbortSignal,
): AsyncGenerator<RepairEvent> {
  const reference = { ...parseReference(name), tag: undefined, digest: entry.digest };
  const fetched: string[] = [];
  for await (const event of pullImage(world, familiarName(reference), { auth }, signal)) {
    if (event.type === 'done') yield { type: 'done', image: event.image, fetched };
    else if (event.type !== 'layer') continue;
    else if (event.state === 'downloaded') fetched.push(event.id);
    else if (event.state === 'downloading')
      yield {
        type: 'blob',
        digest: event.id,
        from: familiarRepository(reference),
        current: event.current,
        total: event.total,
      };
  }
}

interface Repairing {
  readonly auth: TransferAuth;
  readonly lease: Lease;
  readonly queue: EventQueue<RepairEvent>;
  readonly signal: AbortSignal;
}

async function fetchMissing(world: RepairWorld, image: StoredImage, repairing: Repairing): Promise<void> {
  const { store } = world;
  const descriptors = new Map(
    [image.descriptor, image.manifest.config, ...image.manifest.layers].map((each) => [each.digest, each]),
  );
  const fetched: string[] = [];
  const failures: DrydockError[] = [];
  for (const reference of repositoriesOf(image)) {
    if (store.missing(image).length === 0) break;
    try {
      const repository = await world.registries.repository(reference, repairing.auth, 'read');
      for (const digest of store.missing(image)) {
        const blob = descriptors.get(digest);
        // The manifest of another name, which was made here: it can be made again from that name's own.
        if (!blob) continue;
        if (await fetchBlob(world, repository, reference, blob, repairing)) fetched.push(digest);
      }
    } catch (error) {
      if (repairing.signal.aborted) throw error;
      failures.push(error as DrydockError);
    }
  }
  const left = store.missing(image);
  if (left.length > 0) throw notRepaired(image, left, failures);
  world.repaired(image, fetched);
  repairing.queue.push({ type: 'done', image: image.id, fetched });
}

/** One for each repository that the image has a name in; those it is known to have come from first. */
function repositoriesOf(image: StoredImage): Reference[] {
  const references = [...image.names.keys()].map(parseReference);
  references.sort((a, b) => Number(b.digest !== undefined) - Number(a.digest !== undefined));
  return [...new Map(references.toReversed().map((each) => [repositoryOf(each), each])).values()].toReversed();
}

/** False when this repository has it in no form. */
async function fetchBlob(
  { content, downloads, compressed }: RepairWorld,
  repository: Repository,
  reference: Reference,
  blob: Descriptor,
  { lease, queue, signal }: Repairing,
): Promise<boolean> {
  const { digest, size: total } = blob;
  const from = familiarRepository(reference);
  const isTime = paced(pace);
  const tell = (current: number): void => {
    if (isTime()) queue.push({ type: 'blob', digest, from, current, total }, digest);
  };
  try {
    if (/manifest/.test(blob.mediaType)) await lease.putBytes((await repository.manifest(digest, signal)).bytes);
    else
      await downloads.fetch(
        blob,
        lease,
        (ended) => repository.blob(blob, { signal: ended }),
        (note) => note.kind === 'bytes' && tell(note.current),
        signal,
      );
  } catch (error) {
    if (kindOf(error) !== 'notFound') throw error;
    const packed = compressed.get(digest);
    if (!packed) return false;
    // A layer that was made here went to the registry compressed.
    const source = repository.blob({ mediaType: gzipLayer, ...packed }, { signal });
    await lease.put(inflated(source, 'layer'), { digest });
  }
  tell(total);
  return content.has(digest);
}

function notRepaired(image: StoredImage, left: readonly string[], failures: readonly DrydockError[]): DrydockError {
  const why = failures.length > 0 ? `: ${failures.map((failure) => failure.message).join('; ')}` : '';
  return unavailable(`no registry gave what image ${labelOf(image)} lacks (${left.join(', ')})${why}`, {
    hint: 'Build it or load it again; until then it stays on the list, damaged.',
    data: { image: image.id, missing: left },
    cause: failures[0],
  });
}
