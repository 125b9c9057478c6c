import { guarded, type Family, type Host } from './host.ts';
import { StringList } from './strings.ts';

export function environFamily({ world, memory }: Host): Family {
  const list = new StringList(world.env);
  return guarded(memory, {
    environ_sizes_get: (countOut: number, bytesOut: number) => list.sizes(memory, countOut, bytesOut),
    environ_get: (pointersOut: number, bytesOut: number) => list.write(memory, pointersOut, bytesOut),
  });
}
