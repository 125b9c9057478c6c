import { invalid } from '../../base/errors.ts';
import type { Filters, PruneResult } from '../api/containers.ts';
import type { BuildCacheRecord } from '../api/images.ts';
import { pruneLabelsMatch, untilOf } from '../filters.ts';
import { createdAt, type StoredImage } from './image.ts';
import { goneWith, imageLayers, isImage, layersOf, sum } from './layer-sizes.ts';
import { booleanFilter } from './list.ts';
import type { ImageStore } from './store.ts';

/**
 * The steps of builds that are not images on the list, lowest first. A step's size is that of the layers which neither an image nor an earlier step has; one whose
 * layers an image has too costs nothing of its own: it is shared.
 */
export function buildCache(store: ImageStore, isLeased: (id: string) => boolean): BuildCacheRecord[] {
  const claimed = new Set(imageLayers(store).keys());
  const ancestors = new Set<string>();
  for (const image of store.images.values()) {
    if (!isImage(store, image)) continue;
    for (let parent = image.facts.parent; parent && !ancestors.has(parent);) {
      ancestors.add(parent);
      parent = store.images.get(parent)?.facts.parent ?? '';
    }
  }
  return [...store.images.values()]
    .filter((image) => !isImage(store, image))
    .map((image) => ({ image, depth: depthOf(store, image) }))
    .sort((a, b) => a.depth - b.depth || createdAt(a.image) - createdAt(b.image))
    .map(({ image }) => {
      const own = [...layersOf(image)].filter(([diffId]) => !claimed.has(diffId));
      for (const [diffId] of own) claimed.add(diffId);
      return {
        id: image.id,
        parent: image.facts.parent,
        description: image.config.history?.at(-1)?.created_by ?? '',
        created: image.config.created ?? '',
        labels: image.config.config?.Labels ?? {},
        inUse: isLeased(image.id),
        shared: ancestors.has(image.id),
        size: sum(own.map(([, size]) => size)),
      };
    });
}

/** How many steps lie below. */
function depthOf(store: ImageStore, image: StoredImage): number {
  let depth = 0;
  for (let at = store.images.get(image.facts.parent); at; at = store.images.get(at.facts.parent)) depth++;
  return depth;
}

export interface CachePruning {
  readonly store: ImageStore;
  readonly isLeased: (imageId: string) => boolean;
  readonly release: (digests: readonly string[]) => Promise<unknown>;
}

/**
 * `docker builder prune`: the steps of builds that led to no image that is still there; with `all` also those below images, which then are built from the beginning. The
 * images themselves stay whole. Newest ones stay up to `keep` bytes. `deleted` are ids. @throws invalid for a malformed filter
 */
export async function pruneBuildCache(
  { store, isLeased, release }: CachePruning,
  { all, keep, filters }: { readonly all: boolean; readonly keep: number; readonly filters: Filters },
): Promise<PruneResult> {
  const records = buildCache(store, isLeased);
  const isChosen = chooser(filters);
  let size = sum(records.map((record) => record.size));
  const deleted: string[] = [];
  let reclaimed = 0;
  // What a step stands on is needed as long as the step is there: always the oldest of those that nothing stands on.
  const standing = new Map<string, number>();
  for (const { parent } of records) standing.set(parent, (standing.get(parent) ?? 0) + 1);
  const candidates = records
    .filter((record) => !record.inUse && (!record.shared || all) && isChosen(record))
    .sort((a, b) => (a.created < b.created ? -1 : a.created > b.created ? 1 : 0));
  while (keep === 0 || size > keep) {
    const at = candidates.findIndex((record) => (standing.get(record.id) ?? 0) === 0);
    const [record] = at < 0 ? [] : candidates.splice(at, 1);
    if (!record) break;
    const image = store.images.get(record.id);
    if (!image || isLeased(record.id)) continue;
    await release(await store.delete(record.id));
    standing.set(record.parent, (standing.get(record.parent) ?? 1) - 1);
    reclaimed += goneWith(store, image);
    size -= record.size;
    deleted.push(record.id);
  }
  return { deleted, reclaimed };
}

/** BuildKit's filters (moby: builder/builder-next, `buildkitFilters`), as far as they mean something here. @throws invalid */
function chooser(filters: Filters): (record: BuildCacheRecord) => boolean {
  // `unused-for` is the old name.
  const since = filters.get('unused-for') ?? filters.get('until');
  const until = since && untilOf(new Map([['until', since]]));
  const inUse = booleanFilter(filters, 'inuse');
  const shared = booleanFilter(filters, 'shared');
  const isPrivate = booleanFilter(filters, 'private');
  const matches = (key: string, value: string): boolean => {
    const wanted = filters.get(key);
    return !wanted || wanted.some((want) => value === want || (key === 'id' && value.startsWith(`sha256:${want}`)));
  };
  for (const type of filters.get('type') ?? [])
    if (!cacheTypes.has(type))
      throw invalid(`invalid filter 'type=${type}'`, { hint: `known types: ${[...cacheTypes].join(', ')}` });
  return (record) =>
    (until === undefined || (Date.parse(record.created) || 0) <= until) &&
    (inUse === undefined || record.inUse === inUse) &&
    (shared === undefined || record.shared === shared) &&
    (isPrivate === undefined || record.shared !== isPrivate) &&
    matches('id', record.id) &&
    matches('parent', record.parent) &&
    matches('description', record.description) &&
    matches('type', 'regular') &&
    pruneLabelsMatch(filters, record.labels);
}

const cacheTypes = new Set([
  'internal',
  'frontend',
  'source.local',
  'source.git.checkout',
  'exec.cachemount',
  'regular',
]);
