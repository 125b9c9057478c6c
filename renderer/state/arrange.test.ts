import { expect, test } from 'vitest';
import { arrange, matchesFilter, type Item, type View } from './arrange.ts';
import { sampleRow } from './sample-rows.ts';

const view: View = { filter: '', scope: 'all', sort: 'name', descending: false, folded: [] };
const none = (): undefined => undefined;
const keys = (items: Item[]): string[] => items.map((item) => item.key);
const inShop = { labels: { 'com.docker.compose.project': 'bookshop' } };

test('names sort as people count: web2 before web10', () => {
  const rows = ['web10', 'api', 'web2'].map((id) => sampleRow({ id }));
  expect(keys(arrange(rows, view, none))).toEqual(['api', 'web2', 'web10']);
  expect(keys(arrange(rows, { ...view, descending: true }, none))).toEqual(['web10', 'web2', 'api']);
});

test('groups appear when anything is in a project, the rest last; a folded one hides its rows', () => {
  const rows = [sampleRow({ id: 'echo' }), sampleRow({ id: 'web', ...inShop }), sampleRow({ id: 'api', ...inShop })];
  expect(keys(arrange(rows, view, none))).toEqual(['group bookshop', 'api', 'web', 'group ', 'echo']);
  expect(keys(arrange(rows, { ...view, folded: ['bookshop'] }, none))).toEqual(['group bookshop', 'group ', 'echo']);
  expect(keys(arrange(rows.slice(0, 1), view, none))).toEqual(['echo']);
});

test('a problem stands under its row', () => {
  const rows = [sampleRow({ id: 'a', error: 'trap' }), sampleRow({ id: 'b' })];
  const items = arrange(rows, view, (row) => (row.error ? { kind: 'internal', message: row.error } : undefined));
  expect(keys(items)).toEqual(['a', 'problem a', 'b']);
});

test('only running hides what has ended, not what is paused or coming back', () => {
  const rows = (['running', 'paused', 'restarting', 'exited', 'created'] as const).map((state) =>
    sampleRow({ id: state, state }),
  );
  expect(keys(arrange(rows, { ...view, scope: 'running' }, none))).toEqual(['paused', 'restarting', 'running']);
});

test('a filter looks at name, image, port, project and the start of an id', () => {
  const row = sampleRow({
    id: '4f1c09ab77e2',
    name: 'api',
    image: 'ghcr.io/acme/shop:1.4',
    ports: [{ hostIp: '', hostPort: 8080, port: 80, protocol: 'tcp' }],
    ...inShop,
  });
  for (const filter of ['', ' API ', 'acme', ':8080', '4f1c', 'bookshop api'])
    expect(matchesFilter(row, filter), filter).toBe(true);
  for (const filter of ['web', 'c09a', 'api worker']) expect(matchesFilter(row, filter), filter).toBe(false);
});

test('100,000 rows are arranged whole', () => {
  const rows = Array.from({ length: 100_000 }, (_, i) => sampleRow({ id: `c${i}` }));
  const items = arrange(rows, view, none);
  expect(items.length).toBe(100_000);
  expect(items[99_999]?.key).toBe('c99999');
});
