import { createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { invalid } from '../../base/errors.ts';
import type { Content } from './content.ts';
import { describeFile } from './describe.ts';
import type { StoredImage } from './image.ts';
import { writeLayer } from './layer-writer.ts';
import type { ImageConfigFile } from './oci.ts';
import { readRange } from './read-range.ts';
import type { ImageStore } from './store.ts';
import type { Temporary } from './temporary.ts';

/**
 * A bare .wasm as an image of one layer. No time goes into it: the same bytes under the same file name are the same image wherever they are
 * imported. @throws invalid for what is no module, or no module that can run here
 */
export async function importModule(
  world: { readonly content: Content; readonly store: ImageStore; readonly temporary: Temporary },
  bytes: AsyncIterable<Uint8Array>,
  fileName: string,
): Promise<StoredImage> {
  const name = moduleName(fileName);
  const path = world.temporary.path('module');
  const lease = world.content.lease();
  try {
    await pipeline(Readable.from(bytes, { objectMode: false }), createWriteStream(path, { flags: 'wx' }));
    const { description } = await describeFile(path, name);
    if (description.refusal !== null)
      throw invalid(`${name} cannot run here: ${description.refusal}`, { data: { flavour: description.flavour } });
    const { size } = await stat(path);
    const layer = await writeLayer(lease, [
      { name, type: 'file', mode: 0o755, mtime: new Date(0), size, read: () => readRange(path, 0, size) },
    ]);
    const config: ImageConfigFile = {
      architecture: 'wasm',
      os: 'wasi',
      config: { Entrypoint: [`/${name}`] },
      rootfs: { type: 'layers', diff_ids: [layer.descriptor.digest] },
      history: [{ created_by: `IMPORT ${name}` }],
    };
    const [image] = await world.store.add(lease, [
      { config, layers: [layer.descriptor], facts: { layerSizes: [layer.size] } },
    ]);
    return image as StoredImage;
  } finally {
    await lease.end();
    await rm(path, { force: true });
  }
}

/** The last part of a path of either kind, with `.wasm`. @throws invalid */
function moduleName(fileName: string): string {
  const name = basename(fileName.replaceAll('\\', '/'));
  if (name === '' || name === '.' || name === '..' || name.includes('\0') || name.startsWith('.wh.'))
    throw invalid(`${JSON.stringify(fileName)} cannot be the name of a module`, {
      hint: 'Give a file name such as hello.wasm.',
    });
  return /\.wasm$/i.test(name) ? name : `${name}.wasm`;
}
