import { expect, test } from 'vitest';
import type { ImageRow } from '../../electron/contract/images.ts';
import { arrangeImages, isWasm, type ImageView } from './images.svelte.ts';

const row = (id: string, tags: string[], size = 1): ImageRow => ({
  id,
  tags,
  createdAt: 0,
  size,
  os: 'wasip1',
  architecture: 'wasm',
  labels: {},
  usedBy: [],
});
const view: ImageView = { filter: '', sort: 'name', descending: false };
const nothing = { has: () => false };
const names = (
  rows: ImageRow[],
  change: Partial<ImageView> = {},
  hidden: { has(key: string): boolean } = nothing,
): string[] => arrangeImages(rows, { ...view, ...change }, hidden, () => undefined).map((item) => item.reference);

test('one line a name; images without a name last', () => {
  expect(names([row('1', []), row('2', ['web:2', 'web:10']), row('3', ['api:1'])])).toEqual([
    'api:1',
    'web:2',
    'web:10',
    '',
  ]);
});

test('filter, sort by size, hidden lines', () => {
  const rows = [row('1', ['a:1'], 5), row('2', ['b:1'], 9)];
  expect(names(rows, { filter: 'B' })).toEqual(['b:1']);
  expect(names(rows, { sort: 'size' })).toEqual(['b:1', 'a:1']);
  expect(names(rows, {}, { has: (key) => key === '1 a:1' })).toEqual(['b:1']);
});

test('what can run here is told from the platform', () => {
  expect(isWasm(row('1', []))).toBe(true);
  expect(isWasm({ ...row('1', []), os: 'wasi' })).toBe(true);
  expect(isWasm({ ...row('1', []), os: 'linux', architecture: 'amd64' })).toBe(false);
});
