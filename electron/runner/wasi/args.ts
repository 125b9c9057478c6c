import type { GuestMemory } from './guest-memory.ts';
import { guarded, type Family } from './host.ts';
import { StringList } from './strings.ts';
import type { GuestWorld } from './world.ts';

export function argsFamily({ world, memory }: { world: Pick<GuestWorld, 'args'>; memory: GuestMemory }): Family {
  const list = new StringList(world.args);
  return guarded(memory, {
    args_sizes_get: (countOut: number, bytesOut: number) => list.sizes(memory, countOut, bytesOut),
    args_get: (pointersOut: number, bytesOut: number) => list.write(memory, pointersOut, bytesOut),
  });
}
