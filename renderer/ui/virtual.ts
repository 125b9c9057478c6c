/** Which part of a long list is on screen. Heights are known, positions are prefix sums, so that 100,000 rows cost one array. */

/** Chromium caps an element near 33 million px; longer lists are scrolled in proportion. */
export const maxScrollHeight = 16_000_000;

/** offsets[i] is the top of item i; the last entry is the total height. px. */
export function offsetsOf<T>(items: readonly T[], height: (item: T) => number): Float64Array {
  const offsets = new Float64Array(items.length + 1);
  let top = 0;
  for (let i = 0; i < items.length; i++) {
    offsets[i] = top;
    top += height(items[i] as T);
  }
  offsets[items.length] = top;
  return offsets;
}

/** The last index whose offset is at or above `top` (binary search); −1 below the first. */
export function indexAt(offsets: Float64Array, top: number): number {
  let low = 0;
  let high = offsets.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((offsets[middle] ?? 0) <= top) low = middle;
    else high = middle - 1;
  }
  return offsets.length === 0 || (offsets[0] ?? 0) > top ? -1 : low;
}

/** First and one past the last item that touch the viewport, with `overscan` px on both sides. */
export function windowOf(
  offsets: Float64Array,
  top: number,
  viewport: number,
  overscan = 200,
): { first: number; end: number } {
  const count = offsets.length - 1;
  if (count <= 0) return { first: 0, end: 0 };
  const first = Math.max(0, Math.min(count, indexAt(offsets, Math.max(0, top - overscan))));
  const end = Math.min(count, indexAt(offsets, top + viewport + overscan) + 1);
  return { first, end: Math.max(first, end) };
}

/** Maps the scroll box's position to a position in the whole list, and back. */
export function scale(
  total: number,
  viewport: number,
): { height: number; toList(scroll: number): number; toScroll(list: number): number } {
  const height = Math.min(total, maxScrollHeight);
  const factor = height <= viewport || total <= height ? 1 : (total - viewport) / (height - viewport);
  return { height, toList: (scroll) => scroll * factor, toScroll: (list) => list / factor };
}
