import { expect, test } from 'vitest';
import { outputEncoder, outputType } from './streams.ts';
import { entry } from './testing/fake-engine.ts';

function parse(bytes: Buffer): [number, string][] {
  const out: [number, string][] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32BE(at + 4);
    expect(bytes.subarray(at + 1, at + 4)).toEqual(Buffer.alloc(3));
    out.push([bytes[at] ?? 0, bytes.subarray(at + 8, at + 8 + length).toString()]);
    at += 8 + length;
  }
  return out;
}

test('neighbours of one stream share a frame, streams do not', () => {
  const bytes = outputEncoder(false).encode([
    entry(1, 'a\n'),
    entry(1, 'b\n'),
    entry(2, 'e\n'),
    entry(1, ''),
    entry(1, 'c'),
  ]);
  expect(parse(bytes)).toEqual([
    [1, 'a\nb\n'],
    [2, 'e\n'],
    [1, 'c'],
  ]);
});

test('frames stay within 64 KiB unless one entry is longer', () => {
  const piece = 'x'.repeat(30_000);
  const frames = parse(
    outputEncoder(false).encode([piece, piece, piece, 'y'.repeat(100_000)].map((text) => entry(2, text))),
  );
  expect(frames.map(([, text]) => text.length)).toEqual([60_000, 30_000, 100_000]);
});

test('an empty batch is no bytes', () => {
  expect(outputEncoder(false).encode([])).toHaveLength(0);
  expect(outputEncoder(false).encode([entry(1, '')])).toHaveLength(0);
});

test('times stand before lines, once for a line that comes in parts', () => {
  const time = '2026-01-01T00:00:00.000000001Z';
  const encoder = outputEncoder(false, { timestamps: true, details: 'a=b ' });
  const text = [
    encoder.encode([entry(1, 'one\ntwo\n'), entry(1, 'par')]),
    encoder.encode([entry(2, 'err\n'), entry(1, 't\n')]),
    encoder.encode([entry(1, '\n')]),
  ].flatMap(parse);
  expect(text).toEqual([
    [1, `${time} a=b one\n${time} a=b two\n${time} a=b par`],
    [2, `${time} a=b err\n`],
    [1, 't\n'],
    [1, `${time} a=b \n`],
  ]);
});

test('content types', () => {
  expect(outputType(false, '1.42')).toBe('application/vnd.docker.multiplexed-stream');
  expect(outputType(false, '1.41')).toBe('application/vnd.docker.raw-stream');
  expect(outputType(true, '1.50')).toBe('application/vnd.docker.raw-stream');
});
