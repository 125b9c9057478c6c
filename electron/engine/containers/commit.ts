/** `docker commit`: an image of what the container has become. */
import { join } from 'node:path';
import { upperEntries } from '../builder/run.ts';
import type { CommitOptions } from '../api/index.ts';
import type { Context } from './context.ts';
import { standStill } from './pause.ts';
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
