/** `docker commit`: an image of what the container has become. */
import { join } from 'node:path';
import { upperEntries } from '../builder/run.ts';
import type { CommitOptions } from '../api/index.ts';
import type { Container } from './container.ts';
import type { Context } from './context.ts';
import { announce } from './transitions.ts';

/** @throws notFound, conflict while it is being removed, invalid for bad changes or a bad name, full */
export async function commit(
  context: Pick<Context, 'store' | 'images' | 'emit'>,
  ref: string,
  { pause, ...options }: CommitOptions,
): Promise<{ readonly id: string }> {
  const container = context.store.find(ref);
  const resume = pause ? standStill(container) : () => {};
  try {
    const image = await context.images.commit({
      base: container.record.imageId,
      config: container.record.config,
      createdBy: [container.record.path, ...container.record.args].join(' '),
      entries: upperEntries(join(container.directory, 'upper')),
      ...options,
    });
    announce(context, container, 'commit', {
      comment: options.comment,
      imageID: image.id,
      imageRef: options.reference,
    });
    return { id: image.id };
  } finally {
    resume();
  }
}

/** The program stands still while its files are read, where that can be done; the container's state does not show it. */
function standStill({ active, state }: Container): () => void {
  if (!active || state !== 'running') return () => {};
  try {
    active.run.pause();
  } catch {
    // Windows, or a process that others live in: the files are read as they come.
    return () => {};
  }
  return () => active.run.resume();
}
