import { damaged, type DrydockError } from '../../base/errors.ts';
import type { StoredImage } from './image.ts';
import { parseReference } from './references.ts';
import { labelOf, type ImageStore } from './store.ts';

/** An image that lacks blobs, as whoever wants to use it is told. */
export function damagedImage(image: StoredImage, missing: readonly string[]): DrydockError {
  const label = labelOf(image);
  const cameFrom = [...image.names.keys()].some((name) => parseReference(name).digest !== undefined);
  const what = missing.length === 1 ? `blob ${missing[0]} does` : `${missing.length} of its blobs do`;
  return damaged(`image ${label} is damaged: ${what} not verify or is missing`, {
    hint: cameFrom
      ? `Repair it: docker pull ${label} fetches what is missing.`
      : 'It came from no registry that is known. Build it or load it again; if it was pushed, docker pull repairs it.',
    data: { image: image.id, missing },
  });
}

/** @throws damaged */
export function assertWhole(store: Pick<ImageStore, 'missing'>, image: StoredImage): void {
  const missing = store.missing(image);
  if (missing.length > 0) throw damagedImage(image, missing);
}
