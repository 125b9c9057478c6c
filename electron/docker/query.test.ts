import { expect, test } from 'vitest';
import { anyValue, booleanValue, oneOf, readFilters } from './filters.ts';
import { flag, integer, object, timestamp } from './query.ts';

const query = (text: string): URLSearchParams => new URLSearchParams(text);

test.each(['1', 'true', 'True', 't', 'yes'])('%s is true', (value) =>
  expect(flag(query(`a=${value}`), 'a')).toBe(true),
);
test.each(['', '0', 'no', 'false', 'False', 'none'])('"%s" is false', (value) =>
  expect(flag(query(`a=${value}`), 'a', true)).toBe(false),
);
test('an absent boolean is the fallback', () => {
  expect(flag(query(''), 'a')).toBe(false);
  expect(flag(query(''), 'a', true)).toBe(true);
});

test('numbers', () => {
  expect(integer(query('n=-1'), 'n')).toBe(-1);
  expect(integer(query('n='), 'n')).toBeUndefined();
  expect(() => integer(query('n=3x'), 'n')).toThrow('"3x"');
});

test('times keep their nanoseconds', () => {
  expect(timestamp(query('t=1700000000.123456789'), 't')).toBe(1_700_000_000_123_456_789n);
  expect(timestamp(query('t=1700000000.5'), 't')).toBe(1_700_000_000_500_000_000n);
  expect(timestamp(query('t=1700000000'), 't')).toBe(1_700_000_000_000_000_000n);
  expect(timestamp(query('t=2023-11-14T22:13:20.000000001Z'), 't')).toBe(1_700_000_000_000_000_001n);
  expect(timestamp(query('t='), 't')).toBeUndefined();
  expect(() => timestamp(query('t=soon'), 't')).toThrow('"soon"');
});

test('JSON objects in the query', () => {
  expect(object(query('o={"a":null}'), 'o')).toEqual({ a: null });
  expect(object(query('o='), 'o')).toBeUndefined();
  expect(() => object(query('o={'), 'o')).toThrow('not JSON');
  expect(() => object(query('o=[]'), 'o')).toThrow('not a JSON object');
});

const keys = { label: anyValue, status: oneOf('running', 'exited'), dangling: booleanValue };
const filters = (value: string) => readFilters(query(`filters=${encodeURIComponent(value)}`), keys);

test('filters come as lists and as objects of booleans', () => {
  expect(filters('{"label":{"a=b":true,"c":true}}')).toEqual(new Map([['label', ['a=b', 'c']]]));
  expect(filters('{"label":["a=b"],"status":["exited"]}')).toEqual(
    new Map([
      ['label', ['a=b']],
      ['status', ['exited']],
    ]),
  );
  expect(filters('')).toEqual(new Map());
  expect(filters('{"label":[]}')).toEqual(new Map());
});

test.each([
  ['{bad', /not JSON/],
  ['[]', /not a JSON object/],
  ['{"x":["1"]}', /^invalid filter 'x'$/],
  ['{"toString":["1"]}', /^invalid filter 'toString'$/],
  ['{"status":["bogus"]}', /^invalid filter 'status=bogus'$/],
  ['{"dangling":["maybe"]}', /^invalid filter 'dangling=maybe'$/],
  ['{"label":"a"}', /expected a list/],
])('filters %s are refused', (value, message) => expect(() => filters(value)).toThrow(message));
