import type { Lease } from './content.ts';
import { mediaTypes, type Descriptor } from './oci.ts';
import { packTar, type PackEntry } from './pack-tar.ts';

/** One entry of a layer to be made. */
export type LayerEntry = PackEntry;

export interface WrittenLayer {
  /** A plain tar: its digest is the diffID too. */
  readonly descriptor: Descriptor;
  /** Bytes of the files in it. */
  readonly size: number;
}

/** Streams entries into a layer blob; the same entries give the same blob. */
export async function writeLayer(
  lease: Lease,
  entries: AsyncIterable<LayerEntry> | Iterable<LayerEntry>,
): Promise<WrittenLayer> {
  let size = 0;
  const blob = await lease.put(packTar(entries, (entry) => void (size += entry.size ?? 0)));
  return { descriptor: { mediaType: mediaTypes.layer, ...blob }, size };
}
