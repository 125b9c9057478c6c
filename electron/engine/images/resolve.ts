import { invalid, notFound } from '../../base/errors.ts';
import type { StoredImage } from './image.ts';
import { familiarName, fullName, isDigest, parseReference, withDefaultTag, type Reference } from './references.ts';
import type { ImageStore } from './store.ts';

const minimumPrefix = 1;

/**
 * The image that a client means: a name first, then an id or a prefix of one, as moby looks it up. Hidden images are not found.
 * @throws notFound `No such image: t:latest`, invalid for an ambiguous prefix or what is neither a name nor an id
 */
export function resolveImage(store: ImageStore, ref: string): StoredImage {
  const full = /^[0-9a-f]{64}$/.test(ref) ? `sha256:${ref}` : ref;
  if (isDigest(full)) return visible(store.images.get(full)) ?? missing(full);
  let reference: Reference | undefined;
  let problem: unknown;
  try {
    reference = withDefaultTag(parseReference(ref));
  } catch (error) {
    problem = error;
  }
  if (reference) {
    const named = visible(store.byName(fullName(reference))) ?? byDigest(store, reference);
    if (named) return named;
  }
  const byPrefix = withPrefix(store, ref);
  if (byPrefix) return byPrefix;
  if (reference) return missing(familiarName(reference));
  if (/^(sha256:)?[0-9a-f]+$/.test(ref)) return missing(ref);
  throw problem;
}

/** True when what the client gave names an image by its id: then `remove` treats all of its names alike. */
export function isIdReference(ref: string, id: string): boolean {
  const hex = ref.startsWith('sha256:') ? ref.slice('sha256:'.length) : ref;
  return hex.length >= minimumPrefix && id.slice('sha256:'.length).startsWith(hex);
}

const visible = (image: StoredImage | undefined): StoredImage | undefined =>
  image?.facts.detached ? undefined : image;

function missing(ref: string): never {
  throw notFound(`No such image: ${ref}`, { data: { reference: ref } });
}

/** `t:1@sha256:…` and `t@sha256:…` mean the image whose manifest this is, whatever the tag. */
function byDigest(store: ImageStore, reference: Reference): StoredImage | undefined {
  if (reference.digest === undefined) return undefined;
  return visible(store.byName(fullName({ ...reference, tag: undefined })));
}

function withPrefix(store: ImageStore, ref: string): StoredImage | undefined {
  const hex = /^(?:sha256:)?([0-9a-f]{1,63})$/.exec(ref)?.[1];
  if (hex === undefined) return undefined;
  const found = [...store.images.values()].filter(
    (image) => !image.facts.detached && image.id.startsWith(`sha256:${hex}`),
  );
  if (found.length > 1)
    throw invalid(`image id prefix ${ref} is ambiguous: ${found.length} images begin with it`, {
      hint: 'Give more digits.',
      data: { candidates: found.map((image) => image.id) },
    });
  return found[0];
}
