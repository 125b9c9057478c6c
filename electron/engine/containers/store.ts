/** All containers of the engine, findable by id, name and prefix. Names are reserved before anything is made, so that of many only one gets it. */
import { conflict, invalid, notFound } from '../../base/errors.ts';
import type { Container } from './container.ts';

export class ContainerStore {
  /** In the order of creation. */
  readonly #byId = new Map<string, Container>();
  readonly #names = new Map<string, string>();
  readonly #byImage = new Map<string, Set<Container>>();
  /** Images of containers that are being created. */
  readonly #pending = new Map<string, { readonly imageId: string; readonly image: string }>();

  /** Keeps the name and the image for a container that is about to be. @throws invalid, conflict with moby's texts */
  reserve(id: string, name: string, from: { readonly imageId: string; readonly image: string }): void {
    this.#claim(name, id);
    this.#pending.set(id, from);
  }

  /** The creation failed. */
  abandon(id: string, name: string): void {
    this.#pending.delete(id);
    if (this.#names.get(name) === id) this.#names.delete(name);
  }

  isTaken(name: string): boolean {
    return this.#names.has(name);
  }

  add(container: Container): void {
    const { id, record } = container;
    this.#pending.delete(id);
    this.#byId.set(id, container);
    this.#names.set(record.name, id);
    const sameImage = this.#byImage.get(record.imageId);
    if (sameImage) sameImage.add(container);
    else this.#byImage.set(record.imageId, new Set([container]));
  }

  delete(container: Container): void {
    const { id, record } = container;
    this.#byId.delete(id);
    if (this.#names.get(record.name) === id) this.#names.delete(record.name);
    const sameImage = this.#byImage.get(record.imageId);
    if (sameImage?.delete(container) && sameImage.size === 0) this.#byImage.delete(record.imageId);
  }

  /** Takes the new name; the caller gives the old one up with `release` once the record is written. @throws invalid, conflict */
  claim(container: Container, name: string): void {
    this.#claim(name, container.id);
  }

  release(container: Container, name: string): void {
    if (this.#names.get(name) === container.id) this.#names.delete(name);
  }

  get(id: string): Container | undefined {
    return this.#byId.get(id);
  }

  /** Full id, then name, then unique prefix of an id. @throws notFound, invalid */
  find(ref: string): Container {
    const byId = this.#byId.get(ref);
    if (byId) return byId;
    const name = ref.startsWith('/') ? ref.slice(1) : ref;
    const byName = this.#byId.get(this.#names.get(name) ?? '');
    if (byName) return byName;
    let found: Container | undefined;
    if (/^[0-9a-f]{1,64}$/.test(ref)) {
      for (const [id, container] of this.#byId) {
        if (!id.startsWith(ref)) continue;
        if (found) {
          throw invalid(`Multiple IDs found with provided prefix: ${ref}`, { hint: 'Give more of the id.' });
        }
        found = container;
      }
    }
    if (!found) throw notFound(`No such container: ${ref}`, { data: { container: ref } });
    return found;
  }

  all(): IterableIterator<Container> {
    return this.#byId.values();
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Who needs an image, containers in the making included. */
  usersOf(imageId: string): { readonly id: string; readonly running: boolean; readonly image: string }[] {
    const users = [...(this.#byImage.get(imageId) ?? [])].map((container) => ({
      id: container.id,
      running: container.isLive || container.starting !== undefined,
      image: container.record.config.image,
    }));
    for (const [id, pending] of this.#pending)
      if (pending.imageId === imageId) users.push({ id, running: false, image: pending.image });
    return users;
  }

  #claim(name: string, id: string): void {
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name))
      throw invalid(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
    const holder = this.#names.get(name);
    if (holder !== undefined) {
      throw conflict(
        `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
        { data: { name, container: holder } },
      );
    }
    this.#names.set(name, id);
  }
}
