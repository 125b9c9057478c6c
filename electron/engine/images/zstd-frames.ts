import { invalid } from '../../base/errors.ts';

const frameMagic = 0xfd2fb528;
/** Sixteen of them: frames that decoders pass over. */
const skippableMagic = 0x184d2a50;

/**
 * The bytes of a zstd file, cut so that no chunk goes beyond the end of a frame. Node's decoder drops what follows the end of a frame in the same chunk, but layers of
 * the format zstd:chunked, and files that are compressed in parallel, are many frames (RFC 8878, 3.1).
 * @throws invalid when it ends in the middle of a frame
 */
export async function* zstdFrames(source: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<Uint8Array> {
  const walk = new FrameWalk();
  for await (const chunk of source) {
    let from = 0;
    for (let at = 0; at < chunk.length;) {
      at += walk.take(chunk, at);
      if (!walk.isBetween) continue;
      yield chunk.subarray(from, at);
      from = at;
    }
    if (from < chunk.length) yield chunk.subarray(from);
  }
  if (!walk.isBetween) throw invalid(`the ${what} cannot be inflated: it ends in the middle of a zstd frame`);
}

type Step = 'magic' | 'descriptor' | 'header' | 'block' | 'body' | 'checksum' | 'skip size' | 'skipped' | 'unknown';

/** Where in a sequence of frames one is; knows lengths only. */
class FrameWalk {
  #step: Step = 'magic';
  /** Bytes that the step still takes. */
  #left = 4;
  /** The number that those taken so far make, little end first. */
  #value = 0;
  #taken = 0;
  #hasChecksum = false;
  #isLast = false;

  /** Nothing of a frame was taken yet. */
  get isBetween(): boolean {
    return this.#step === 'magic' && this.#taken === 0;
  }

  /** Takes bytes from `at` on, at most to the end of a step; answers how many. */
  take(chunk: Uint8Array, at: number): number {
    if (this.#step === 'unknown') return chunk.length - at;
    const count = Math.min(this.#left, chunk.length - at);
    if (this.#step !== 'body' && this.#step !== 'skipped')
      for (let i = 0; i < count; i++) this.#value += (chunk[at + i] ?? 0) * 256 ** (this.#taken + i);
    this.#taken += count;
    this.#left -= count;
    if (this.#left === 0) this.#next();
    return count;
  }

  #next(): void {
    const value = this.#value;
    switch (this.#step) {
      case 'magic':
        if (value === frameMagic) return this.#go('descriptor', 1);
        return Math.floor(value / 16) * 16 === skippableMagic
          ? this.#go('skip size', 4)
          : this.#go('unknown', Infinity);
      case 'descriptor': {
        const isSingle = (value & 0x20) !== 0;
        this.#hasChecksum = (value & 0x04) !== 0;
        const sizes = isSingle ? [1, 2, 4, 8] : [0, 2, 4, 8];
        const length = (isSingle ? 0 : 1) + ([0, 1, 2, 4][value & 3] ?? 0) + (sizes[value >> 6] ?? 0);
        return this.#go('header', length);
      }
      case 'header':
        return this.#go('block', 3);
      case 'block': {
        this.#isLast = (value & 1) !== 0;
        // A block of one repeated byte is that byte.
        return this.#go('body', ((value >> 1) & 3) === 1 ? 1 : value >> 3);
      }
      case 'body':
        if (!this.#isLast) return this.#go('block', 3);
        return this.#hasChecksum ? this.#go('checksum', 4) : this.#go('magic', 4);
      case 'skip size':
        return this.#go('skipped', value);
      case 'checksum':
      case 'skipped':
        return this.#go('magic', 4);
      case 'unknown':
    }
  }

  #go(step: Step, length: number): void {
    this.#step = step;
    this.#left = length;
    this.#value = 0;
    this.#taken = 0;
    if (length === 0) this.#next();
  }
}
