import { randomFillSync } from 'node:crypto';
import { errno } from './errno.ts';
import { guarded, type Family, type Host } from './host.ts';

/** Small requests are served from a pool: one call into the generator costs more than the bytes. */
const POOL = 4096;
const SMALL = 256;
/** Large ones are filled in parts of so many bytes, so that the guest can be ended in between. */
const PART = 1 << 24;

export function randomFamily({ memory }: Pick<Host, 'memory'>): Family {
  const pool = Buffer.alloc(POOL);
  let used = POOL;
  return guarded(memory, {
    random_get: (pointer: number, length: number) => {
      const into = memory.slice(pointer, length);
      if (into.length === 0) return errno.success;
      if (into.length > SMALL) {
        for (let at = 0; at < into.length; at += PART) randomFillSync(into.subarray(at, at + PART));
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
