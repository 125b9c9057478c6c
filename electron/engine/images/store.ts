import { damaged } from '../../base/errors.ts';
import { digestOf, type Content, type Lease } from './content.ts';
import { blobsOf, chainIdsOf, type ImageFacts, type StoredImage } from './image.ts';
import type { PushFormat } from '../api/images.ts';
import { peekInto } from './formats/peek.ts';
import { recognise, type Recognised } from './formats/recognise.ts';
import { annotations, type IndexFile } from './index-file.ts';
import { mediaTypes, parseManifest, type Descriptor, type ImageConfigFile, type Manifest } from './oci.ts';
import { familiar, parseReference } from './references.ts';

/** An image to be added. Its layers' blobs are in the content store, held by a lease. */
export interface NewImage {
  readonly config: ImageConfigFile;
  readonly layers: readonly Descriptor[];
  readonly facts: Partial<ImageFacts>;
}

/** All images in memory, and the only writer of the index. Reads are synchronous; writes answer when they are on disk. */
export interface ImageStore {
  readonly images: ReadonlyMap<string, StoredImage>;
  byName(full: string): StoredImage | undefined;
  /** Images whose parent this is. */
  children(id: string): number;
  byBuildKey(key: string): readonly StoredImage[];
  byLayerKey(key: string): StoredImage | undefined;
  isReferenced(digest: string): boolean;
  /** The blobs of an image that are not there, because they were found damaged: nothing can be made of it then. */
  missing(image: StoredImage): readonly string[];
  /** Entries of the index that cannot be read, by name or manifest digest. They stay, so that they can be repaired. */
  readonly lost: ReadonlyMap<string, LostEntry>;
  /** Drops a lost entry. */
  forget(key: string): Promise<void>;
  /** True when some image has a layer with this diffID. */
  hasLayer(diffId: string): boolean;
  /** Parents first. Ids that are there already keep their facts, but are no longer steps when the new one is none. */
  add(lease: Lease, images: readonly NewImage[]): Promise<readonly StoredImage[]>;
  /**
   * An image from elsewhere (pull, load): its manifest, config and layers are in the content store, held by the lease, and stay as they are byte for byte. The
   * lease holds the image as well.
   * @throws what `formats/recognise.ts` throws, damaged when a blob is missing or manifest and config disagree
   */
  adopt(lease: Lease, manifest: Descriptor, facts: Partial<ImageFacts>): Promise<StoredImage>;
  /** Records what a layer's files take, known once it was unpacked. */
  measure(sizes: ReadonlyMap<string, number>): Promise<void>;
  /** What a push under this name sends; undefined = the image as it is stored. */
  setPushFormat(full: string, format: PushFormat | undefined): Promise<void>;
  /** Says that an image is a build's result, not only on the way to one. */
  keep(id: string): Promise<StoredImage>;
  /** Moves the name when another image had it. */
  name(id: string, ...fulls: string[]): Promise<void>;
  unname(full: string): Promise<void>;
  /** Takes the image off the list, names and all; answers the blobs that may now be unused. */
  delete(id: string): Promise<readonly string[]>;
  /** Keeps what a container needs of an image, but out of sight. */
  detach(id: string): Promise<void>;
}

/** An image whose manifest or config is damaged, so that nothing is known of it but what the index says. */
export interface LostEntry {
  readonly entry: Descriptor;
  /** Full name; '' = none. */
  readonly name: string;
  /** A sentence. */
  readonly problem: string;
}

export interface StoreOpening {
  readonly store: ImageStore;
  /** One sentence for each entry that could not be used whole. */
  readonly notes: readonly string[];
}

/**
 * Reads the index and every config. An image that lacks layers is on the list all the same, and so is damaged; an entry without a manifest or config is kept,
 * but lost. Both with a note.
 */
export async function openStore(content: Content, file: IndexFile): Promise<StoreOpening> {
  const images = new Map<string, StoredImage>();
  const names = new Map<string, string>();
  const childrenOf = new Map<string, Set<string>>();
  const buildKeys = new Map<string, Set<string>>();
  const layerKeys = new Map<string, string>();
  const references = new Map<string, number>();
  const layers = new Map<string, number>();
  const lost = new Map<string, LostEntry>();
  const notes: string[] = [];

  const count = (image: StoredImage, step: 1 | -1): void => {
    for (const digest of blobsOf(image)) add(references, digest, step);
    for (const diffId of image.config.rootfs.diff_ids) add(layers, diffId, step);
  };
  const insert = (image: StoredImage): void => {
    images.set(image.id, image);
    count(image, 1);
    const { parent, buildKey, layerKey } = image.facts;
    if (parent) into(childrenOf, parent, image.id);
    if (buildKey) into(buildKeys, buildKey, image.id);
    if (layerKey) layerKeys.set(layerKey, image.id);
    for (const name of image.names.keys()) names.set(name, image.id);
  };
  const take = (image: StoredImage): void => {
    images.delete(image.id);
    count(image, -1);
    const { parent, buildKey, layerKey } = image.facts;
    out(childrenOf, parent, image.id);
    out(buildKeys, buildKey, image.id);
    if (layerKeys.get(layerKey) === image.id) layerKeys.delete(layerKey);
    for (const name of image.names.keys()) names.delete(name);
  };
  const present = (id: string): StoredImage => {
    const image = images.get(id);
    if (!image) throw damaged(`image ${id} was removed meanwhile`);
    return image;
  };

  // One writer; a write that has not begun serves everybody who asks meanwhile.
  let running: Promise<void> = Promise.resolve();
  let queued: Promise<void> | undefined;
  const save = (): Promise<void> => {
    queued ??= running = running
      .catch(() => undefined)
      .then(async () => {
        queued = undefined;
        const entries = [...[...images.values()].flatMap(entriesOf), ...[...lost.values()].map(({ entry }) => entry)];
        await content.sync();
        await file.write(entries);
      });
    return queued;
  };

  for (const entry of await file.read()) {
    try {
      await read(entry);
    } catch (error) {
      const name = entry.annotations?.[annotations.name] ?? '';
      const problem = (error as Error).message;
      lost.set(name || entry.digest, { entry, name, problem });
      notes.push(`the image ${name ? familiar(name) : entry.digest} cannot be read: ${problem}`);
    }
  }
  for (const image of images.values()) {
    const gone = missing(image);
    if (gone.length > 0) notes.push(`the image ${labelOf(image)} is damaged: ${gone.join(', ')} is not there`);
  }

  async function read(entry: Descriptor): Promise<void> {
    const about = entry.annotations ?? {};
    const name = about[annotations.name];
    const manifest = parseManifest(await content.text(entry.digest), `manifest ${entry.digest}`);
    const known = images.get(manifest.config.digest) ?? images.get(entry.digest);
    if (!known) await putWrongSizesAside(manifest);
    const image = known ?? (await readImage(entry, manifest));
    if (known && name === undefined) return;
    if (known) take(known);
    if (name !== undefined) {
      parseReference(name);
      const format = about[annotations.pushFormat];
      image.names.set(name, {
        manifest: bare(entry),
        tagged: about[annotations.tagged] ?? '',
        ...((format === 'image' || format === 'artifact') && { pushFormat: format }),
      });
    }
    image.tagged = [image.tagged, about[annotations.tagged] ?? ''].sort().at(-1) ?? '';
    insert(image);
  }

  /** What has another size than it should does not verify: it is put aside, so that every blob that is there may be taken for whole. */
  async function putWrongSizesAside(manifest: Manifest): Promise<void> {
    for (const { digest, size } of manifest.layers)
      if (content.has(digest) && (await content.size(digest).catch(() => -1)) !== size)
        await content.quarantine(digest);
  }

  function missing(image: StoredImage): readonly string[] {
    return [...new Set(blobsOf(image))].filter((digest) => !content.has(digest));
  }

  const isWhole = (image: StoredImage): boolean => blobsOf(image).every((digest) => content.has(digest));

  async function checkLayers(manifest: Manifest): Promise<void> {
    for (const layer of manifest.layers) {
      const size = await content.size(layer.digest);
      if (size !== layer.size) throw damaged(`blob ${layer.digest} has ${size} bytes instead of ${layer.size}`);
    }
  }

  async function readImage(entry: Descriptor, manifest: Manifest): Promise<StoredImage> {
    const facts = factsOf(entry, manifest);
    const recognised = await recognise(manifest, await content.text(manifest.config.digest), {
      peek: peekInto(content),
      moduleName: facts.moduleName || undefined,
      what: `manifest ${entry.digest}`,
    });
    if (recognised.config.rootfs.diff_ids.length !== manifest.layers.length)
      throw damaged(
        `config ${manifest.config.digest} and manifest ${entry.digest} disagree about the number of layers`,
      );
    return make(recognised, bare(entry), facts);
  }

  /** Puts an image on the list, or what is new about one that is there. */
  const join = (image: StoredImage): StoredImage => {
    const known = images.get(image.id);
    if (!known) {
      insert(image);
      return image;
    }
    take(known);
    if (!isWhole(known) && isWhole(image)) return replace(known, image);
    known.facts.detached = false;
    known.facts.step &&= image.facts.step;
    known.facts.parent ||= image.facts.parent;
    known.facts.buildKey ||= image.facts.buildKey;
    known.facts.layerKey ||= image.facts.layerKey;
    insert(known);
    return known;
  };

  /** The same image from elsewhere, whose layers may be packed in another way, in place of a damaged one. */
  const replace = (known: StoredImage, image: StoredImage): StoredImage => {
    const { layerSizes, verbatim, moduleName } = image.facts;
    const facts = { ...known.facts, detached: false, step: false, layerSizes, verbatim, moduleName };
    const better: StoredImage = { ...image, facts, tagged: known.tagged, names: new Map() };
    for (const [full, name] of known.names) better.names.set(full, { ...name, manifest: image.descriptor });
    insert(better);
    return better;
  };

  /** Lost entries that mean this very manifest are found again. */
  const findAgain = (image: StoredImage): void => {
    for (const [key, { entry, name }] of lost) {
      if (entry.digest !== image.descriptor.digest) continue;
      lost.delete(key);
      if (name === '' || names.has(name)) continue;
      take(image);
      image.names.set(name, { manifest: image.descriptor, tagged: entry.annotations?.[annotations.tagged] ?? '' });
      insert(image);
    }
  };

  const store: ImageStore = {
    images,
    lost,
    missing,
    hasLayer: (diffId) => layers.has(diffId),
    async forget(key) {
      if (lost.delete(key)) await save();
    },
    byName(full) {
      const id = names.get(full);
      return id === undefined ? undefined : images.get(id);
    },
    children: (id) => childrenOf.get(id)?.size ?? 0,
    byBuildKey: (key) => [...(buildKeys.get(key) ?? [])].map(present).filter(isWhole),
    byLayerKey(key) {
      const id = layerKeys.get(key);
      const image = id === undefined ? undefined : images.get(id);
      return image && isWhole(image) ? image : undefined;
    },
    isReferenced: (digest) => references.has(digest),

    async add(lease, additions) {
      const written = await Promise.all(additions.map((addition) => writeImage(lease, addition)));
      for (const { id } of written) lease.keepImage(id);
      const added = written.map(join);
      added.forEach(findAgain);
      await save();
      return added;
    },

    async adopt(lease, manifest, facts) {
      const parsed = parseManifest(await content.text(manifest.digest), `manifest ${manifest.digest}`);
      await checkLayers(parsed);
      const moduleName = facts.moduleName && { annotations: { [annotations.moduleName]: facts.moduleName } };
      const image = await readImage({ ...bare(manifest), ...moduleName }, parsed);
      lease.keepImage(image.id);
      const added = join({ ...image, facts: { ...image.facts, ...facts } });
      findAgain(added);
      await save();
      return added;
    },

    async measure(sizes) {
      let changed = false;
      for (const image of images.values()) {
        const layerSizes = image.config.rootfs.diff_ids.map(
          (diffId, at) => sizes.get(diffId) ?? image.facts.layerSizes[at] ?? 0,
        );
        if (layerSizes.every((size, at) => size === image.facts.layerSizes[at])) continue;
        image.facts.layerSizes = layerSizes;
        changed = true;
      }
      if (changed) await save();
    },

    async setPushFormat(full, format) {
      const image = store.byName(full);
      const name = image?.names.get(full);
      if (!image || !name || name.pushFormat === format) return;
      const { pushFormat: _, ...rest } = name;
      image.names.set(full, { ...rest, ...(format !== undefined && { pushFormat: format }) });
      await save();
    },

    async keep(id) {
      const image = present(id);
      if (image.facts.step) {
        image.facts.step = false;
        await save();
      }
      return image;
    },

    async name(id, ...fulls) {
      const image = present(id);
      const formats = new Map(fulls.map((full) => [full, store.byName(full)?.names.get(full)?.pushFormat]));
      for (const full of fulls) {
        const previous = store.byName(full);
        if (!previous || previous === image) continue;
        take(previous);
        previous.names.delete(full);
        insert(previous);
      }
      take(image);
      image.tagged = new Date().toISOString();
      for (const full of fulls) {
        const pushFormat = formats.get(full);
        image.names.set(full, {
          manifest: image.descriptor,
          tagged: image.tagged,
          ...(pushFormat !== undefined && { pushFormat }),
        });
      }
      image.facts.step = false;
      insert(image);
      for (const full of fulls) lost.delete(full);
      await save();
    },

    async unname(full) {
      const image = store.byName(full);
      if (!image) return;
      take(image);
      image.names.delete(full);
      insert(image);
      await save();
    },

    async delete(id) {
      const image = present(id);
      const blobs = blobsOf(image);
      take(image);
      await save();
      return blobs;
    },

    async detach(id) {
      const image = present(id);
      take(image);
      image.names.clear();
      Object.assign(image.facts, { detached: true, parent: '', buildKey: '', layerKey: '' });
      insert(image);
      await save();
    },
  };

  async function writeImage(lease: Lease, { config, layers, facts }: NewImage): Promise<StoredImage> {
    const configBlob = await lease.putBytes(Buffer.from(JSON.stringify(config)));
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: { mediaType: mediaTypes.config, ...configBlob },
      layers,
    };
    const manifestBlob = await lease.putBytes(Buffer.from(JSON.stringify(manifest)));
    const descriptor = { mediaType: mediaTypes.manifest, ...manifestBlob };
    return make({ format: 'image', config, manifest, idBy: 'config' }, descriptor, { ...noFacts(layers), ...facts });
  }

  return { store, notes };
}

/** The id that an image with this config will have. */
export const idOf = (config: ImageConfigFile): string => digestOf(JSON.stringify(config));

const noFacts = (layers: readonly Descriptor[]): ImageFacts => ({
  parent: '',
  buildKey: '',
  layerKey: '',
  step: false,
  detached: false,
  layerSizes: layers.map((layer) => layer.size),
  moduleName: '',
  verbatim: false,
});

function make({ format, config, manifest, idBy }: Recognised, descriptor: Descriptor, facts: ImageFacts): StoredImage {
  const id = idBy === 'config' ? manifest.config.digest : descriptor.digest;
  const chainIds = chainIdsOf(config.rootfs.diff_ids, manifest.layers);
  return { id, format, config, manifest, descriptor, chainIds, names: new Map(), facts, tagged: '' };
}

const bare = ({ mediaType, digest, size }: Descriptor): Descriptor => ({ mediaType, digest, size });

function factsOf(entry: Descriptor, manifest: Manifest): ImageFacts {
  const about = entry.annotations ?? {};
  const sizes = (about[annotations.layerSizes] ?? '').split(',').filter(Boolean).map(Number);
  return {
    parent: about[annotations.parent] ?? '',
    buildKey: about[annotations.buildKey] ?? '',
    layerKey: about[annotations.layerKey] ?? '',
    step: about[annotations.step] === 'true',
    detached: about[annotations.detached] === 'true',
    layerSizes: sizes.length === manifest.layers.length ? sizes : manifest.layers.map((layer) => layer.size),
    moduleName: about[annotations.moduleName] ?? '',
    verbatim: about[annotations.verbatim] === 'true',
  };
}

function entriesOf(image: StoredImage): Descriptor[] {
  const { parent, buildKey, layerKey, step, detached, layerSizes, moduleName, verbatim } = image.facts;
  const about: Record<string, string> = {
    ...(parent && { [annotations.parent]: parent }),
    ...(buildKey && { [annotations.buildKey]: buildKey }),
    ...(layerKey && { [annotations.layerKey]: layerKey }),
    ...(step && { [annotations.step]: 'true' }),
    ...(detached && { [annotations.detached]: 'true' }),
    ...(verbatim && { [annotations.verbatim]: 'true' }),
    ...(moduleName && { [annotations.moduleName]: moduleName }),
    ...(layerSizes.length > 0 && { [annotations.layerSizes]: layerSizes.join(',') }),
  };
  if (image.names.size === 0)
    return [
      { ...image.descriptor, annotations: { ...(image.tagged && { [annotations.tagged]: image.tagged }), ...about } },
    ];
  return [...image.names].map(([name, { manifest, tagged, pushFormat }]) => {
    const { tag } = parseReference(name);
    return {
      ...manifest,
      annotations: {
        [annotations.name]: name,
        ...(tag !== undefined && { [annotations.tag]: tag }),
        [annotations.tagged]: tagged,
        ...(pushFormat !== undefined && { [annotations.pushFormat]: pushFormat }),
        ...about,
      },
    };
  });
}

function add(counts: Map<string, number>, key: string, step: 1 | -1): void {
  const left = (counts.get(key) ?? 0) + step;
  if (left <= 0) counts.delete(key);
  else counts.set(key, left);
}

/** What people call it. */
export const labelOf = (image: StoredImage): string => {
  const name = [...image.names.keys()].sort((a, b) => Number(a.includes('@')) - Number(b.includes('@')))[0];
  return name === undefined ? image.id.slice('sha256:'.length).slice(0, 12) : familiar(name);
};

function into(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key);
  if (set) set.add(value);
  else map.set(key, new Set([value]));
}

function out(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key);
  if (set?.delete(value) && set.size === 0) map.delete(key);
}
