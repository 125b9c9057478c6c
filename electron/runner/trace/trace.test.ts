import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import { fixture } from '../../../test/fixtures/compile.ts';
import { openTestRunner, type TestRunner } from '../../../test/support/runner.ts';
import { HandGuest } from '../wasi/testing.ts';
import { callShapes, shapeOf } from './call-shapes.ts';
import { TraceRing } from './trace-ring.ts';

describe('the ring', () => {
  test('gives what was written since, and says when some is gone', () => {
    const ring = new TraceRing();
    expect(ring.read()).toEqual({ text: '', head: 0, lost: false });
    ring.write('one');
    ring.write('two');
    const first = ring.read();
    expect(first).toMatchObject({ text: 'one\ntwo\n', lost: false });
    ring.write('three');
    expect(ring.read(first.head).text).toBe('three\n');
    expect(ring.read(ring.read().head)).toMatchObject({ text: '', lost: false });
  });

  test('keeps the last megabyte in whole lines, also around its end', () => {
    const ring = new TraceRing();
    const line = (n: number): string => `${String(n).padStart(8, '0')} ${'x'.repeat(n % 90)}`;
    for (let n = 0; n < 60_000; n++) ring.write(line(n));
    const { text, lost } = ring.read(0);
    expect(lost).toBe(true);
    const lines = text.split('\n').slice(0, -1);
    expect(text.length).toBeGreaterThan(1_000_000);
    const from = 60_000 - lines.length;
    expect(lines).toEqual(lines.map((_, at) => line(from + at)));
  });

  test('is the same memory for both sides', () => {
    const writer = new TraceRing();
    const reader = new TraceRing(writer.memory);
    reader.on = true;
    expect(writer.on).toBe(true);
    writer.write('x');
    expect(reader.read().text).toBe('x\n');
  });
});

describe('shapes', () => {
  test('every host function has one, of the number of parameters that it takes', () => {
    using guest = new HandGuest();
    for (const [name, host] of Object.entries(guest.imports)) {
      const known = callShapes[name] ?? callShapes[name.replace(/_v2$/, '')] ?? callShapes[`${name}_v2`];
      expect(known, name).toBeDefined();
      if (host.length > 0)
        expect(
          shapeOf(name, host.length).inputs.every(({ name: word }) => !/^\d+$/.test(word)),
          name,
        ).toBe(true);
    }
  });

  test('what is not known is shown as numbers', () => {
    expect(shapeOf('nobody_knows', 2).inputs).toEqual([
      { name: '0', kind: 'u', at: 0 },
      { name: '1', kind: 'u', at: 1 },
    ]);
    expect(shapeOf('sock_accept', 3).inputs.map(({ name }) => name)).toEqual(['fd', 'flags']);
  });
});

interface Line {
  readonly t: string;
  readonly d: number;
  readonly f: string;
  readonly a: string;
  readonly r: string;
  readonly o?: string;
}
const parsed = (text: string): Line[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);

describe('real runs', () => {
  let runner: TestRunner;
  beforeAll(async () => {
    runner = await openTestRunner();
    runner.write('tool.wasm', readFileSync(fixture('tool')));
  });
  afterAll(() => runner.close());

  test.each(['process', 'shared'] as const)('calls with arguments, results and times (%s)', async (isolation) => {
    const started = Date.now();
    const run = runner.start('/tool.wasm', ['read', '/nope'], { isolation, trace: 'on' });
    const { trace } = await run.end();
    const lines = parsed(trace?.text ?? '');
    const open = lines.find(({ f }) => f === 'path_open');
    expect(open).toMatchObject({ r: 'NOENT', a: expect.stringContaining('path="nope"') });
    expect(open?.o).toBeUndefined();
    expect(lines.find(({ f }) => f === 'fd_write')).toMatchObject({
      r: 'SUCCESS',
      a: expect.stringMatching(/^fd=2 data="/),
      o: expect.stringMatching(/^written=\d+$/),
    });
    expect(lines.at(-1)).toMatchObject({ f: 'proc_exit', a: 'code=2', r: 'exit' });
    for (const { t, d } of lines) {
      expect(Math.abs(Number(BigInt(t) / 1_000_000n) - started)).toBeLessThan(600_000);
      expect(d).toBeGreaterThanOrEqual(0);
    }
  });

  test.each(['process', 'shared'] as const)(
    'a wait counts until its end, and the switch works at once (%s)',
    async (isolation) => {
      const { run } = runner.start('/tool.wasm', ['cat'], { isolation, stdin: 'open', trace: 'off' });
      await run.started;
      expect(await run.trace({})).toMatchObject({ on: false, text: '' });
      expect(await run.trace({ on: true })).toMatchObject({ on: true });
      await run.writeStdin(Buffer.from('hello'));
      // The read that was under way began before; the next one is seen.
      let lines: Line[] = [];
      while (!lines.some(({ f }) => f === 'fd_write')) lines = parsed((await run.trace({}))?.text ?? '');
      expect(lines.find(({ f }) => f === 'fd_write')).toMatchObject({ a: 'fd=1 data="hello"', o: 'written=5' });
      const head = (await run.trace({ on: false }))?.head;
      run.endStdin();
      const end = await run.ended;
      expect(end.trace).toMatchObject({ on: false });
      expect(head).toBeTypeOf('number');
    },
  );

  test('a run without a trace has none', async () => {
    const run = runner.start('/tool.wasm', ['echo', 'x']);
    expect((await run.end()).trace).toBeUndefined();
  });
});
