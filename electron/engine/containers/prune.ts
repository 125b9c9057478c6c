/** `docker container prune`: everything that neither runs nor is about to. */
import type { Filters, PruneResult } from '../api/index.ts';
import { pruneLabelsMatch, untilOf } from '../filters.ts';
import { directorySize } from '../usage/directory-size.ts';
import type { Container } from './container.ts';
import type { Context } from './context.ts';
import { destroy } from './remove.ts';

/** @throws invalid */
export async function prune(context: Context, filters: Filters): Promise<PruneResult> {
  const until = untilOf(filters);
  const idle = (container: Container): boolean =>
    !container.isLive && !container.starting && !container.removing && container.state !== 'restarting';
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const container of [...context.store.all()]) {
    if (!idle(container)) continue;
    if (!pruneLabelsMatch(filters, container.record.config.labels)) continue;
    if (until !== undefined && Date.parse(container.record.created) > until) continue;
    const size = await directorySize(container.directory);
    if (!idle(container)) continue;
    destroy(context, container, { volumes: false });
    deleted.push(container.id);
    reclaimed += size;
  }
  return { deleted, reclaimed };
}
