import { invalid } from '../../base/errors.ts';
import {
  blockSize,
  completeHeader,
  decodeHeader,
  decodePax,
  isZeroBlock,
  type Extended,
  type RawHeader,
  type TarHeader,
} from './tar-header.ts';

export interface TarEntry {
  readonly header: TarHeader;
  /** Where its bytes begin in the (inflated) tar. */
  readonly offset: number;
  /** Read it to its end, or not at all: what is left is skipped. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Bytes of one extended header; a path that a disk takes has four thousand. */
const maximumExtended = 1 << 20;

/** Bytes that need not be read to be passed: a file. */
export interface Skippable extends AsyncIterable<Uint8Array> {
  /** Leaves out the next bytes, or all that there are; answers how many. */
  skip(bytes: number): number;
}

/**
 * The entries of a plain tar (POSIX, GNU, V7), one after the other, with backpressure; what follows the end is read and dropped. Memory use does not depend on
 * the archive. `what` names it in errors. Not by tar-stream, which costs streams of its own for every entry, reads sparse files as something else, and
 * takes bytes that are no text for names.
 * @throws invalid when it is no tar or ends early; errors of the source as they are
 */
export async function* readTar(source: AsyncIterable<Uint8Array> | Skippable, what: string): AsyncGenerator<TarEntry> {
  const input = new Input(source);
  const global = new Map<string, Uint8Array>();
  let extended = noExtended();
  let zeros = 0;
  try {
    for (;;) {
      const block = input.peek(blockSize) ?? (await input.need(blockSize));
      if (!block) {
        // `docker build -f -` sends a tar without its end, so an archive may simply stop, but not in the middle of anything.
        if (zeros === 0 && (input.left > 0 || extended.used)) throw broken(what, 'it ends in the middle of a header');
        return;
      }
      input.skip(blockSize);
      if (isZeroBlock(block)) {
        if (++zeros === 2) break;
        continue;
      }
      if (zeros > 0) throw broken(what, 'something follows the block that begins its end');
      const raw = decodeHeader(block, what);
      if (raw.flag in extensions) {
        await extend(raw);
        continue;
      }
      const header = completeHeader(raw, { ...extended, records: merged(global, extended.records) }, what);
      extended = noExtended();
      const offset = input.position;
      const end = offset + header.size;
      yield { header, offset, body: contents(header, end) };
      await pass(header, end);
    }
    await input.drain();
  } finally {
    await input.close();
  }

  /** Takes in what a header says of the next entry, or of all that follow. */
  async function extend({ flag, size }: RawHeader): Promise<void> {
    if (size > maximumExtended)
      throw invalid(`the ${what} is refused: a header of it claims ${size} bytes for a name`, {
        hint: 'Ask where this archive comes from.',
      });
    const padded = size + padding(size);
    const bytes = input.peek(padded) ?? (await input.need(padded));
    if (!bytes) throw broken(what, 'it ends in the middle of a header');
    const value = Uint8Array.from(bytes.subarray(0, size));
    input.skip(padded);
    const kind = extensions[flag];
    if (kind === 'global') for (const [key, record] of decodePax(value, what)) global.set(key, record);
    else if (kind === 'pax') extended = { ...extended, used: true, records: decodePax(value, what) };
    else extended = { ...extended, used: true, [kind ?? 'name']: untilNul(value) };
  }

  async function* contents(header: TarHeader, end: number): AsyncGenerator<Uint8Array> {
    while (input.position < end) {
      const chunk = input.take(end - input.position);
      if (chunk) yield chunk;
      else if (!(await input.more())) throw cutOff(header, end);
    }
  }

  /** Past what nobody read, and the padding. */
  async function pass(header: TarHeader, end: number): Promise<void> {
    const next = end + padding(header.size);
    while (input.position < next) {
      if (input.take(next - input.position) || input.leap(next - input.position) || (await input.more())) continue;
      if (input.position < end) throw cutOff(header, end);
      return;
    }
  }

  function cutOff(header: TarHeader, end: number) {
    return invalid(
      `the ${what} is not a whole tar archive: it ends in the middle of ${JSON.stringify(header.name)}, which claims ` +
        `${header.size} bytes and has ${header.size - (end - input.position)}`,
      { data: { entry: header.name } },
    );
  }
}

const extensions: Readonly<Record<string, 'pax' | 'global' | 'name' | 'linkname'>> = {
  x: 'pax',
  // Solaris wrote pax headers before they were a standard.
  X: 'pax',
  g: 'global',
  L: 'name',
  N: 'name',
  K: 'linkname',
};

interface Pending extends Extended {
  /** Something was said of an entry that has to come. */
  readonly used: boolean;
}

const noExtended = (): Pending => ({ used: false, records: none });
const none: ReadonlyMap<string, Uint8Array> = new Map();

const merged = (global: ReadonlyMap<string, Uint8Array>, own: ReadonlyMap<string, Uint8Array>) =>
  global.size === 0 ? own : new Map([...global, ...own]);

const padding = (size: number): number => (blockSize - (size % blockSize)) % blockSize;

function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

const broken = (what: string, why: string) => invalid(`the ${what} is not a whole tar archive: ${why}`);

/** A source's bytes, taken in pieces of any size. Holds one chunk, or as many as a header needs. */
class Input {
  /** Bytes taken so far. */
  position = 0;
  readonly #source: AsyncIterable<Uint8Array> | Skippable;
  readonly #iterator: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array();
  #at = 0;
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array> | Skippable) {
    this.#source = source;
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** Bytes at hand. */
  get left(): number {
    return this.#chunk.length - this.#at;
  }

  /** The next `size` bytes when they are at hand; valid until the next call. */
  peek(size: number): Uint8Array | undefined {
    return this.left >= size ? this.#chunk.subarray(this.#at, this.#at + size) : undefined;
  }

  /** The same, after waiting for them; undefined when the source ends before. */
  async need(size: number): Promise<Uint8Array | undefined> {
    const pieces = [this.#chunk.subarray(this.#at)];
    let length = this.left;
    while (length < size && !this.#ended) {
      const piece = await this.#read();
      if (!piece) break;
      pieces.push(piece);
      length += piece.length;
    }
    this.#chunk = pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces);
    this.#at = 0;
    return this.peek(size);
  }

  skip(size: number): void {
    this.#at += size;
    this.position += size;
  }

  /** What is at hand, at most `size` bytes; undefined when nothing is. */
  take(size: number): Uint8Array | undefined {
    if (this.left === 0) return undefined;
    const end = Math.min(this.#chunk.length, this.#at + size);
    const bytes = this.#chunk.subarray(this.#at, end);
    this.position += end - this.#at;
    this.#at = end;
    return bytes;
  }

  /** Passes bytes without reading them, where the source can; false when none were. Nothing is at hand then. */
  leap(bytes: number): boolean {
    const passed = 'skip' in this.#source ? this.#source.skip(bytes) : 0;
    this.position += passed;
    return passed > 0;
  }

  /** Waits for the next chunk once the last one is used up; false at the end. */
  async more(): Promise<boolean> {
    const chunk = await this.#read();
    if (!chunk) return false;
    this.#chunk = chunk;
    this.#at = 0;
    return true;
  }

  async drain(): Promise<void> {
    while (await this.#read());
    this.#chunk = new Uint8Array();
    this.#at = 0;
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.#iterator.return?.();
  }

  async #read(): Promise<Uint8Array | undefined> {
    while (!this.#ended) {
      let next: IteratorResult<Uint8Array>;
      try {
        next = await this.#iterator.next();
      } catch (error) {
        this.#ended = true;
        throw error;
      }
      if (next.done) this.#ended = true;
      else if (next.value.length > 0) return next.value;
    }
    return undefined;
  }
}
