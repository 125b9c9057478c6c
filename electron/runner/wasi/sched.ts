import { errno } from './errno.ts';
import { guarded, type Family, type Host } from './host.ts';

export function schedFamily({ memory }: Pick<Host, 'memory'>): Family {
  return guarded(memory, { sched_yield: () => errno.success });
}
