import { expect, test } from 'vitest';
import { InputReader, InputWriter } from './input-ring.ts';
import { INPUT_SIZE, openBridge, word } from './layout.ts';

function pair() {
  const bridge = openBridge();
  let rings = 0;
  return {
    bridge,
    reader: new InputReader(bridge, () => rings++),
    writer: new InputWriter(bridge),
    rings: () => rings,
  };
}

test('bytes arrive in order, and the end after them', () => {
  const { reader, writer } = pair();
  writer.push(Buffer.from('hello '));
  writer.push(Buffer.from('world'));
  writer.end();
  expect(writer.flush()).toBe(11);
  const into = Buffer.alloc(8);
  expect(reader.ended()).toBe(false);
  expect(reader.take(into)).toBe(8);
  expect(into.toString()).toBe('hello wo');
  expect(reader.available()).toBe(3);
  expect(reader.take(into)).toBe(3);
  expect(reader.ended()).toBe(true);
  expect(reader.take(into)).toBe(0);
});

test('what does not fit waits, the guest rings after taking, and the end comes last', () => {
  const { bridge, reader, writer, rings } = pair();
  const bytes = Buffer.alloc(INPUT_SIZE * 3 + 77);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 7) % 251;
  writer.push(bytes);
  writer.end();
  expect(writer.flush()).toBe(INPUT_SIZE);
  expect(writer.pending).toBe(bytes.length - INPUT_SIZE);
  const taken: Buffer[] = [];
  while (!reader.ended()) {
    const before = rings();
    const into = Buffer.alloc(50_000);
    const count = reader.take(into);
    expect(count).toBeGreaterThan(0);
    taken.push(into.subarray(0, count));
    if (rings() > before) writer.flush();
  }
  expect(Buffer.concat(taken).equals(bytes)).toBe(true);
  expect(Atomics.load(bridge.words, word.inputPending)).toBe(0);
});

test('new bytes and the end wake the guest', () => {
  const { bridge, writer } = pair();
  const wakes = () => Atomics.load(bridge.words, word.wake);
  writer.push(Buffer.from('x'));
  writer.flush();
  expect(wakes()).toBe(1);
  writer.flush();
  expect(wakes()).toBe(1);
  writer.end();
  writer.flush();
  expect(wakes()).toBe(2);
});

test('a mark is the end for one read, and what follows comes after it', () => {
  const { reader, writer, rings } = pair();
  const into = Buffer.alloc(8);
  writer.push(Buffer.from('ab'));
  writer.mark();
  writer.mark();
  writer.push(Buffer.from('cd'));
  writer.end();
  expect(writer.flush()).toBe(2);
  expect([reader.available(), reader.ended()]).toEqual([2, false]);
  reader.take(into);
  for (const before of [0, 1]) {
    expect([reader.ended(), reader.take(into)]).toEqual([true, 0]);
    // Asked again, nothing new happens until the guest was told.
    expect(writer.flush()).toBe(0);
    expect(rings()).toBe(before);
    reader.passEnd();
    reader.passEnd();
    expect([rings(), reader.ended()]).toEqual([before + 1, false]);
    writer.flush();
  }
  expect([reader.available(), reader.ended()]).toEqual([2, false]);
  reader.take(into);
  expect(reader.ended()).toBe(true);
  reader.passEnd();
  expect([reader.ended(), rings()]).toEqual([true, 2]);
});
