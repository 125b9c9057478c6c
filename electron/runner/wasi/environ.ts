import type { GuestMemory } from './guest-memory.ts';
import { guarded, type Family } from './host.ts';
import { StringList } from './strings.ts';
import type { GuestWorld } from './world.ts';

export function environFamily({ world, memory }: { world: Pick<GuestWorld, 'env'>; memory: GuestMemory }): Family {
  const list = new StringList(world.env);
  return guarded(memory, {
    environ_sizes_get: (countOut: number, bytesOut: number) => list.sizes(memory, countOut, bytesOut),
    environ_get: (pointersOut: number, bytesOut: number) => list.write(memory, pointersOut, bytesOut),
  });
}
