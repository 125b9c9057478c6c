import { expect, test } from 'vitest';
import { referenceProblem, shortReference, splitReference } from './image-name.ts';

test('a port is not a tag', () => {
  expect(splitReference('localhost:5000/a/b')).toEqual({ name: 'localhost:5000/a/b', tag: '' });
  expect(splitReference('localhost:5000/a/b:1')).toEqual({ name: 'localhost:5000/a/b', tag: '1' });
});

test('long names are shortened in the middle and keep the tag', () => {
  expect(shortReference('ghcr.io/acme/bookshop-api:1.4', 19)).toBe('ghcr.io…hop-api:1.4');
  expect(shortReference('python:3.12-wasi', 19)).toBe('python:3.12-wasi');
  expect(shortReference(`sha256:${'4f1c09ab77e2'.padEnd(64, '0')}`, 19)).toBe('4f1c09ab77e2');
});

test('references that cannot be, with the reason', () => {
  for (const good of ['hello', 'hello:latest', 'ghcr.io/acme/a_b:1.0', 'localhost:5000/x', 'a--b'])
    expect(referenceProblem(good), good).toBeUndefined();
  expect(referenceProblem(' ')).toBe('empty');
  expect(referenceProblem('Hello:latest')).toBe('upperCase');
  for (const bad of ['a b', 'a:', 'a//b', '-a', 'a:t ag']) expect(referenceProblem(bad), bad).toBe('form');
});
