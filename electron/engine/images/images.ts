import { join } from 'node:path';
import { buildImage, type ProgramRunner } from '../builder/build.ts';
import type { CheckEvent, ImagesApi, ImageView } from '../api/images.ts';
import { conflict, invalid, notFound, unavailable } from '../../base/errors.ts';
import { applyChanges } from '../builder/changes.ts';
import { pruneBuildCache } from './build-cache.ts';
import { checkImages } from './check.ts';
import { commitImage, runtimeOf, type CommitRequest } from './commit.ts';
import { openContent } from './content.ts';
import { assertWhole } from './damage.ts';
import { describeFile } from './describe.ts';
import type { StoredImage } from './image.ts';
import { importModule } from './import-module.ts';
import { importRoot } from './import-root.ts';
import { indexFile } from './index-file.ts';
import { listImages } from './list.ts';
import { loadImages } from './load.ts';
import { moduleFinder } from './module-of.ts';
import { pruneImages } from './prune.ts';
import {
  familiar,
  familiarName,
  familiarRepository,
  fullName,
  parseReference,
  withDefaultTag,
  type Reference,
} from './references.ts';
import type { Registries } from '../registry/registry.ts';
import type { Transport } from '../registry/transport.ts';
import { openCompressedLayers } from './compressed.ts';
import { Downloads } from './downloads.ts';
import { pullImage, type PullWorld } from './pull.ts';
import { pushImage, type PushWorld } from './push.ts';
import { removeImage, type RemovalWorld } from './remove.ts';
import { repairImage, repairLost, type RepairWorld } from './repair.ts';
import { resolveImage } from './resolve.ts';
import { saveImages } from './save.ts';
import { openSnapshots } from './snapshots.ts';
import { labelOf, openStore, type ImageStore } from './store.ts';
import { openTemporary } from './temporary.ts';
import { footprint } from '../usage/footprint.ts';
import { usageOf } from './usage.ts';
import { historyOf, viewOf } from './view.ts';

export interface ImagesOptions {
  /** HOME. */
  readonly home: string;
  readonly emit: (event: {
    type: 'image' | 'builder';
    action: string;
    actorId: string;
    attributes: Readonly<Record<string, string>>;
  }) => void;
  /** The containers made from an image, whatever their state. */
  readonly usedBy: (imageId: string) => readonly { id: string; running: boolean; image: string }[];
  /** Told what was found damaged at open, one sentence each. */
  readonly note?: (sentence: string) => void;
  /** Runs the programs of RUN. Without it RUN fails with a clear error. */
  readonly runProgram?: ProgramRunner;
  /** For ADD of a web address. Without it nothing is downloaded. */
  readonly transport?: Transport;
  /** Without it nothing is pulled or pushed. */
  readonly registries?: Pick<Registries, 'repository'>;
}

export interface Images extends ImagesApi {
  /** An image of what a container has become. @throws notFound, invalid, full */
  commit(request: CommitRequest): Promise<ImageView>;
  /** Removes what was kept for containers that are gone now. Cheap; call it after a container was removed. */
  sweep(): Promise<void>;
  /** Waits for what is being written. */
  close(): Promise<void>;
}

/** Opens HOME/content and HOME/snapshots. The caller holds the home's lock. @throws damaged when the index cannot be read */
export async function openImages(options: ImagesOptions): Promise<Images> {
  const { home, usedBy } = options;
  const temporary = await openTemporary(home);
  // Until the index is read, everything counts as referred to.
  const opened: { store?: ImageStore } = {};
  const content = await openContent(home, temporary, (digest) => opened.store?.isReferenced(digest) ?? true);
  const opening = await openStore(content, indexFile(content.directory, temporary));
  const images = (opened.store = opening.store);
  for (const sentence of opening.notes) options.note?.(sentence);
  const snapshots = await openSnapshots(home, temporary, content, images);
  // After a crash: blobs that no image got round to, snapshots whose image is gone. Nothing is swept while there are images of which it is not known what they need.
  if (images.lost.size === 0) {
    await content.release([...content.all(), ...content.quarantined()]);
    await snapshots.sweep();
  }

  const running = new Set<Promise<unknown>>();
  const during = <T>(work: Promise<T>): Promise<T> => {
    const tracked: Promise<unknown> = work.catch(() => undefined).finally(() => running.delete(tracked));
    running.add(tracked);
    return work;
  };
  let removing: Promise<unknown> = Promise.resolve();
  /** Removals one after the other: none finds gone what it was about to remove. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = removing.then(work, work);
    removing = turn.catch(() => undefined);
    return during(turn);
  };
  /** The same for what is read event by event. */
  async function* trackedEvents<T>(events: AsyncIterable<T>): AsyncGenerator<T> {
    let ended = (): void => undefined;
    void during(new Promise<void>((resolve) => (ended = resolve)));
    try {
      yield* events;
    } finally {
      ended();
    }
  }
  const emit = (action: string, image: StoredImage, name: string): void =>
    options.emit({
      type: 'image',
      action,
      actorId: image.id,
      attributes: { ...image.config.config?.Labels, name },
    });
  const world: RemovalWorld = {
    store: images,
    usedBy,
    isLeased: (id) => content.isLeased(id),
    emit,
    release: (digests) => content.release(digests),
  };
  const find = (ref: string): StoredImage => resolveImage(images, ref);

  /** Gives a name; the image that had it loses it. `full` is normalised. */
  const name = async (image: StoredImage, full: string): Promise<void> => {
    await images.name(image.id, full);
    emit('tag', image, familiar(full));
  };

  const sweep = async (): Promise<void> => {
    for (const image of [...images.images.values()])
      if (image.facts.detached && usedBy(image.id).length === 0 && !content.isLeased(image.id))
        await content.release(await images.delete(image.id));
    await snapshots.sweep();
  };

  const snapshot = async (image: StoredImage): Promise<string> => {
    assertWhole(images, image);
    const lease = content.lease();
    for (const layer of image.manifest.layers) lease.keep(layer.digest);
    const letGo = snapshots.hold(image.chainIds);
    try {
      return await during(snapshots.ensure(image));
    } finally {
      letGo();
      await lease.end();
    }
  };
  const moduleOf = moduleFinder(snapshot);

  const registries: Pick<Registries, 'repository'> = options.registries ?? {
    repository: () => Promise.reject(unavailable('this store of images was opened without registries')),
  };
  /** As moby: a transfer is an event of the name; its "name" is the repository. */
  const emitTransfer = (action: string, image: StoredImage, reference: Reference): void =>
    options.emit({
      type: 'image',
      action,
      actorId: familiarName(reference),
      attributes: { ...image.config.config?.Labels, name: familiarRepository(reference) },
    });
  const ending = new AbortController();
  const untilClosed = (signal: AbortSignal | undefined): AbortSignal =>
    signal ? AbortSignal.any([signal, ending.signal]) : ending.signal;
  const pulling: PullWorld = {
    content,
    store: images,
    snapshots,
    downloads: new Downloads(content),
    registries,
    pulled: (image, reference) => emitTransfer('pull', image, reference),
  };
  const repairing: RepairWorld = {
    content,
    store: images,
    downloads: pulling.downloads,
    compressed: await openCompressedLayers(content.directory, temporary),
    registries,
    repaired: (image) => emit('repair', image, labelOf(image)),
  };
  const pushing: PushWorld = {
    content,
    store: images,
    compressed: repairing.compressed,
    registries,
    snapshot,
    moduleOf,
    pushed: (image, reference) => emitTransfer('push', image, reference),
  };
  /** An image by a name that it has, which a format is kept with. */
  const named = (ref: string): { readonly image: StoredImage; readonly full: string } => {
    const full = tagName(ref);
    const image = images.byName(full);
    if (!image || image.facts.detached)
      throw notFound(`No such image: ${familiar(full)}`, { data: { reference: ref } });
    return { image, full };
  };

  /** The key of an entry that cannot be read; undefined for what is no name of one. */
  const lostKey = (ref: string): string | undefined => {
    if (images.lost.has(ref)) return ref;
    try {
      const full = tagName(ref);
      return images.lost.has(full) && !images.byName(full) ? full : undefined;
    } catch {
      return undefined;
    }
  };
  let checking = false;
  async function* check(signal: AbortSignal): AsyncGenerator<CheckEvent> {
    if (checking) throw conflict('a check is under way already', { hint: 'Wait for it to end.' });
    checking = true;
    try {
      const found = (image: StoredImage): void => emit('damage', image, labelOf(image));
      yield* checkImages({ content, store: images, snapshots, usedBy, found }, signal);
    } finally {
      checking = false;
    }
  }

  return {
    list: (request) => listImages(images, request),
    get: (ref) => viewOf(images, find(ref)),
    history: (ref) => historyOf(images, find(ref)),

    async tag(ref, target) {
      const image = find(ref);
      await during(name(image, tagName(target)));
    },

    async remove(ref, request) {
      const lost = lostKey(ref);
      if (lost !== undefined) {
        await during(images.forget(lost));
        return [{ untagged: ref }];
      }
      return inTurn(async () => {
        const { deleted } = await removeImage(world, ref, request);
        await sweep();
        return deleted;
      });
    },

    async prune(filters) {
      const result = await inTurn(async () => {
        const pruned = await pruneImages(world, filters);
        await sweep();
        return pruned;
      });
      options.emit({
        type: 'image',
        action: 'prune',
        actorId: '',
        attributes: { reclaimed: String(result.reclaimed) },
      });
      return result;
    },

    async pruneBuildCache(request) {
      const result = await inTurn(async () => {
        const pruned = await pruneBuildCache(world, request);
        await sweep();
        return pruned;
      });
      options.emit({
        type: 'builder',
        action: 'prune',
        actorId: '',
        attributes: { reclaimed: String(result.reclaimed) },
      });
      return result;
    },

    usage: async () => ({
      ...usageOf(images, usedBy, content.isLeased),
      onDisk: await footprint(content.directory, join(home, 'snapshots')),
    }),

    build: (request, context, signal) =>
      trackedEvents(
        buildImage(
          {
            content,
            store: images,
            snapshots,
            temporary,
            find,
            pull: options.registries && ((ref, request, ended) => pullImage(pulling, ref, request, ended)),
            name,
            tagName,
            built: (image, label) => emit('build', image, label),
            runProgram: options.runProgram,
            transport: options.transport,
          },
          request,
          context,
          untilClosed(signal),
        ),
      ),

    async importModule(bytes, { fileName, reference }) {
      const full = reference === '' ? undefined : tagName(reference);
      const image = await during(importModule({ content, store: images, temporary }, bytes, fileName));
      emit('import', image, full === undefined ? image.id : familiar(full));
      if (full !== undefined) await during(name(image, full));
      return viewOf(images, image);
    },

    async *load(tar) {
      for await (const loaded of loadImages(
        { content, store: images, snapshots, name: (image, full) => during(name(image, full)) },
        tar,
      )) {
        emit('load', find(loaded.id), loaded.reference ?? loaded.id);
        yield loaded;
      }
    },

    save: (refs) => saveImages({ content, store: images }, refs),

    async importRoot(tar, request) {
      const full = request.reference === '' ? undefined : tagName(request.reference);
      const image = await during(importRoot({ content, store: images }, tar, request));
      emit('import', image, full === undefined ? image.id : familiar(full));
      if (full !== undefined) await during(name(image, full));
      return viewOf(images, image);
    },

    async commit({ base, config, reference, changes, ...rest }) {
      const full = reference === '' ? undefined : tagName(reference);
      const runtime = await applyChanges(runtimeOf(config), changes);
      // A container keeps its image's id: the image may have been removed by force.
      const from = images.images.get(base) ?? find(base);
      const image = await during(commitImage({ content, store: images }, { ...rest, base: from, runtime }));
      if (full !== undefined) await during(name(image, full));
      return viewOf(images, image);
    },

    check: (signal) => trackedEvents(check(untilClosed(signal))),
    repair: (ref, { auth }, signal) => {
      const lost = images.lost.get(lostKey(ref) ?? '');
      const until = untilClosed(signal);
      return trackedEvents(
        lost ? repairLost(pulling, lost, auth, until) : repairImage(repairing, find(ref), auth, until),
      );
    },
    pull: (ref, request, signal) => trackedEvents(pullImage(pulling, ref, request, untilClosed(signal))),
    push: (ref, request, signal) => trackedEvents(pushImage(pushing, ref, request, untilClosed(signal))),
    async setPushFormat(ref, format) {
      await during(images.setPushFormat(named(ref).full, format));
    },
    pushFormat(ref) {
      const { image, full } = named(ref);
      return image.names.get(full)?.pushFormat;
    },

    describe: describeFile,
    module: (ref) => during(moduleOf(find(ref))),

    async snapshot(id) {
      // A container keeps its image's id: it may be started after the image was removed by force.
      return snapshot(images.images.get(id) ?? find(id));
    },

    sweep: () => inTurn(sweep),

    async close() {
      ending.abort();
      while (running.size > 0) await Promise.all(running);
    },
  };
}

/** The full name of a tag to be given. @throws invalid */
function tagName(target: string): string {
  const reference = parseReference(target);
  if (reference.digest !== undefined)
    throw invalid('refusing to create a tag with a digest reference', { data: { reference: target } });
  return fullName(withDefaultTag(reference));
}
