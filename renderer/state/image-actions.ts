/** What can be done to images. */
import { m } from '../i18n/generated/messages.js';
import { connection, images, operations, overlays, removals, route } from './app.svelte.ts';
import { shortId } from './image-name.ts';
import type { ImageItem } from './images.svelte.ts';

export const nameOf = (item: Pick<ImageItem, 'reference' | 'row'>): string => item.reference || shortId(item.row.id);

/** Opens the sheet for an image; a failure to read it stays with its row. */
export async function runImage(item: ImageItem): Promise<void> {
  const done = await operations.run(item.key, 'run', '', () => images.details(item.row.id));
  if (done)
    overlays.show({
      kind: 'run',
      subject: { kind: 'image', details: done.value, reference: item.reference || item.row.id },
    });
}

/** Untags one of several names, or deletes the image with its last one. */
export function removeImages(items: readonly ImageItem[], force = false): void {
  const free = items.filter((item) => item.row.usedBy.length === 0 && !force);
  // What containers use is refused by the engine: ask it at once, so that its sentence stands at the row while one still looks.
  for (const item of items) if (!free.includes(item)) removeNow(item, force);
  const [first] = free;
  if (!first) return;
  const title =
    free.length === 1 ? m.deleted_one({ name: nameOf(first) }) : m.deleted_many_images({ count: free.length });
  removals.schedule(
    free.map((item) => item.key),
    title,
    () => free.forEach((item) => removeNow(item, false)),
  );
}

function removeNow(item: ImageItem, force: boolean): void {
  const { id } = item.row;
  void operations.run(item.key, 'remove', m.doing_remove({ name: nameOf(item) }), () =>
    connection.api.images.remove({ id, force, ...(item.row.tags.length > 1 ? { reference: item.reference } : {}) }),
  );
}

export const openImage = (item: ImageItem): void => route.go({ page: 'images', id: item.row.id, tab: 'overview' });

export const showTag = (item: ImageItem): void =>
  overlays.show({ kind: 'tag', imageId: item.row.id, reference: item.reference });
