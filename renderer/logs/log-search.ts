/** Search in log lines. */

export interface Query {
  readonly text: string;
  readonly regex: boolean;
  readonly matchCase: boolean;
}

export type Matcher = { readonly pattern: RegExp } | { readonly error: string };

/** Only this much of a line is searched (characters): a pattern that backtracks must not hang the page on one endless line. */
const searchedLength = 20_000;

/** A matcher for a query; undefined when there is nothing to search; an error sentence when the expression is wrong. */
export function matcher(query: Query): Matcher | undefined {
  if (query.text === '') return undefined;
  const source = query.regex ? query.text : query.text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  try {
    return { pattern: new RegExp(source, query.matchCase ? 'gu' : 'giu') };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** Where a pattern hits a plain text: [start, end) ranges, in order, at most `most`. Empty hits do not count. */
export function hitsIn(text: string, pattern: RegExp, most = 200): [number, number][] {
  const out: [number, number][] = [];
  const searched = text.length > searchedLength ? text.slice(0, searchedLength) : text;
  pattern.lastIndex = 0;
  for (const match of searched.matchAll(pattern)) {
    if (match[0].length === 0) continue;
    out.push([match.index, match.index + match[0].length]);
    if (out.length >= most) break;
  }
  return out;
}

/** Does it hit at all, with something to mark? */
export function hits(text: string, pattern: RegExp): boolean {
  return hitsIn(text, pattern, 1).length > 0;
}

/** The place of the nearest hit at or after `from` in a sorted list of line numbers, going round at the end; −1 when there is none. */
export function nextHit(found: readonly number[], from: number, direction: 1 | -1): number {
  if (found.length === 0) return -1;
  let low = 0;
  let high = found.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((found[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  if (direction === 1) return low % found.length;
  const exact = found[low] === from;
  return ((exact ? low : low - 1) + found.length) % found.length;
}
