import type { Filters, PruneResult } from '../api/containers.ts';
import { pruneLabelsMatch, untilOf } from '../filters.ts';
import { DrydockError } from '../../base/errors.ts';
import { createdAt } from './image.ts';
import { booleanFilter } from './list.ts';
import { parseReference } from './references.ts';
import { removeImage, type RemovalWorld } from './remove.ts';

/**
 * `docker image prune`: images without a name that nothing is built on, the remains of builds among them; with `dangling=false` all images that
 * no container uses. `deleted` holds names that were taken away and, as `sha256:…`, the ids of images that are gone.
 * Images in use are left alone. @throws invalid for a malformed filter
 */
export async function pruneImages(world: RemovalWorld, filters: Filters): Promise<PruneResult> {
  const { store } = world;
  const onlyDangling = booleanFilter(filters, 'dangling') ?? true;
  const until = untilOf(filters);
  const chosen = [...store.images.values()].filter((image) => {
    if (image.facts.detached) return false;
    if (image.names.size === 0 && store.children(image.id) > 0) return false;
    if (until !== undefined && (createdAt(image) || Date.parse(image.tagged) || 0) > until) return false;
    return pruneLabelsMatch(filters, image.config.config?.Labels ?? {});
  });
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const image of chosen) {
    // A parent may have gone with its child.
    if (!store.images.has(image.id)) continue;
    const names = [...image.names.keys()];
    if (onlyDangling && names.some((name) => parseReference(name).digest === undefined)) continue;
    for (const ref of names.length > 0 ? names : [image.id]) {
      try {
        const removal = await removeImage(world, ref, { force: false, prune: true });
        reclaimed += removal.freed;
        for (const item of removal.deleted) deleted.push('deleted' in item ? item.deleted : item.untagged);
      } catch (error) {
        if (!(error instanceof DrydockError && (error.kind === 'conflict' || error.kind === 'notFound'))) throw error;
      }
    }
  }
  return { deleted, reclaimed };
}
