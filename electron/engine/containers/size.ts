/** Bytes on disk of one container. */
import { join } from 'node:path';
import { directorySize } from '../usage/directory-size.ts';
import type { Context } from './context.ts';

/** `rw`: what it wrote; `root`: that and its image. @throws notFound */
export async function size(
  context: Pick<Context, 'store' | 'images'>,
  ref: string,
): Promise<{ readonly rw: number; readonly root: number }> {
  const container = context.store.find(ref);
  const rw = await directorySize(join(container.directory, 'upper'));
  let image = 0;
  try {
    image = context.images.get(container.record.imageId).size;
  } catch {
    // The image was removed by force; its size is not known any more.
  }
  return { rw, root: rw + image };
}
