import { expect, test } from 'vitest';
import type { LogLine } from '../../electron/contract/channels.ts';
import { LogBuffer, longestLine } from './log-buffer.ts';

const line = (text: string, stream: 1 | 2 = 1, partial: 0 | 1 = 0): LogLine => [0, stream, text, partial];
const texts = (buffer: LogBuffer): string[] =>
  Array.from({ length: buffer.end - buffer.first }, (_, i) => buffer.at(buffer.first + i)?.text ?? '?');

test('keeps the last lines and says which number the first has', () => {
  const buffer = new LogBuffer(3);
  buffer.push(['a', 'b', 'c', 'd', 'e'].map((text) => line(text)));
  expect(texts(buffer)).toEqual(['c', 'd', 'e']);
  expect([buffer.first, buffer.end]).toEqual([2, 5]);
  expect(buffer.at(1)).toBeUndefined();
});

test('joins the parts of a line, each stream by itself, and tells which older lines grew', () => {
  const buffer = new LogBuffer();
  expect(buffer.push([line('down', 1, 1), line('err', 2)])).toEqual([]);
  expect(buffer.push([line('load', 1, 1), line('ed', 1), line('next')])).toEqual([0]);
  expect(texts(buffer)).toEqual(['download' + 'ed', 'err', 'next']);
});

test('a line without an end is cut, nothing is lost', () => {
  const buffer = new LogBuffer();
  const part = 'x'.repeat(60_000);
  buffer.push([line(part, 1, 1), line(part, 1, 1), line('end', 1, 0)]);
  expect(buffer.end).toBe(2);
  expect(texts(buffer).join('')).toBe(`${part}${part}end`);
  expect(Math.max(...texts(buffer).map((text) => text.length))).toBeLessThanOrEqual(longestLine);
});

test('an unfinished line that was dropped is not joined to', () => {
  const buffer = new LogBuffer(2);
  buffer.push([line('half', 2, 1), line('a'), line('b'), line('c')]);
  buffer.push([line('rest', 2)]);
  expect(texts(buffer)).toEqual(['c', 'rest']);
});
