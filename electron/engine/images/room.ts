import { statfs } from 'node:fs/promises';
import { full } from '../../base/errors.ts';

/** Bytes that stay free for everybody else on the disk. */
const reserve = 256 << 20;
/** Bytes after which it is looked again. */
const interval = 64 << 20;

/** Watches that what is written leaves room on its disk, so that an archive that swells ends itself and not the machine. */
export class Room {
  readonly #directory: string;
  readonly #reserve: number;
  #until: number;

  /** @param looks bytes that are written unasked */
  constructor(directory: string, { keeps = reserve, looks = interval } = {}) {
    this.#directory = directory;
    this.#reserve = keeps;
    this.#until = looks;
  }

  /** To be called before so many bytes are written. @throws full */
  async take(bytes: number): Promise<void> {
    this.#until -= bytes;
    if (this.#until > 0) return;
    this.#until = interval;
    const { bavail, bsize } = await statfs(this.#directory);
    if (bavail * bsize >= this.#reserve + bytes) return;
    throw full(`the disk has less than ${Math.ceil(this.#reserve / 2 ** 20)} MB left: ${this.#directory}`, {
      hint: 'Make room: docker system prune removes what nothing uses.',
    });
  }

  async *watch(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      await this.take(chunk.length);
      yield chunk;
    }
  }
}
