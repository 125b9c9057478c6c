/** `docker ps`. */
import type { ContainerView, ListOptions } from '../api/index.ts';
import type { Context } from './context.ts';
import { containerFilter, impliesAll } from './filter.ts';

/** Newest first. `limit` implies stopped ones, as in moby. @throws invalid, notFound */
export function list(context: Pick<Context, 'store' | 'images'>, options: ListOptions): readonly ContainerView[] {
  const wanted = containerFilter(options.filters, {
    get: (ref) => context.store.find(ref).view(),
    images: context.images,
  });
  const limit = options.limit !== undefined && options.limit > 0 ? options.limit : Infinity;
  const all = options.all || limit !== Infinity || impliesAll(options.filters);
  const found: ContainerView[] = [];
  for (const container of [...context.store.all()].reverse()) {
    if (found.length >= limit) break;
    if (!all && !container.isLive && container.state !== 'restarting') continue;
    const view = container.view();
    if (wanted(view)) found.push(view);
  }
  return found;
}
