/**
 * Which lines are shown and how high each is: the shown lines in order (absolute numbers of the buffer) with their heights in rows, as cumulative
 * sums, so that both "what is at this position" and "where is this line" are a binary search. Dropping from the front moves an index.
 */
export class LogLayout {
  #numbers: number[] = [];
  /** #tops[i]: rows above entry i, counted from the oldest entry ever (never renumbered); one more than numbers. */
  #tops: number[] = [0];
  #start = 0;

  get length(): number {
    return this.#numbers.length - this.#start;
  }
  /** Height of all shown lines, in rows. */
  get rows(): number {
    return (this.#tops[this.#tops.length - 1] ?? 0) - (this.#tops[this.#start] ?? 0);
  }

  push(number: number, rows: number): void {
    this.#numbers.push(number);
    this.#tops.push((this.#tops[this.#tops.length - 1] ?? 0) + rows);
  }

  /** Forgets lines before `first`; answers how many rows went. */
  dropBefore(first: number): number {
    const top = this.#tops[this.#start] ?? 0;
    while (this.#start < this.#numbers.length && (this.#numbers[this.#start] ?? 0) < first) this.#start++;
    const gone = (this.#tops[this.#start] ?? 0) - top;
    if (this.#start > 50_000) {
      this.#numbers = this.#numbers.slice(this.#start);
      this.#tops = this.#tops.slice(this.#start);
      this.#start = 0;
    }
    return gone;
  }

  /** A line changed its height; everything after it moves. */
  resize(number: number, rows: number): void {
    const index = this.indexOf(number);
    if (index < 0) return;
    const at = this.#start + index;
    const change = rows - ((this.#tops[at + 1] ?? 0) - (this.#tops[at] ?? 0));
    if (change === 0) return;
    for (let i = at + 1; i < this.#tops.length; i++) this.#tops[i] = (this.#tops[i] ?? 0) + change;
  }

  clear(): void {
    this.#numbers = [];
    this.#tops = [0];
    this.#start = 0;
  }

  /** Number of the entry at an index from 0. */
  number(index: number): number {
    return this.#numbers[this.#start + index] ?? -1;
  }
  /** Rows above an entry. */
  top(index: number): number {
    return (this.#tops[this.#start + index] ?? 0) - (this.#tops[this.#start] ?? 0);
  }
  /** The entry at a row; clamped to what there is. */
  at(row: number): number {
    const wanted = row + (this.#tops[this.#start] ?? 0);
    let low = this.#start;
    let high = this.#numbers.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#tops[middle] ?? 0) <= wanted) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low - this.#start);
  }
  /** Index of the entry with this number, or −1. */
  indexOf(number: number): number {
    const index = this.#lowerBound(number);
    return this.#numbers[index] === number ? index - this.#start : -1;
  }
  /** How many entries come at or after this number. */
  countFrom(number: number): number {
    return this.#numbers.length - this.#lowerBound(number);
  }

  #lowerBound(number: number): number {
    let low = this.#start;
    let high = this.#numbers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#numbers[middle] ?? 0) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

// Characters that take two cells in a terminal: CJK, Hangul, full width, emoji.
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/gu;
const ascii = /^[\x20-\x7e]*$/;

/** Rows that a plain text takes when it is broken at `columns` cells. A tab counts as eight. */
export function rowsOf(text: string, columns: number): number {
  if (columns <= 0) return 1;
  let cells = text.length;
  if (!ascii.test(text)) {
    cells += text.match(wide)?.length ?? 0;
    cells += 7 * (text.split('\t').length - 1);
  }
  return Math.max(1, Math.ceil(cells / columns));
}
