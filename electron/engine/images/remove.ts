import { conflict } from '../../base/errors.ts';
import type { DeletedImage } from '../api/images.ts';
import type { StoredImage } from './image.ts';
import { isDangling } from './list.ts';
import { familiar, fullName, parseReference, withDefaultTag } from './references.ts';
import { isIdReference, resolveImage } from './resolve.ts';
import type { ImageStore } from './store.ts';
import { goneWith } from './layer-sizes.ts';

/** What removing needs to know and do besides the store. */
export interface RemovalWorld {
  readonly store: ImageStore;
  readonly usedBy: (imageId: string) => readonly { readonly id: string; readonly running: boolean }[];
  /** True for an image that is just being pulled, loaded or built. */
  readonly isLeased: (imageId: string) => boolean;
  readonly emit: (action: string, image: StoredImage, name: string) => void;
  /** Removes blobs that nothing refers to any more. */
  readonly release: (digests: readonly string[]) => Promise<unknown>;
}

export interface Removal {
  readonly deleted: DeletedImage[];
  /** Bytes of the files in layers that nothing has any more, as `docker system df` counts them. */
  freed: number;
}

const short = (id: string): string => id.replace(/^sha256:/, '').slice(0, 12);

/**
 * `docker rmi`, by the rules of moby's daemon/images/image_delete.go: a name goes first; the image goes with its last name; parents without a name
 * that nothing else needs go with it when `prune`. @throws notFound, conflict in moby's words
 */
export async function removeImage(
  world: RemovalWorld,
  ref: string,
  options: { readonly force: boolean; readonly prune: boolean },
): Promise<Removal> {
  const { store } = world;
  const image = resolveImage(store, ref);
  const removal: Removal = { deleted: [], freed: 0 };
  let quiet = false;
  if (!isIdReference(ref, image.id)) {
    const name = fullName(withDefaultTag(parseReference(ref)));
    const user = world.usedBy(image.id)[0];
    if (!options.force && isSingleReference(image) && user)
      throw conflict(
        `conflict: unable to remove repository reference "${ref}" (must force) - container ${short(user.id)} is using its referenced image ${short(image.id)}`,
        { hint: 'Remove the container first, or force the removal.', data: { image: image.id, container: user.id } },
      );
    await untag(world, image, image.names.has(name) ? name : withoutTag(name), removal);
    await dropOrphanedDigests(world, image, name, removal);
    if (image.names.size > 0) return removal;
    quiet = true;
  } else if (isSingleReference(image)) {
    const problem = conflictOf(world, image, { force: options.force, named: false });
    if (problem) throw conflictError(image, problem);
    for (const name of [...image.names.keys()]) await untag(world, image, name, removal);
  }
  await deleteImage(world, image, { ...options, quiet }, removal);
  return removal;
}

/** One name with the digests of its own repository counts as one. */
function isSingleReference(image: StoredImage): boolean {
  const references = [...image.names.keys()].map(parseReference);
  if (references.length <= 1) return true;
  const repositories = new Set(references.map(({ domain, path }) => `${domain}/${path}`));
  return repositories.size === 1 && references.filter(({ digest }) => digest === undefined).length <= 1;
}

const withoutTag = (name: string): string => fullName({ ...parseReference(name), tag: undefined });

async function untag(world: RemovalWorld, image: StoredImage, name: string, removal: Removal): Promise<void> {
  await world.store.unname(name);
  removal.deleted.push({ untagged: familiar(name) });
  world.emit('untag', image, familiar(name));
}

/** When the last tag of a repository goes, its digests go too: they only say where that tag came from. */
async function dropOrphanedDigests(world: RemovalWorld, image: StoredImage, name: string, removal: Removal) {
  const gone = parseReference(name);
  if (gone.digest !== undefined) return;
  const same = [...image.names.keys()].filter((other) => {
    const { domain, path } = parseReference(other);
    return domain === gone.domain && path === gone.path;
  });
  if (same.some((other) => parseReference(other).digest === undefined)) return;
  for (const other of same) await untag(world, image, other, removal);
}

interface Conflict {
  readonly hard: boolean;
  readonly used: boolean;
  readonly message: string;
}

function conflictOf(
  world: RemovalWorld,
  image: StoredImage,
  options: { readonly force: boolean; readonly named: boolean },
): Conflict | undefined {
  if (world.store.children(image.id) > 0)
    return { hard: true, used: false, message: 'image has dependent child images' };
  if (world.isLeased(image.id))
    return { hard: true, used: true, message: 'image is just being pulled, loaded or built' };
  const users = world.usedBy(image.id);
  const running = users.find((user) => user.running);
  if (running)
    return { hard: true, used: true, message: `image is being used by running container ${short(running.id)}` };
  if (options.force) return undefined;
  if (options.named && image.names.size > 0)
    return { hard: false, used: false, message: 'image is referenced in multiple repositories' };
  const stopped = users[0];
  return stopped
    ? { hard: false, used: true, message: `image is being used by stopped container ${short(stopped.id)}` }
    : undefined;
}

const conflictError = (image: StoredImage, { hard, message }: Conflict) =>
  conflict(
    `conflict: unable to delete ${short(image.id)} (${hard ? 'cannot be forced' : 'must be forced'}) - ${message}`,
    {
      hint: hard
        ? 'Remove what depends on it first, or wait for what makes it.'
        : 'Force the removal, or remove what uses it first.',
      data: { image: image.id },
    },
  );

/** `quiet`: a name was removed already, or this is a parent; then a conflict only ends the removal. */
async function deleteImage(
  world: RemovalWorld,
  image: StoredImage,
  options: { readonly force: boolean; readonly prune: boolean; readonly quiet: boolean },
  removal: Removal,
): Promise<void> {
  const { store } = world;
  const problem = conflictOf(world, image, { force: options.force, named: true });
  if (problem) {
    if (options.quiet && (!isDangling(store, image) || problem.used)) return;
    throw conflictError(image, problem);
  }
  const parent = image.facts.parent;
  for (const name of [...image.names.keys()]) await untag(world, image, name, removal);
  // A stopped container of a forcibly removed image can still be started: what it needs stays, hidden.
  if (world.usedBy(image.id).length > 0) await store.detach(image.id);
  else {
    await world.release(await store.delete(image.id));
    removal.freed += goneWith(store, image);
  }
  removal.deleted.push({ deleted: image.id });
  world.emit('delete', image, image.id);
  const above = options.prune ? store.images.get(parent) : undefined;
  if (above && above.names.size === 0)
    await deleteImage(world, above, { force: false, prune: true, quiet: true }, removal);
}
