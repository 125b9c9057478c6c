/** What the tests of images and builds share: tars made in memory and a store in a directory of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack as newPack, type Header } from 'tar-stream';
import type { BuildEvent, BuildOptions } from '../api/images.ts';
import { openImages, type Images, type ImagesOptions } from './images.ts';

export type TarItem = Partial<Header> & Pick<Header, 'name'> & { readonly content?: string | Uint8Array };

/** A tar of the entries. Files are 0644 and from 2020 unless they say otherwise. */
export async function tarOf(items: readonly TarItem[]): Promise<Buffer> {
  const pack = newPack();
  const chunks: Buffer[] = [];
  const done = (async () => {
    for await (const chunk of pack as unknown as AsyncIterable<Buffer>) chunks.push(chunk);
  })();
  for (const { content = '', ...header } of items)
    pack.entry(
      { mtime: new Date('2020-01-01T00:00:00Z'), ...header },
      typeof content === 'string' ? content : Buffer.from(content),
    );
  pack.finalize();
  await done;
  return Buffer.concat(chunks);
}

/** Bytes as a stream of chunks that do not fall on the tar's blocks. */
export async function* streamOf(bytes: Uint8Array, chunk = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
}

/** A context of text files. */
export const contextOf = (files: Readonly<Record<string, string | Uint8Array>>): Promise<Buffer> =>
  tarOf(Object.entries(files).map(([name, content]) => ({ name, content })));

export interface TestImages {
  readonly home: string;
  readonly images: Images;
  readonly events: string[];
  readonly users: { id: string; running: boolean; image: string; imageId: string }[];
  /** Opens the same home again, as after a restart. */
  reopen(): Promise<Images>;
  /** Builds and answers the text and the id. */
  build(
    files: Readonly<Record<string, string | Uint8Array>>,
    options?: Partial<BuildOptions>,
  ): Promise<{ readonly text: string; readonly id: string }>;
  close(): Promise<void>;
}

export const buildOptions: BuildOptions = {
  dockerfile: 'Dockerfile',
  tags: [],
  buildArgs: {},
  labels: {},
  noCache: false,
  pull: false,
};

/** Gathers a build's events. */
export async function collect(
  events: AsyncIterable<BuildEvent>,
): Promise<{ readonly text: string; readonly id: string }> {
  let text = '';
  let id = '';
  for await (const event of events)
    if (event.type === 'stream') text += event.text;
    else if (event.type === 'image') id = event.id;
  return { text, id };
}

export async function openTestImages(more: Partial<ImagesOptions> = {}): Promise<TestImages> {
  const home = await mkdtemp(join(tmpdir(), 'drydock-images-'));
  const events: string[] = [];
  const users: TestImages['users'] = [];
  const options: ImagesOptions = {
    home,
    emit: ({ type, action, attributes }) => events.push(`${type} ${action} ${attributes['name'] ?? ''}`.trim()),
    usedBy: (imageId) => users.filter((user) => user.imageId === imageId),
    ...more,
  };
  let images = await openImages(options);
  return {
    home,
    events,
    users,
    get images() {
      return images;
    },
    async reopen() {
      images = await openImages(options);
      return images;
    },
    build: async (files, request) =>
      collect(images.build({ ...buildOptions, ...request }, streamOf(await contextOf(files), 64 * 1024))),
    async close() {
      await images.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** The smallest command: a module whose `_start` does nothing. */
export const smallestModule = Buffer.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  // type: () -> (); one function of it; exported as _start; its body is empty
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x07, 0x0a, 0x01, 0x06, 0x5f, 0x73, 0x74, 0x61, 0x72, 0x74, 0x00, 0x00],
  ...[0x0a, 0x04, 0x01, 0x02, 0x00, 0x0b],
]);
