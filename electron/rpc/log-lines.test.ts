import { expect, test } from 'vitest';
import type { LogEntry } from '../engine/api/index.ts';
import { LogLines } from './log-lines.ts';

const entry = (data: string | Uint8Array, partial = false, stream: 1 | 2 = 1): LogEntry => ({
  time: '2026-11-24T05:00:00.123456789Z',
  stream,
  partial,
  data: Buffer.from(data as string),
});
const at = Date.parse('2026-11-24T05:00:00.123Z');

test('a line loses its newline, and only that', () => {
  const lines = new LogLines();
  expect([...lines.of(entry('a\r\n'))]).toEqual([[at, 1, 'a\r', 0]]);
  expect([...lines.of(entry('\n', false, 2))]).toEqual([[at, 2, '', 0]]);
  expect([...lines.of(entry('half', true))]).toEqual([[at, 1, 'half', 1]]);
});

test('a character cut in two by records comes out whole, each stream by itself', () => {
  const lines = new LogLines();
  const bytes = Buffer.from('né\n');
  const texts = [
    ...lines.of(entry(bytes.subarray(0, 2), true)),
    ...lines.of(entry('é\n', false, 2)),
    ...lines.of(entry(bytes.subarray(2))),
  ].map((line) => line[2]);
  expect(texts).toEqual(['n', 'é', 'é']);
});

test('bytes that are no text do not stop it', () => {
  expect([...new LogLines().of(entry(Uint8Array.of(0x61, 0xff, 0x0a)))][0]?.[2]).toBe('a\ufffd');
});

test('an endless line comes in pieces, never through a character', () => {
  const text = `x${'😀'.repeat(80_000)}`;
  const pieces = [...new LogLines().of(entry(`${text}\n`))];
  expect(pieces.map((piece) => piece[3])).toEqual([1, 1, 0]);
  expect(pieces.map((piece) => piece[2]).join('')).toBe(text);
  for (const [, , piece] of pieces) expect(piece.isWellFormed()).toBe(true);
});
