import { inflated } from '../inflate.ts';
import type { Content } from '../content.ts';
import type { Descriptor } from '../oci.ts';

/** The first bytes (512, or all there are) of a layer, inflated. Empty for a layer that cannot be read as what it says. */
export type Peek = (layer: Descriptor) => Promise<Uint8Array>;

const wanted = 512;

/** Reads from the content store, and no more of a blob than it takes. */
export const peekInto =
  (content: Pick<Content, 'read'>): Peek =>
  async (layer) => {
    const pieces: Uint8Array[] = [];
    let size = 0;
    try {
      for await (const piece of inflated(content.read(layer.digest), 'layer')) {
        pieces.push(piece);
        size += piece.length;
        if (size >= wanted) break;
      }
    } catch {
      // What it is not can be told as well: nothing that we know.
    }
    return Buffer.concat(pieces).subarray(0, wanted);
  };

/** `\0asm`: a module or a component. */
export const isWasm = (head: Uint8Array): boolean =>
  head[0] === 0 && head[1] === 0x61 && head[2] === 0x73 && head[3] === 0x6d;

/** The name in the first header of a tar, without a leading `./` or `/`. */
export const firstTarName = (head: Uint8Array): string =>
  Buffer.from(head.subarray(0, 100))
    .toString('utf8')
    .replace(/\0.*$/s, '')
    .replace(/^(?:\.?\/)+/, '');
