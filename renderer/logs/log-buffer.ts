import type { LogLine } from '../../electron/contract/channels.ts';

/** What one window keeps of one log. */
export const keptLines = 200_000;
/** A line without an end is cut here, so that a program that never writes a newline cannot fill memory. Characters. */
export const longestLine = 100_000;

export interface Line {
  readonly time: number;
  readonly stream: 1 | 2;
  readonly text: string;
}

/**
 * The last lines of a log. Lines have absolute numbers from 0 that never change; `first` grows when old ones are dropped. Parts of one line
 * (flag "continues") are joined per stream.
 */
export class LogBuffer {
  readonly #capacity: number;
  readonly #lines: (Line | undefined)[];
  #first = 0;
  #end = 0;
  /** Number of the unfinished line of each stream, −1 = none. */
  readonly #open: Record<1 | 2, number> = { 1: -1, 2: -1 };

  constructor(capacity = keptLines) {
    this.#capacity = capacity;
    this.#lines = [];
  }

  get first(): number {
    return this.#first;
  }
  /** One past the number of the newest line. */
  get end(): number {
    return this.#end;
  }

  at(number: number): Line | undefined {
    return number >= this.#first && number < this.#end ? this.#lines[number % this.#capacity] : undefined;
  }

  /** Takes a batch. Returns the numbers of older lines that grew by it (their text is new). */
  push(batch: readonly LogLine[]): number[] {
    const before = this.#end;
    const grown = new Set<number>();
    for (const [time, stream, text, partial] of batch) {
      const open = this.#open[stream];
      const line = open < 0 ? undefined : this.at(open);
      if (line && line.text.length + text.length <= longestLine) {
        this.#lines[open % this.#capacity] = { ...line, text: line.text + text };
        if (open < before) grown.add(open);
        if (!partial) this.#open[stream] = -1;
        continue;
      }
      const number = this.#end++;
      this.#lines[number % this.#capacity] = { time, stream, text };
      if (this.#end - this.#first > this.#capacity) this.#first = this.#end - this.#capacity;
      this.#open[stream] = partial ? number : -1;
    }
    return [...grown].filter((number) => number >= this.#first);
  }

  clear(): void {
    this.#lines.length = 0;
    this.#first = this.#end = 0;
    this.#open[1] = this.#open[2] = -1;
  }
}
