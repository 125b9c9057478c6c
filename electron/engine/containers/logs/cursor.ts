/** One reader of one log: batches of entries from a place to an end that may not be known yet. Bounded: a block is read when the last was taken. */
import type { LogEntry } from '../../api/index.ts';
import { entriesOf, type Wanted } from './entry.ts';
import { LogFiles } from './files.ts';

const firstBlock = 16 * 1024;
const largeBlock = 256 * 1024;
/** Below this the bytes are read without leaving the turn: they were just written, and a trip through the thread pool costs more. */
const readNowBelow = 64 * 1024;
/** What is left of a removed log is kept in memory up to here; beyond, its files stay open. */
const keepBelow = 256 * 1024;

export class LogCursor implements AsyncIterable<readonly LogEntry[]> {
  readonly #files: LogFiles;
  readonly #wanted: Wanted;
  readonly #onClose: (cursor: LogCursor) => void;
  #position: number;
  /** Exclusive; undefined = the log still grows. */
  #limit: number | undefined;
  /** As far as the writer has told. */
  #known: number;
  /** The rest of a removed log, beginning at #position. */
  #kept: Buffer | undefined;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(
    directory: string,
    place: { readonly from: number; readonly known: number; readonly limit: number | undefined },
    wanted: Wanted,
    onClose: (cursor: LogCursor) => void,
  ) {
    this.#files = new LogFiles(directory);
    this.#position = place.from;
    this.#known = place.known;
    this.#limit = place.limit;
    this.#wanted = wanted;
    this.#onClose = onClose;
  }

  /** Everything before it has been handed over. */
  get position(): number {
    return this.#position;
  }

  /** The log now reaches `offset`. */
  grown(offset: number): void {
    if (offset <= this.#known) return;
    this.#known = offset;
    this.#wake?.();
  }

  /** Nothing comes after `offset`. */
  finish(offset: number): void {
    this.#limit ??= offset;
    this.#wake?.();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#files.close();
    this.#onClose(this);
    this.#wake?.();
  }

  /** The log's directory is about to go: takes what is left into memory, or keeps its files open. False in the second case: the files must not be reused. */
  detach(): boolean {
    const limit = (this.#limit ??= this.#known);
    const rest = limit - this.#position;
    if (this.#closed || rest <= 0 || this.#kept) return !this.#files.reading;
    if (rest <= keepBelow && !this.#files.reading) {
      const kept = Buffer.allocUnsafe(rest);
      let done = 0;
      while (done < rest) {
        const { at, bytes } = this.#files.readNow(this.#position + done, kept.subarray(done), rest - done);
        if (bytes === 0) break;
        if (at !== this.#position + done) this.#position += at - (this.#position + done);
        done += bytes;
      }
      this.#kept = kept.subarray(0, done);
      this.#limit = this.#position + done;
      return true;
    }
    this.#files.openFrom(this.#position);
    return false;
  }

  [Symbol.asyncIterator](): AsyncIterator<readonly LogEntry[]> {
    const batches = this.#batches();
    return {
      next: () => batches.next(),
      // A generator that waits cannot be returned from: wake it first.
      return: async () => {
        this.close();
        await batches.return(undefined);
        return { done: true, value: undefined };
      },
    };
  }

  async *#batches(): AsyncGenerator<readonly LogEntry[], undefined> {
    try {
      let size = firstBlock;
      while (!this.#closed) {
        const end = this.#limit ?? this.#known;
        if (this.#position >= end) {
          if (this.#limit !== undefined) return;
          await this.#growth();
          continue;
        }
        if (!this.#wanted.stdout && !this.#wanted.stderr) {
          this.#position = end;
          continue;
        }
        const length = Math.min(size, end - this.#position);
        const block = Buffer.allocUnsafeSlow(length);
        const { at, bytes } = await this.#read(block, length);
        if (this.#closed) return;
        const grew = (this.#limit ?? this.#known) !== end;
        if (bytes === 0) {
          // Less is there than was announced: a torn tail. Whoever waits may still see it grow.
          if (this.#limit !== undefined) return;
          if (!grew) await this.#growth();
          continue;
        }
        const { entries, consumed } = entriesOf(block, bytes, this.#wanted);
        this.#position = at + consumed;
        if (this.#kept) this.#kept = this.#kept.subarray(consumed);
        if (consumed === 0) {
          if (bytes === length && at + bytes < end)
            size *= 2; // one record is larger than the block
          else if (at + bytes < end || this.#limit !== undefined)
            this.#position = at + bytes; // the torn end of a segment; another one may follow it
          else if (!grew) await this.#growth();
          continue;
        }
        size = largeBlock;
        if (entries.length > 0) yield entries;
      }
    } finally {
      this.close();
    }
    return undefined;
  }

  async #read(block: Buffer, length: number): Promise<{ readonly at: number; readonly bytes: number }> {
    if (this.#kept) return { at: this.#position, bytes: this.#kept.copy(block, 0, 0, length) };
    if (length < readNowBelow) return this.#files.readNow(this.#position, block, length);
    return this.#files.read(this.#position, block, length);
  }

  #growth(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
