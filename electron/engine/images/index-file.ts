import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { damaged } from '../../base/errors.ts';
import { replaceFile } from './durable.ts';
import { mediaTypes, type Descriptor } from './oci.ts';
import type { Temporary } from './temporary.ts';

/** The names of the annotations: containerd's and the image spec's where they exist, our own for what Docker keeps beside an image. */
export const annotations = {
  /** docker.io/library/t:latest, or …@sha256:… */
  name: 'io.containerd.image.name',
  tag: 'org.opencontainers.image.ref.name',
  /** RFC 3339, when it got the name. */
  tagged: 'dev.drydock.tagged',
  parent: 'dev.drydock.parent',
  /** Hash of the parent, the instruction and the contents that made it: what the build cache looks for. */
  buildKey: 'dev.drydock.build-key',
  /** Hash of what its last layer holds, times left out. */
  layerKey: 'dev.drydock.layer-key',
  /** Made on the way of a build, not its result. */
  step: 'dev.drydock.step',
  /** Bytes of the files in each layer, with commas. */
  layerSizes: 'dev.drydock.layer-sizes',
  /** Name of an artifact's module. */
  moduleName: 'dev.drydock.module-name',
  /** The manifest came from elsewhere. */
  verbatim: 'dev.drydock.verbatim',
  /** What a push under this name sends: "image" or "artifact". */
  pushFormat: 'dev.drydock.push-format',
  /** Deleted by force while a container still needs its root file system: hidden, kept until the container goes. */
  detached: 'dev.drydock.detached',
} as const;

export interface IndexFile {
  read(): Promise<readonly Descriptor[]>;
  write(entries: readonly Descriptor[]): Promise<void>;
}

/** HOME/content/index.json. */
export function indexFile(contentDirectory: string, temporary: Temporary): IndexFile {
  const path = join(contentDirectory, 'index.json');
  return {
    async read() {
      let text: string;
      try {
        text = await readFile(path, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw error;
      }
      let manifests: unknown;
      try {
        manifests = (JSON.parse(text) as { manifests?: unknown }).manifests;
      } catch {
        manifests = undefined;
      }
      if (!Array.isArray(manifests))
        throw damaged(`the list of images cannot be read: ${path}`, {
          hint: 'Restore it from a backup, or move it away to start with an empty list; blobs are kept until then.',
        });
      return manifests as Descriptor[];
    },
    write: (entries) =>
      replaceFile(
        path,
        `${JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: entries }, null, 1)}\n`,
        temporary.path('index'),
      ),
  };
}
