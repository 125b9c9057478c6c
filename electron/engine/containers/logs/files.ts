/** The segments of one log as a single run of bytes, addressed by logical offset. */
import { closeSync, openSync, read as readCallback, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { segmentName, segmentOffset } from '../../../base/log-format.ts';

export interface Segment {
  readonly offset: number;
  /** Logical offset after its last byte; grows for the last segment. */
  readonly end: number;
}

interface OpenSegment {
  readonly offset: number;
  readonly file: number;
}

/** Opens files as they are needed and keeps them, so that a log whose directory is removed can be read to its end. */
export class LogFiles {
  readonly #directory: string;
  #offsets: number[] = [];
  #open: OpenSegment[] = [];
  #closed = false;
  /** Reads under way: their file must not be closed beneath them. */
  #reading = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  get reading(): boolean {
    return this.#reading > 0;
  }

  /** All segments that are there now, in order. */
  segments(): Segment[] {
    this.#list();
    const found: Segment[] = [];
    for (const offset of this.#offsets) {
      const stat = statSync(join(this.#directory, segmentName(offset)), { throwIfNoEntry: false });
      if (stat) found.push({ offset, end: offset + stat.size });
    }
    return found;
  }

  /**
   * Reads at `position`, at most to the end of the segment. `at` is where the bytes really are: later than asked for when the segment was rotated
   * away, or when the rest of it is torn. Zero bytes: nothing is there yet.
   */
  async read(
    position: number,
    block: Buffer,
    length: number,
  ): Promise<{ readonly at: number; readonly bytes: number }> {
    this.#reading++;
    try {
      for (let at = position; ;) {
        const segment = this.#segmentAt(at);
        if (!segment) return { at, bytes: 0 };
        at = Math.max(at, segment.offset);
        const bytes = await new Promise<number>((resolve, reject) =>
          readCallback(segment.file, block, 0, length, at - segment.offset, (error, count) =>
            error ? reject(error) : resolve(count),
          ),
        );
        if (bytes > 0) return { at, bytes };
        const next = this.#after(segment.offset);
        if (next === undefined) return { at, bytes: 0 };
        at = next;
      }
    } finally {
      this.#reading--;
      if (this.#closed) this.close();
    }
  }

  /** The same without a turn of the event loop: for the few bytes that were just written and are in the page cache. */
  readNow(position: number, block: Buffer, length: number): { readonly at: number; readonly bytes: number } {
    for (let at = position; ;) {
      const segment = this.#segmentAt(at);
      if (!segment) return { at, bytes: 0 };
      at = Math.max(at, segment.offset);
      const bytes = readSync(segment.file, block, 0, length, at - segment.offset);
      if (bytes > 0) return { at, bytes };
      const next = this.#after(segment.offset);
      if (next === undefined) return { at, bytes: 0 };
      at = next;
    }
  }

  /** Opens everything from `position` on: the directory is about to go. */
  openFrom(position: number): void {
    this.#list();
    for (const [index, offset] of this.#offsets.entries()) {
      const next = this.#offsets[index + 1];
      if (next === undefined || next > position) this.#opened(offset);
    }
  }

  close(): void {
    this.#closed = true;
    if (this.#reading > 0) return;
    for (const { file } of this.#open) closeSync(file);
    this.#open = [];
  }

  #list(): void {
    let names: string[];
    try {
      names = readdirSync(this.#directory);
    } catch {
      // Removed, or nothing was ever written: what is open stays readable.
      this.#offsets = this.#open.map(({ offset }) => offset);
      return;
    }
    const offsets = names.map(segmentOffset).filter((offset) => offset !== undefined);
    this.#offsets = [...new Set([...offsets, ...this.#open.map(({ offset }) => offset)])].sort((a, b) => a - b);
  }

  /** The segment that holds `position`, or the first one after it. */
  #segmentAt(position: number): OpenSegment | undefined {
    for (let attempt = 0; attempt < 2; attempt++) {
      const offset = this.#offsets.findLast((candidate) => candidate <= position) ?? this.#offsets[0];
      const segment = offset === undefined ? undefined : this.#opened(offset);
      if (segment) {
        // Behind us everything is read: at most two files stay open on the way through a long log.
        while (this.#open.length > 1 && (this.#open[0]?.offset ?? 0) < segment.offset)
          closeSync((this.#open.shift() as OpenSegment).file);
        return segment;
      }
      this.#list();
    }
    return undefined;
  }

  #after(offset: number): number | undefined {
    const known = this.#offsets.find((candidate) => candidate > offset);
    if (known !== undefined) return known;
    this.#list();
    return this.#offsets.find((candidate) => candidate > offset);
  }

  #opened(offset: number): OpenSegment | undefined {
    const known = this.#open.find((segment) => segment.offset === offset);
    if (known || this.#closed) return known;
    try {
      const segment = { offset, file: openSync(join(this.#directory, segmentName(offset)), 'r') };
      this.#open.push(segment);
      this.#open.sort((a, b) => a.offset - b.offset);
      return segment;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      this.#offsets = this.#offsets.filter((candidate) => candidate !== offset);
      return undefined;
    }
  }
}

/** Logical end of the last complete record; 0 for a log that is not there. */
export function completeEnd(directory: string): number {
  const files = new LogFiles(directory);
  try {
    const last = files.segments().at(-1);
    if (!last) return 0;
    const block = Buffer.allocUnsafe(64 * 1024);
    for (let end = last.end; end > last.offset;) {
      const from = Math.max(last.offset, end - block.length);
      const { bytes } = files.readNow(from, block, end - from);
      const newline = block.subarray(0, bytes).lastIndexOf(10);
      if (newline >= 0) return from + newline + 1;
      end = from;
    }
    return last.offset;
  } finally {
    files.close();
  }
}
