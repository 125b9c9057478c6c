import { expect, test } from 'vitest';
import { squarify } from './treemap.ts';

test('areas are in proportion and fill the box without overlapping', () => {
  const sizes = [60, 25, 10, 5];
  const blocks = squarify(sizes, { x: 0, y: 0, width: 400, height: 200 });
  const areas = blocks.map((block) => block.width * block.height);
  areas.forEach((area, i) => expect(area).toBeCloseTo(((sizes[i] ?? 0) / 100) * 80_000));
  for (const a of blocks)
    for (const b of blocks) {
      if (a === b) continue;
      const apart =
        a.x + a.width <= b.x + 1e-6 ||
        b.x + b.width <= a.x + 1e-6 ||
        a.y + a.height <= b.y + 1e-6 ||
        b.y + b.height <= a.y + 1e-6;
      expect(apart).toBe(true);
    }
});

test('nothing to draw is nothing', () => {
  expect(squarify([], { x: 0, y: 0, width: 10, height: 10 })).toEqual([]);
  expect(squarify([1], { x: 0, y: 0, width: 0, height: 10 })).toEqual([]);
});
