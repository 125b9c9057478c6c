import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseTime, PREFIX_LENGTH } from '../base/log-format.ts';
import { LogWriter } from './log-writer.ts';

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'drydock-log-'))));
afterEach(() => rmSync(directory, { recursive: true }));

type Piece = [stream: 0 | 1, text: string];
const batch = (writer: LogWriter, ...pieces: Piece[]): void => {
  writer.begin();
  for (const [stream, text] of pieces) writer.add(stream, Buffer.from(text));
  writer.end();
};
const segments = () => readdirSync(directory).sort();
const text = () =>
  segments()
    .map((name) => readFileSync(join(directory, name), 'latin1'))
    .join('');
/** Records without their times. */
const records = () =>
  text()
    .split('\n')
    .slice(0, -1)
    .map((line) => line.slice(31));

test('lines, joined pieces, partial ends and changes of stream', () => {
  const writer = new LogWriter({ directory, maxFiles: 1 });
  batch(writer, [0, 'one\ntwo\n'], [0, 'thr'], [0, 'ee\n'], [1, 'oops\n'], [0, 'prompt'], [1, 'err'], [1, '\n\n']);
  batch(writer, [0, ' more'], [0, '\n']);
  batch(writer, [0, 'the end']);
  writer.close();
  expect(records()).toEqual([
    'stdout F one',
    'stdout F two',
    'stdout F three',
    'stderr F oops',
    'stdout P prompt',
    'stderr F err',
    'stderr F ',
    'stdout F  more',
    'stdout P the end',
  ]);
  expect(writer.offset).toBe(text().length);
});

test('one time a batch, valid, and never going back over starts', () => {
  const writer = new LogWriter({ directory, maxFiles: 1 });
  batch(writer, [0, 'a\nb\n']);
  batch(writer, [0, 'c\n']);
  writer.close();
  const future = '2999-01-01T00:00:00.000000001Z stdout F late\n';
  appendFileSync(join(directory, segments()[0] as string), future);
  const again = new LogWriter({ directory, maxFiles: 1 });
  batch(again, [1, 'd\n']);
  again.close();
  const times = text()
    .split('\n')
    .slice(0, -1)
    .map((line) => parseTime(line.slice(0, 30)));
  expect(times[0]).toBe(times[1]);
  expect(times[2]).toBeGreaterThan(times[1] as bigint);
  expect(times[4]).toBe(times[3]);
});

test('offsets go on over starts, and a torn record is cut off', () => {
  const first = new LogWriter({ directory, maxFiles: 1 });
  batch(first, [0, 'whole\n']);
  const { offset } = first;
  first.close();
  appendFileSync(join(directory, segments()[0] as string), '2026-11-24T05:00:00.000000000Z stdout F tor');
  const second = new LogWriter({ directory, maxFiles: 1 });
  expect(second.offset).toBe(offset);
  batch(second, [0, 'next\n']);
  second.close();
  expect(records()).toEqual(['stdout F whole', 'stdout F next']);
  expect(second.offset).toBe(offset * 2 - 1);
});

test('a log that is nothing but a torn record becomes empty', () => {
  writeFileSync(join(directory, '0000000000000500.log'), 'x'.repeat(70_000));
  const writer = new LogWriter({ directory, maxFiles: 1 });
  expect(writer.offset).toBe(500);
  writer.close();
});

test('rotation at record boundaries keeps the newest files', () => {
  const writer = new LogWriter({ directory, maxSize: 1000, maxFiles: 3 });
  const lines = Array.from({ length: 200 }, (_, i) => `line ${i}\n`);
  batch(writer, ...lines.slice(0, 150).map((line): Piece => [0, line]));
  for (const line of lines.slice(150)) batch(writer, [0, line]);
  writer.close();
  const names = segments();
  expect(names).toHaveLength(3);
  let offset = Number((names[0] as string).slice(0, 16));
  for (const name of names) {
    expect(Number(name.slice(0, 16))).toBe(offset);
    const content = readFileSync(join(directory, name), 'latin1');
    expect(content.endsWith('\n')).toBe(true);
    expect(content.length).toBeLessThan(1000 + PREFIX_LENGTH + 20);
    offset += content.length;
  }
  expect(offset).toBe(writer.offset);
  const kept = records().map((line) => line.slice(9));
  expect(kept).toEqual(lines.slice(-kept.length).map((line) => line.trimEnd()));
});

test('the next start goes on in the last of several segments', () => {
  const options = { directory, maxSize: 200, maxFiles: 2 };
  const first = new LogWriter(options);
  for (let i = 0; i < 20; i++) batch(first, [0, `first ${i}\n`]);
  first.close();
  const second = new LogWriter(options);
  expect(second.offset).toBe(first.offset);
  for (let i = 0; i < 20; i++) batch(second, [0, `second ${i}\n`]);
  second.close();
  expect(segments()).toHaveLength(2);
  expect(records().at(-1)).toBe('stdout F second 19');
});

test('lines longer than any buffer stay whole', () => {
  const writer = new LogWriter({ directory, maxFiles: 1 });
  const half = 'x'.repeat(400_000);
  batch(writer, [0, half], [0, half], [0, `${half}\n`], [0, 'after\n']);
  writer.close();
  expect(records().map((line) => line.length)).toEqual([9 + 1_200_000, 14]);
});

test('random pieces come back as they went in', () => {
  let seed = 7;
  const random = (below: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
  const writer = new LogWriter({ directory, maxSize: 5000, maxFiles: 10_000 });
  const expected = ['', ''];
  for (let i = 0; i < 300; i++) {
    const pieces = Array.from({ length: random(6) }, (): Piece => {
      const stream = random(2) as 0 | 1;
      const piece = Array.from({ length: random(40) }, () => (random(8) === 0 ? '\n' : 'ab'[random(2)])).join('');
      expected[stream] += piece;
      return [stream, piece];
    });
    batch(writer, ...pieces);
  }
  writer.close();
  const found = ['', ''];
  for (const record of records())
    found[record.startsWith('stderr') ? 1 : 0] += record.slice(9) + (record[7] === 'F' ? '\n' : '');
  expect(found).toEqual(expected);
});

/** A disk that is full for a while, after having taken half of a write. */
test('a full disk holds bytes back, and they follow when there is room', () => {
  let full = false;
  const writer = new LogWriter({ directory, maxFiles: 1 }, (fd, buffer, offset, length) => {
    if (!full) return writeSync(fd, buffer, offset, length);
    if (length > 20) return writeSync(fd, buffer, offset, 20);
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  });
  batch(writer, [0, 'before\n']);
  full = true;
  batch(writer, [0, 'held back\n']);
  expect(writer.stuck?.code).toBe('ENOSPC');
  expect(writer.retry()).toBe(false);
  full = false;
  expect(writer.retry()).toBe(true);
  batch(writer, [1, 'after\n']);
  writer.close();
  expect(records()).toEqual(['stdout F before', 'stdout F held back', 'stderr F after']);
  expect(writer.offset).toBe(text().length);
});

test('what is given up on a full disk leaves no torn record', () => {
  let full = false;
  const writer = new LogWriter({ directory, maxFiles: 1 }, (fd, buffer, offset, length) => {
    if (!full || length > 20) return writeSync(fd, buffer, offset, full ? 20 : length);
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  });
  batch(writer, [0, 'before\n']);
  full = true;
  batch(writer, [0, 'lost\n']);
  writer.close();
  expect(records()).toEqual(['stdout F before']);
  expect(writer.offset).toBe(text().length);
});
