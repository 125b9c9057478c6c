import { expect, test } from 'vitest';
import { treeLines } from './json-tree.ts';

const value = { Id: 'abc', State: { Running: true, Health: { Status: 'good' } }, Mounts: [{ Source: '/srv' }] };
const paths = (search: string, toggled: string[] = [], openDepth = 1): string[] =>
  treeLines(value, { search, toggled: new Set(toggled), openDepth }).map((line) => line.path);

test('the first level is open, deeper ones are closed until they are asked for', () => {
  expect(paths('')).toEqual(['/Id', '/State', '/State/Running', '/State/Health', '/Mounts', '/Mounts/0']);
  expect(paths('', ['/State', '/Mounts/0'])).toEqual(['/Id', '/State', '/Mounts', '/Mounts/0', '/Mounts/0/Source']);
});

test('a search opens the way to what it found: in names and in values', () => {
  expect(paths('good')).toEqual(['/State', '/State/Health', '/State/Health/Status']);
  expect(paths('mounts')).toEqual(['/Mounts', '/Mounts/0', '/Mounts/0/Source']);
  expect(paths('nothing')).toEqual([]);
});
