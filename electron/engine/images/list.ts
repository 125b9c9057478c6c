import { invalid } from '../../base/errors.ts';
import type { Filters } from '../api/containers.ts';
import type { ImageView } from '../api/images.ts';
import { labelsMatch, untilOf } from '../filters.ts';
import { globPattern } from './glob.ts';
import { createdAt, type StoredImage } from './image.ts';
import { familiarName, familiarRepository, parseReference } from './references.ts';
import { resolveImage } from './resolve.ts';
import type { ImageStore } from './store.ts';
import { viewOf } from './view.ts';

/** No name, nothing built on it, and not left over from the way of a build: what `docker image prune` is for. */
export const isDangling = (store: ImageStore, image: StoredImage): boolean =>
  image.names.size === 0 && !image.facts.step && store.children(image.id) === 0;

/** `docker images`. Newest first. Without `all`, images that only lie on the way of a build are left out. */
export function listImages(
  store: ImageStore,
  { all, filters }: { readonly all: boolean; readonly filters: Filters },
): ImageView[] {
  const dangling = booleanFilter(filters, 'dangling');
  const patterns = (filters.get('reference') ?? []).map(globPattern);
  const before = bound(store, filters, 'before');
  const since = bound(store, filters, 'since');
  const until = untilOf(filters);

  const out: { readonly view: ImageView; readonly created: number }[] = [];
  for (const image of store.images.values()) {
    if (image.facts.detached) continue;
    const isNamed = image.names.size > 0;
    if (dangling === true && !isDangling(store, image)) continue;
    if (dangling === false && !isNamed) continue;
    if (!isNamed && !all && !isDangling(store, image)) continue;
    if (!labelsMatch(filters.get('label'), image.config.config?.Labels ?? {})) continue;
    const created = createdAt(image);
    if (before !== undefined && created >= before) continue;
    if (since !== undefined && created <= since) continue;
    if (until !== undefined && created > until) continue;
    const view = viewOf(store, image);
    if (patterns.length === 0) {
      out.push({ view, created });
      continue;
    }
    const repoTags = view.repoTags.filter((name) => matches(patterns, name));
    const repoDigests = view.repoDigests.filter((name) => matches(patterns, name));
    if (repoTags.length + repoDigests.length > 0) out.push({ view: { ...view, repoTags, repoDigests }, created });
  }
  return out.sort((a, b) => b.created - a.created).map((item) => item.view);
}

/** moby's reference.FamiliarMatch: a pattern covers the whole name, or the repository alone. */
function matches(patterns: readonly RegExp[], name: string): boolean {
  const reference = parseReference(name);
  const forms = [familiarName(reference), familiarRepository(reference)];
  return patterns.some((pattern) => forms.some((form) => pattern.test(form)));
}

/** @throws invalid for what is no boolean */
export function booleanFilter(filters: Filters, key: string): boolean | undefined {
  const text = filters.get(key)?.[0];
  if (text === undefined) return undefined;
  if (['1', 'true', 'True', 'TRUE', 't'].includes(text)) return true;
  if (['0', 'false', 'False', 'FALSE', 'f'].includes(text)) return false;
  throw invalid(`invalid filter '${key}=${text}'`, { hint: 'Say true or false.' });
}

/** The time when the named image was made. @throws notFound */
function bound(store: ImageStore, filters: Filters, key: string): number | undefined {
  const ref = filters.get(key)?.[0];
  return ref === undefined ? undefined : createdAt(resolveImage(store, ref));
}
