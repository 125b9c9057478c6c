import { stat } from 'node:fs/promises';
import { cancelled, toDrydockError } from '../../base/errors.ts';
import type { CheckEvent, CheckFinding } from '../api/images.ts';
import type { Content } from './content.ts';
import { damagedImage } from './damage.ts';
import { paced } from './event-queue.ts';
import { layerKindOf } from './formats/layer-kind.ts';
import { blobsOf, type StoredImage } from './image.ts';
import { familiar } from './references.ts';
import { snapshotName, type Layered, type Snapshots } from './snapshots.ts';
import { labelOf, type ImageStore } from './store.ts';
import { verifyBlob, verifyLayer } from './verify-blob.ts';

export interface CheckWorld {
  readonly content: Content;
  readonly store: ImageStore;
  readonly snapshots: Snapshots;
  readonly usedBy: (imageId: string) => readonly { readonly running: boolean }[];
  /** Told once for each image that is found damaged. */
  readonly found: (image: StoredImage, missing: readonly string[]) => void;
}

/** Milliseconds between two notes about progress. */
const pace = 100;

/** Everything that is stored, compared with what it is called. See ImagesApi.check. @throws cancelled */
export async function* checkImages(world: CheckWorld, signal?: AbortSignal): AsyncGenerator<CheckEvent> {
  const { content, store } = world;
  const digests = [...content.all()];
  const images = store.images.size;
  const total = await sizeOf(content, digests);
  let findings = 0;
  let open = 0;
  const report = (finding: CheckFinding): CheckEvent => {
    findings++;
    if (!finding.repaired) open++;
    return { type: 'finding', finding };
  };
  const isTime = paced(pace);
  try {
    yield { type: 'begin', blobs: digests.length, images, total };
    let current = 0;
    for (const digest of digests) {
      const steps = checkBlob(world, digest, signal);
      for (let step = await steps.next(); ; step = await steps.next()) {
        if (step.done) {
          if (step.value) yield report(step.value);
          break;
        }
        current += step.value;
        if (isTime()) yield { type: 'progress', current, total };
      }
    }
    for (const finding of lostEntries(store)) yield report(finding);
    for (const image of [...store.images.values()])
      for (const finding of checkImage(world, image)) yield report(finding);
    let snapshots = 0;
    for (const name of await world.snapshots.names()) {
      signal?.throwIfAborted();
      snapshots++;
      const finding = await checkSnapshot(world, name);
      if (finding) yield report(finding);
    }
    yield { type: 'done', blobs: digests.length, images, snapshots, total, findings, open };
  } catch (error) {
    if (signal?.aborted)
      throw cancelled('the check was cancelled', { hint: 'What was found so far has been dealt with.' });
    throw error;
  }
}

async function sizeOf(content: Content, digests: readonly string[]): Promise<number> {
  let sum = 0;
  for (const digest of digests) sum += (await stat(content.path(digest)).catch(() => undefined))?.size ?? 0;
  return sum;
}

const usersOf = (store: ImageStore, digest: string): StoredImage[] =>
  [...store.images.values()].filter((image) => blobsOf(image).includes(digest));

/** Hashes one; what does not verify is put aside, and so are the root directories made of it. */
async function* checkBlob(
  { content, store, snapshots }: CheckWorld,
  digest: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<number, CheckFinding | undefined> {
  // Removed since the check began.
  if (!content.has(digest)) return undefined;
  const { problem, inode } = yield* verifyBlob(content.path(digest), digest, signal);
  const users = usersOf(store, digest);
  const names = users.map(labelOf);
  if (problem === undefined) return layerFinding(content, digest, users, signal);
  const aside = await content.quarantine(digest, inode);
  if (content.has(digest)) return undefined;
  for (const image of users) {
    const at = image.manifest.layers.findIndex((layer) => layer.digest === digest);
    if (at < 0) continue;
    for (let depth = at + 1; depth <= image.chainIds.length; depth++)
      await snapshots.discard(snapshotName(image.chainIds.slice(0, depth)));
  }
  return {
    kind: 'blob',
    subject: digest,
    images: names,
    problem: `blob ${digest} is damaged: ${problem}`,
    hint: aside === undefined ? '' : `It was put aside: ${aside}`,
    // Of no image: then nothing is lost with it.
    repaired: users.length === 0,
    repairable: users.length > 0,
  };
}

/** A compressed layer whose bytes are what they are called may still hold others than its image says: then it was wrong from the beginning. */
async function layerFinding(
  content: Content,
  digest: string,
  users: readonly StoredImage[],
  signal: AbortSignal | undefined,
): Promise<CheckFinding | undefined> {
  const wanted = new Map<string, StoredImage[]>();
  for (const image of users)
    for (const [at, layer] of image.manifest.layers.entries()) {
      const diffId = image.config.rootfs.diff_ids[at];
      if (layer.digest !== digest || diffId === undefined || layerKindOf(layer).kind !== 'tar') continue;
      if (diffId !== digest) wanted.set(diffId, [...(wanted.get(diffId) ?? []), image]);
    }
  for (const [diffId, images] of wanted) {
    const problem = await verifyLayer(content.read(digest), diffId, signal);
    if (problem !== undefined)
      return {
        kind: 'blob',
        subject: digest,
        images: images.map(labelOf),
        problem: `layer ${digest} is not what its image says: ${problem}`,
        hint: 'It came like that: ask whoever made the image, or remove it.',
        repaired: false,
        repairable: false,
      };
  }
  return undefined;
}

function* checkImage({ store, found }: CheckWorld, image: StoredImage): Generator<CheckFinding> {
  const missing = store.missing(image);
  const about = { kind: 'image', subject: image.id, images: [labelOf(image)], repaired: false } as const;
  if (missing.length > 0) {
    const { message, hint } = damagedImage(image, missing);
    found(image, missing);
    yield { ...about, problem: message, hint: hint ?? '', repairable: true };
  }
  const { layers } = image.manifest;
  const diffIds = image.config.rootfs.diff_ids;
  if (diffIds.length !== layers.length)
    yield {
      ...about,
      problem: `image ${labelOf(image)} has ${layers.length} layers and ${diffIds.length} diffIDs`,
      hint: 'It came like that: ask whoever made the image, or remove it.',
      repairable: false,
    };
}

function* lostEntries(store: ImageStore): Generator<CheckFinding> {
  for (const [key, { name, problem }] of store.lost) {
    const label = name ? familiar(name) : key;
    yield {
      kind: 'image',
      subject: label,
      images: [label],
      problem: `the image ${label} cannot be read: ${problem}`,
      hint: name
        ? `docker pull ${label} may bring it back; docker rmi ${label} forgets it.`
        : `docker rmi ${label} forgets it.`,
      repaired: false,
      repairable: name !== '',
    };
  }
}

/** One that does not look as it did is removed, and made anew where its image is whole. */
async function checkSnapshot(
  { store, snapshots, usedBy }: CheckWorld,
  name: string,
): Promise<CheckFinding | undefined> {
  if (await snapshots.isWhole(name)) return undefined;
  const users = [...store.images.values()].filter((image) =>
    image.chainIds.some((_, at) => snapshotName(image.chainIds.slice(0, at + 1)) === name),
  );
  const own = users.filter((image) => snapshotName(image.chainIds) === name);
  const about = {
    kind: 'snapshot',
    subject: name,
    images: users.map(labelOf),
    problem: `the root directory ${name.slice(0, 12)} is not as it was made`,
    repairable: false,
  } as const;
  const isRunning = own.some((image) => usedBy(image.id).some((user) => user.running));
  if (isRunning || !(await snapshots.discard(name)))
    return { ...about, hint: 'Stop the containers that use it and check again.', repaired: false };
  const whole = users.find((image) => store.missing(image).length === 0);
  if (!whole) return { ...about, hint: 'It was removed; its image is damaged as well.', repaired: users.length === 0 };
  try {
    await snapshots.ensure(upTo(whole, name));
    return { ...about, hint: 'It was made anew from the image.', repaired: true };
  } catch (error) {
    return { ...about, hint: `It cannot be made anew: ${toDrydockError(error).message}`, repaired: false };
  }
}

/** The image as far up its chain as the directory goes. */
function upTo({ config, manifest, chainIds }: StoredImage, name: string): Layered {
  const depth = chainIds.findIndex((_, at) => snapshotName(chainIds.slice(0, at + 1)) === name) + 1;
  return { config, manifest, chainIds: chainIds.slice(0, depth) };
}
