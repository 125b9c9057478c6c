import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from './durable.ts';
import type { Temporary } from './temporary.ts';

/** What a plain layer is called once it is compressed. */
export interface CompressedLayer {
  readonly digest: string;
  readonly size: number;
}

/**
 * HOME/content/compressed.json: the compressed forms of plain layers that were pushed. The bytes are not kept, only their digest and size: with them a second push
 * sees that the registry has them without compressing again, and the manifest comes out the same.
 */
export interface CompressedLayers {
  get(digest: string): CompressedLayer | undefined;
  set(digest: string, compressed: CompressedLayer): Promise<void>;
}

/** Entries kept; the oldest go first. */
const limit = 10_000;

/** A file that cannot be read is as good as none: it only saves work. */
export async function openCompressedLayers(contentDirectory: string, temporary: Temporary): Promise<CompressedLayers> {
  const path = join(contentDirectory, 'compressed.json');
  const known = new Map<string, CompressedLayer>();
  try {
    const { layers } = JSON.parse(await readFile(path, 'utf8')) as { layers?: Record<string, CompressedLayer> };
    for (const [digest, { digest: to, size }] of Object.entries(layers ?? {}))
      if (typeof to === 'string' && Number.isSafeInteger(size)) known.set(digest, { digest: to, size });
  } catch {
    known.clear();
  }
  let writing: Promise<void> = Promise.resolve();
  return {
    get: (digest) => known.get(digest),
    async set(digest, compressed) {
      known.delete(digest);
      known.set(digest, compressed);
      if (known.size > limit) known.delete(known.keys().next().value ?? '');
      const text = `${JSON.stringify({ layers: Object.fromEntries(known) }, null, 1)}\n`;
      writing = writing.catch(() => undefined).then(() => replaceFile(path, text, temporary.path('compressed')));
      await writing;
    },
  };
}
