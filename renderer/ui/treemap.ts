export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * A squarified treemap (Bruls, Huizing, van Wijk 2000): rows are filled along the short side as long as that keeps the blocks squarest.
 * `sizes` in descending order; answers a rectangle for each, in the same order.
 */
export function squarify(sizes: readonly number[], box: Rectangle): Rectangle[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total <= 0 || box.width <= 0 || box.height <= 0) return [];
  const areas = sizes.map((size) => (size / total) * box.width * box.height);
  const out: Rectangle[] = [];
  let { x, y, width, height } = box;
  let next = 0;
  while (next < areas.length) {
    const short = Math.min(width, height);
    let sum = 0;
    let worst = Infinity;
    let end = next;
    while (end < areas.length) {
      const more = sum + (areas[end] ?? 0);
      const largest = areas[next] ?? 0;
      const smallest = areas[end] ?? 0;
      const ratio = Math.max(
        (short * short * largest) / (more * more),
        (more * more) / (short * short * Math.max(smallest, 1e-9)),
      );
      if (ratio > worst) break;
      worst = ratio;
      sum = more;
      end++;
    }
    const thick = short > 0 ? sum / short : 0;
    let at = 0;
    for (let i = next; i < end; i++) {
      const length = thick > 0 ? (areas[i] ?? 0) / thick : 0;
      out.push(
        width >= height
          ? { x, y: y + at, width: thick, height: length }
          : { x: x + at, y, width: length, height: thick },
      );
      at += length;
    }
    if (width >= height) {
      x += thick;
      width -= thick;
    } else {
      y += thick;
      height -= thick;
    }
    next = end;
  }
  return out;
}
