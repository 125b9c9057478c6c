import { notFound } from '../../../base/errors.ts';
import type { Context } from '../context.ts';
import type { Exec } from './exec.ts';

/** By its full id. @throws notFound in moby's words */
export function findExec({ store, timers }: Pick<Context, 'store' | 'timers'>, id: string): Exec {
  const now = timers.now();
  for (const container of store.all()) {
    const exec = container.execs.get(id, now);
    if (exec) return exec;
  }
  throw notFound(`No such exec instance: ${id}`, { data: { exec: id } });
}
