import { describe, expect, it } from 'vitest';
import { globPattern } from './glob.ts';

// From the table in Go's path/match_test.go, where it bears on what people write.
const cases: [string, string, boolean | 'error'][] = [
  ['abc', 'abc', true],
  ['*', 'abc', true],
  ['*c', 'abc', true],
  ['a*', 'a', true],
  ['a*', 'ab/c', false],
  ['a*/b', 'abc/b', true],
  ['a*/b', 'a/c/b', false],
  ['a*b*c*d*e*/f', 'axbxcxdxe/f', true],
  ['a*b?c*x', 'abxbbxdbxebxczzx', true],
  ['ab[c]', 'abc', true],
  ['ab[b-d]', 'abc', true],
  ['ab[e-g]', 'abc', false],
  ['ab[^c]', 'abc', false],
  ['ab[^e-g]', 'abc', true],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'ab', false],
  ['a?b', 'a☺b', true],
  ['a[^a]b', 'a☺b', true],
  ['a???b', 'a☺b', false],
  ['[a-ζ]*', 'α', true],
  ['*[a-ζ]', 'A', false],
  ['a?b', 'a/b', false],
  ['[\\]a]', ']', true],
  ['[\\-]', '-', true],
  ['[x\\-]', 'x', true],
  ['[]a]', ']', 'error'],
  ['[-]', '-', 'error'],
  ['[x-]', 'x', 'error'],
  ['[a-b-c]', 'a', 'error'],
  ['[', 'a', 'error'],
  ['a[', 'a', 'error'],
  ['a\\', 'a', 'error'],
  ['*x', 'xxx', true],
  ['a-b.{1}+$', 'a-b.{1}+$', true],
  ['a.c', 'abc', false],
];

describe('glob', () => {
  it.each(cases)('%s against %s is %s', (glob, text, expected) => {
    if (expected === 'error') expect(() => globPattern(glob)).toThrow('syntax error in pattern');
    else expect(globPattern(glob).test(text)).toBe(expected);
  });
});
