import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { openBridge, OUTPUT_SIZE, resetBridge, word } from './layout.ts';
import { OutputReader, OutputWriter, RECORD_LIMIT } from './output-ring.ts';

function pair() {
  const bridge = openBridge();
  let rings = 0;
  const writer = new OutputWriter(bridge, () => rings++);
  const reader = new OutputReader(bridge);
  const read = (limit = Infinity) => {
    const found: [number, string][] = [];
    const freed = reader.read(limit, (stream, bytes, start, end) =>
      found.push([stream, bytes.toString('latin1', start, end)]),
    );
    return { freed, found };
  };
  return { bridge, writer, reader, read, rings: () => rings };
}

describe('records', () => {
  test('the chunks of one write are one record, with its stream', () => {
    const { writer, read } = pair();
    expect(writer.write(0, [Buffer.from('hello '), Buffer.from('world'), Buffer.from('\n')])).toBe(12);
    expect(writer.write(1, [Buffer.from('oops')])).toBe(4);
    expect(writer.write(1, [Buffer.alloc(0)])).toBe(0);
    expect(read().found).toEqual([
      [0, 'hello world\n'],
      [1, 'oops'],
    ]);
    expect(read()).toEqual({ freed: 0, found: [] });
  });

  test('a large write is taken in parts', () => {
    const { writer } = pair();
    expect(writer.write(0, [Buffer.alloc(RECORD_LIMIT - 10), Buffer.alloc(100)])).toBe(RECORD_LIMIT);
  });

  test('a full ring takes nothing, says so, and goes on after reading', () => {
    const { writer, read } = pair();
    let taken = 0;
    while (writer.writable()) taken += writer.write(0, [Buffer.alloc(1000, 0x61)]);
    let more: number;
    while ((more = writer.write(0, [Buffer.alloc(1000, 0x61)])) > 0) taken += more;
    expect(taken).toBeGreaterThan(OUTPUT_SIZE * 0.9);
    expect(writer.writable()).toBe(false);
    let seen = 0;
    for (;;) {
      const { freed, found } = read(10_000);
      if (freed === 0) break;
      for (const [, text] of found) seen += text.length;
    }
    expect(seen).toBe(taken);
    expect(writer.writable()).toBe(true);
    expect(writer.write(0, [Buffer.alloc(RECORD_LIMIT)])).toBe(RECORD_LIMIT);
  });

  test('random records over many turns of the ring', () => {
    const { writer, read } = pair();
    let seed = 3;
    const random = (below: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
    const expected: [number, string][] = [];
    const found: [number, string][] = [];
    for (let i = 0; i < 3000; i++) {
      const text = String(i).padEnd(random(i % 50 === 0 ? RECORD_LIMIT : 3000), 'abcdefg');
      const stream = random(2) as 0 | 1;
      if (writer.write(stream, [Buffer.from(text)]) > 0) expected.push([stream, text]);
      if (random(20) === 0 || !writer.writable()) found.push(...read(random(1 << 19)).found);
    }
    found.push(...read().found);
    expect(expected.length).toBeGreaterThan(2500);
    expect(found.length).toBe(expected.length);
    expect(found.every(([stream, text], i) => stream === expected[i]?.[0] && text === expected[i]?.[1])).toBe(true);
  });

  test('counters wrap at 2^32', () => {
    const { bridge, writer, reader, read } = pair();
    resetBridge(bridge);
    const near = (2 ** 32 - 2 * OUTPUT_SIZE) | 0;
    Atomics.store(bridge.words, word.outputHead, near);
    Atomics.store(bridge.words, word.outputTail, near);
    writer.reset(near);
    for (let i = 0; i < 100; i++) {
      expect(writer.write(0, [Buffer.from(String(i).padEnd(60_000))])).toBe(60_000);
      expect(read().found[0]?.[1].trim()).toBe(String(i));
    }
    expect(reader.empty()).toBe(true);
  });
});

test('a record whose head was not stored does not exist: a guest ended in between leaves nothing half-written', () => {
  const { bridge, writer, read } = pair();
  writer.write(0, [Buffer.from('whole')]);
  const visible = Atomics.load(bridge.words, word.outputHead);
  writer.write(0, [Buffer.from('never published')]);
  Atomics.store(bridge.words, word.outputHead, visible);
  expect(read().found).toEqual([[0, 'whole']]);
  expect(read().freed).toBe(0);
});

test('the bell rings once for a sleeping reader, and sleep notices what came before it', () => {
  const { writer, reader, read, rings } = pair();
  writer.write(0, [Buffer.from('a')]);
  expect(rings()).toBe(0);
  expect(reader.sleep()).toBe(false);
  read();
  expect(reader.sleep()).toBe(true);
  writer.write(0, [Buffer.from('b')]);
  writer.write(0, [Buffer.from('c')]);
  expect(rings()).toBe(1);
});

test('two threads: everything arrives, in order', async () => {
  const bridge = openBridge();
  const total = 200_000;
  const worker = new Worker(
    `const { workerData } = require('node:worker_threads');
     (async () => {
       const { openBridge, word } = await import(workerData.layout);
       const { OutputWriter } = await import(workerData.ring);
       const bridge = openBridge(workerData.shared);
       const writer = new OutputWriter(bridge, () => undefined);
       for (let i = 0; i < ${total}; i++) {
         const line = Buffer.from(i + ' '.repeat(i % 97) + '\\n');
         while (writer.write(0, [line]) === 0) Atomics.wait(bridge.words, word.wake, Atomics.load(bridge.words, word.wake), 1);
       }
     })();`,
    {
      eval: true,
      workerData: {
        shared: bridge.shared,
        layout: new URL('./layout.ts', import.meta.url).href,
        ring: new URL('./output-ring.ts', import.meta.url).href,
      },
    },
  );
  const failed = new Promise<never>((_, reject) => worker.on('error', reject));
  const reader = new OutputReader(bridge);
  let next = 0;
  let wrong = 0;
  while (next < total) {
    reader.read(1 << 16, (_stream, bytes, start, end) => {
      if (parseInt(bytes.toString('latin1', start, end), 10) !== next++) wrong++;
    });
    await Promise.race([failed, new Promise((resolve) => setImmediate(resolve))]);
  }
  expect(wrong).toBe(0);
  await worker.terminate();
});
