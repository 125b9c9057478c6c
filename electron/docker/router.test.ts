import { expect, test } from 'vitest';
import { findRoute, route } from './router.ts';

const noop = (): void => undefined;
const table = [
  route('GET', '/images/json', noop),
  route('GET', '/images/{name*}/json', noop),
  route('DELETE', '/images/{name*}', noop),
  route('GET', '/containers/{name}/json', noop),
];

test.each([
  ['GET', '/images/json', '/images/json', {}],
  ['GET', '/images/127.0.0.1:5000/a/b:1/json', '/images/{name*}/json', { name: '127.0.0.1:5000/a/b:1' }],
  ['GET', '/images/a%2Fb@sha256:00/json', '/images/{name*}/json', { name: 'a/b@sha256:00' }],
  ['GET', '/images/json/json', '/images/{name*}/json', { name: 'json' }],
  ['DELETE', '/images/r/t', '/images/{name*}', { name: 'r/t' }],
  ['GET', '/containers/tk/json', '/containers/{name}/json', { name: 'tk' }],
])('%s %s → %s', (method, path, pattern, params) => {
  const match = findRoute(table, method, path);
  expect(match?.route.pattern).toBe(pattern);
  expect(match?.params).toEqual(params);
});

test('no route for another method, a container name with a slash, or a longer path', () => {
  expect(findRoute(table, 'POST', '/images/json')).toBeUndefined();
  expect(findRoute(table, 'GET', '/containers/a/b/json')).toBeUndefined();
  expect(findRoute(table, 'GET', '/containers/a/json/')).toBeUndefined();
});

test('a broken escape is named', () => {
  expect(() => findRoute(table, 'GET', '/images/%zz/json')).toThrow(/broken escape: %zz/);
});
