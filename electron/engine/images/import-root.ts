import { invalid } from '../../base/errors.ts';
import { applyChanges } from '../builder/changes.ts';
import type { Content } from './content.ts';
import type { StoredImage } from './image.ts';
import { mediaTypes, type ImageConfigFile } from './oci.ts';
import { inflated } from './inflate.ts';
import { readTar } from './read-tar.ts';
import type { ImageStore } from './store.ts';
import { checkEntry } from './tar-names.ts';

export interface ImportOptions {
  /** '' = no name. */
  readonly reference: string;
  readonly message: string;
  readonly changes: readonly string[];
  /** `os/architecture`; '' = wasi/wasm. */
  readonly platform: string;
}

/**
 * `docker import`: a root file system as an image of one layer. The tar (plain, gzip, zstd) is kept as it is, inflated.
 * @throws invalid for what is no tar, refused entries and bad changes; full
 */
export async function importRoot(
  { content, store }: { readonly content: Content; readonly store: ImageStore },
  tar: AsyncIterable<Uint8Array>,
  { message, changes, platform }: ImportOptions,
): Promise<StoredImage> {
  const runtime = await applyChanges({}, changes);
  const [os = '', architecture = ''] = (platform || 'wasi/wasm').split('/');
  const lease = content.lease();
  try {
    const blob = await lease.put(inflated(tar, 'archive'));
    const size = await checkedSize(content.read(blob.digest));
    const created = new Date().toISOString();
    const config: ImageConfigFile = {
      created,
      ...(message !== '' && { comment: message }),
      architecture: architecture || os,
      os: architecture === '' ? 'wasi' : os,
      config: runtime,
      rootfs: { type: 'layers', diff_ids: [blob.digest] },
      history: [{ created, comment: message || 'Imported from -' }],
    };
    const layer = { mediaType: mediaTypes.layer, ...blob };
    const [image] = await store.add(lease, [{ config, layers: [layer], facts: { layerSizes: [size] } }]);
    return image as StoredImage;
  } finally {
    await lease.end();
  }
}

/** Bytes of the files, when every entry could be unpacked: what is refused then had better be refused now. @throws invalid */
async function checkedSize(tar: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  let entries = 0;
  for await (const { header } of readTar(tar, 'archive')) {
    entries += 1;
    checkEntry(header, 'archive');
    size += header.size;
  }
  if (entries === 0) throw invalid('the archive is empty or is no tar');
  return size;
}
