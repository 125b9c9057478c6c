import { guarded, type Family, type Host } from './host.ts';
import { StringList } from './strings.ts';

export function argsFamily({ world, memory }: Host): Family {
  const list = new StringList(world.args);
  return guarded(memory, {
    args_sizes_get: (countOut: number, bytesOut: number) => list.sizes(memory, countOut, bytesOut),
    args_get: (pointersOut: number, bytesOut: number) => list.write(memory, pointersOut, bytesOut),
  });
}
