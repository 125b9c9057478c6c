/** The read-only root of a container: the snapshot of its image. */
import { statSync } from 'node:fs';
import type { ImagesApi } from '../api/index.ts';

/** Paths remembered; beyond, it begins anew. */
const limit = 1024;

/**
 * Remembers where snapshots are: asking the images costs a trip through the thread pool, a tenth of a start. An image that a container has is
 * kept by the images, and so is its snapshot; one that was swept before the container came is seen to be gone.
 */
export class Roots {
  readonly #images: Pick<ImagesApi, 'snapshot'>;
  readonly #paths = new Map<string, string>();

  constructor(images: Pick<ImagesApi, 'snapshot'>) {
    this.#images = images;
  }

  /** Host path, at once when it is known. @throws notFound, damaged, full */
  of(imageId: string): string | Promise<string> {
    const known = this.#paths.get(imageId);
    if (known !== undefined && statSync(known, { throwIfNoEntry: false })) return known;
    return this.#ask(imageId);
  }

  async #ask(imageId: string): Promise<string> {
    const path = await this.#images.snapshot(imageId);
    if (this.#paths.size >= limit) this.#paths.clear();
    this.#paths.set(imageId, path);
    return path;
  }
}
