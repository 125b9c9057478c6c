import { expect, test } from 'vitest';
import { RecordReader, RecordWriter, type RingPlace } from './record-ring.ts';

const SIZE = 1 << 10;

/** A ring whose head and tail are about to wrap. */
function ring(start = 0): { place: RingPlace; writer: RecordWriter; reader: RecordReader } {
  const words = new Int32Array(new SharedArrayBuffer(8));
  words.fill(start);
  const place = { words, head: 0, tail: 1, bytes: new Uint8Array(new SharedArrayBuffer(SIZE)) };
  return { place, writer: new RecordWriter(place), reader: new RecordReader(place) };
}

const fill = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 7 + seed) & 255);

test('a record as it was put', () => {
  const { writer, reader } = ring();
  expect(reader.next()).toBe(false);
  expect(writer.put(127, 0x7fff_fffe, -5, fill(10, 1))).toBe(true);
  expect(writer.put(2, 3, 4)).toBe(true);
  expect(reader.waiting).toBe(true);
  expect(reader.next()).toBe(true);
  expect([reader.type, reader.id, reader.argument]).toEqual([127, 0x7fff_fffe, -5]);
  expect([...reader.bytes]).toEqual([...fill(10, 1)]);
  expect(reader.next()).toBe(true);
  expect([reader.type, reader.id, reader.argument, reader.bytes.length]).toEqual([2, 3, 4, 0]);
  expect([reader.next(), reader.waiting]).toEqual([false, false]);
});

test('a full ring takes nothing until room is given back', () => {
  const { writer, reader } = ring();
  const bytes = fill(88, 0);
  let count = 0;
  while (writer.put(1, count, 0, bytes)) count++;
  expect(count).toBe(Math.floor(SIZE / 100));
  expect(writer.put(1, 0, 0, bytes)).toBe(false);
  reader.next();
  expect(writer.put(1, 0, 0, bytes)).toBe(false);
  reader.next();
  expect(reader.release(reader.start)).toBe(true);
  expect(reader.release(reader.start)).toBe(false);
  // The place at the end of the ring is too small, so the first record's is used.
  expect(writer.put(1, count, 0, bytes)).toBe(true);
  const seen = [];
  do seen.push(reader.id);
  while (reader.next());
  expect(seen).toEqual(Array.from({ length: count }, (_, index) => index + 1));
});

test('room that is kept', () => {
  const { writer } = ring();
  expect(writer.reserve(1, SIZE, SIZE - 100)?.length).toBe(88);
  expect(writer.reserve(89, SIZE, SIZE - 100)).toBeUndefined();
  expect(writer.put(1, 0, 0, fill(89, 0), SIZE - 100)).toBe(false);
});

test('less than was reserved may be used', () => {
  const { writer, reader } = ring();
  const place = writer.reserve(10, 500) as Uint8Array;
  expect(place.length).toBe(500);
  place.set(fill(13, 9));
  writer.commit(1, 2, 3, 13);
  writer.put(4, 5, 6, fill(3, 2));
  reader.next();
  expect([...reader.bytes]).toEqual([...fill(13, 9)]);
  reader.next();
  expect([...reader.bytes]).toEqual([...fill(3, 2)]);
});

test.each([0, -1 & ~3, -SIZE * 3 - 64, 0x7fff_ff00])('a long way round, from %i', (start) => {
  const { writer, reader } = ring(start);
  let [put, got, seed] = [0, 0, 12345];
  const random = (most: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    // The low bits of such a generator are hardly random.
    return (seed >> 8) % most;
  };
  while (got < 20_000) {
    if (random(2) === 0) {
      const bytes = fill(random(400), put);
      if (writer.put(1 + (put & 63), put, -put, bytes)) put++;
    } else if (reader.next()) {
      expect([reader.type, reader.id, reader.argument]).toEqual([1 + (got & 63), got, 0 - got]);
      const { bytes } = reader;
      for (let at = 0; at < bytes.length; at++)
        if (bytes[at] !== ((at * 7 + got) & 255)) throw new Error(`record ${got}`);
      got++;
      if (random(3) > 0) reader.release();
    } else reader.release();
  }
  expect(writer.free).toBeLessThanOrEqual(SIZE);
});

test('a record that was begun and never published is not there', () => {
  const { place, writer, reader } = ring();
  writer.put(1, 1, 1);
  const rest = writer.reserve(100, 100) as Uint8Array;
  rest.fill(255);
  expect(reader.next()).toBe(true);
  expect(reader.next()).toBe(false);
  // The next thread goes on where the last has published.
  const next = new RecordWriter(place);
  next.put(2, 2, 2);
  expect([reader.next(), reader.id]).toEqual([true, 2]);
});
