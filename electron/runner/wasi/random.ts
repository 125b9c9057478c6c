import { randomFillSync } from 'node:crypto';
import { errno } from './errno.ts';
import { guarded, type Family, type Host } from './host.ts';

/** Small requests are served from a pool: one call into the generator costs more than the bytes. */
const POOL = 4096;
const SMALL = 256;

export function randomFamily({ memory }: Pick<Host, 'memory'>): Family {
  const pool = Buffer.alloc(POOL);
  let used = POOL;
  return guarded(memory, {
    random_get: (pointer: number, length: number) => {
      const into = memory.slice(pointer, length);
      if (into.length === 0) return errno.success;
      if (into.length > SMALL) {
        randomFillSync(into);
        return errno.success;
      }
      if (used + into.length > POOL) {
        randomFillSync(pool);
        used = 0;
      }
      into.set(pool.subarray(used, used + into.length));
      // Nothing that was handed out stays here.
      pool.fill(0, used, used + into.length);
      used += into.length;
      return errno.success;
    },
  });
}
