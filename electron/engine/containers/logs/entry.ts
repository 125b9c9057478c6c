/** Records of the log as LogEntry values that look into the block they were read in: time and bytes are made only when asked for. */
import { PREFIX_LENGTH, STREAM_MARK, TAG_MARK, TIME_LENGTH } from '../../../base/log-format.ts';
import type { LogEntry } from '../../api/index.ts';

const newline = 10;
const space = 32;
const letterO = 0x6f; // the fourth letter of "stdout"; that of "stderr" is e
const letterP = 0x50;

/** Which streams a reader wants. */
export interface Wanted {
  readonly stdout: boolean;
  readonly stderr: boolean;
}

class BlockEntry implements LogEntry {
  readonly stream: 1 | 2;
  readonly partial: boolean;
  readonly #block: Buffer;
  readonly #start: number;
  readonly #end: number;

  /** `end` is the place of the record's newline. */
  constructor(block: Buffer, start: number, end: number, stream: 1 | 2) {
    this.#block = block;
    this.#start = start;
    this.#end = end;
    this.stream = stream;
    this.partial = block[start + TAG_MARK] === letterP;
  }

  get time(): string {
    return this.#block.toString('latin1', this.#start, this.#start + TIME_LENGTH);
  }

  get data(): Uint8Array {
    return this.#block.subarray(this.#start + PREFIX_LENGTH, this.partial ? this.#end : this.#end + 1);
  }
}

/** True when a record begins at `start`: the separators are where they must be. What a disk error left behind is skipped, not shown. */
export function isRecord(block: Uint8Array, start: number, end: number): boolean {
  return (
    end - start >= PREFIX_LENGTH &&
    block[start + TIME_LENGTH] === space &&
    block[start + TIME_LENGTH + 7] === space &&
    block[start + PREFIX_LENGTH - 1] === space
  );
}

export const isStdout = (block: Uint8Array, start: number): boolean => block[start + STREAM_MARK] === letterO;
export const isPartial = (block: Uint8Array, start: number): boolean => block[start + TAG_MARK] === letterP;

/** The entries of all complete records in block[0, length), and how many bytes those are. The block must begin at a record. */
export function entriesOf(
  block: Buffer,
  length: number,
  wanted: Wanted,
): { readonly entries: LogEntry[]; readonly consumed: number } {
  const entries: LogEntry[] = [];
  let start = 0;
  while (start < length) {
    // No newline can be in the prefix of a good record; a damaged one is at worst joined with the next and skipped.
    const end = block.indexOf(newline, start + PREFIX_LENGTH);
    if (end < 0 || end >= length) break;
    if (isRecord(block, start, end)) {
      const stdout = isStdout(block, start);
      if (stdout ? wanted.stdout : wanted.stderr) entries.push(new BlockEntry(block, start, end, stdout ? 1 : 2));
    }
    start = end + 1;
  }
  return { entries, consumed: start };
}
