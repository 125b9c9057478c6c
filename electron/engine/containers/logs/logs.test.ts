import { appendFileSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatTime, segmentName } from '../../../base/log-format.ts';
import type { LogEntry, LogOptions } from '../../api/index.ts';
import { ContainerLog } from './container-log.ts';
import { completeEnd } from './files.ts';
import { bytesOf, random, writeLog, type TestRecord } from './testing.ts';

const start = 1_700_000_000_000_000_000n;
const both: LogOptions = { stdout: true, stderr: true };

/** Records with equal times in batches, both streams, unfinished lines and lengths from nothing to beyond a block. */
function generate(seed: number, count: number): TestRecord[] {
  const next = random(seed);
  let time = start;
  return Array.from({ length: count }, (_, i) => {
    if (next(4) === 0) time += BigInt(1 + next(5_000_000));
    const length = next(200) === 0 ? 70_000 : next(120);
    return { time, stream: next(3) === 0 ? 2 : 1, partial: next(10) === 0, text: `${i} ${'x'.repeat(length)}` };
  });
}

const show = (record: TestRecord): string =>
  `${formatTime(record.time)} ${record.stream} ${record.text}${record.partial ? '' : '\n'}`;

async function collect(source: AsyncIterable<readonly LogEntry[]>): Promise<string[]> {
  const out: string[] = [];
  for await (const batch of source)
    for (const entry of batch) out.push(`${entry.time} ${entry.stream} ${Buffer.from(entry.data).toString()}`);
  return out;
}

/** The same questions answered by looking at every record. */
function naive(records: readonly TestRecord[], options: LogOptions): string[] {
  let kept = records.filter(({ time }) => options.until === undefined || time <= options.until);
  if (options.tail !== undefined) {
    let lines = 0;
    let from = kept.length;
    let first = true;
    for (let i = kept.length - 1; i >= 0; i--) {
      const record = kept[i] as TestRecord;
      if (!(record.stream === 1 ? options.stdout : options.stderr)) continue;
      if ((first || !record.partial) && ++lines > options.tail) break;
      first = false;
      from = i;
    }
    kept = options.tail === 0 ? [] : kept.slice(from);
  }
  return kept
    .filter(({ time }) => options.since === undefined || time >= options.since)
    .filter(({ stream }) => (stream === 1 ? options.stdout : options.stderr))
    .map(show);
}

test.each([
  ['one segment', Infinity],
  ['segments of 50 KB', 50_000],
  ['segments of 10 KB', 10_000],
])('every question has the naive answer: %s', async (_, segmentSize) => {
  const records = generate(7, 3000);
  const log = new ContainerLog(writeLog(records, segmentSize, '2023-11-14T22:13:20.0000'));
  const next = random(11);
  const times = [start - 1n, start, records[1500]?.time ?? 0n, (records[2999]?.time ?? 0n) + 1n];
  const questions: LogOptions[] = [both, { stdout: true, stderr: false }, { stdout: false, stderr: true }];
  for (const tail of [0, 1, 2, 17, 1000, 5000])
    questions.push({ ...both, tail }, { stdout: false, stderr: true, tail });
  for (let i = 0; i < 30; i++) times.push(records[next(3000)]?.time ?? 0n);
  for (const time of times) {
    const until = times[next(times.length)] ?? 0n;
    questions.push({ ...both, since: time }, { ...both, until: time }, { ...both, since: time, until });
    questions.push({ ...both, since: time, until, tail: next(300) }, { ...both, since: time - 1n, stderr: false });
  }
  for (const question of questions) {
    const got = await collect(log.read(question));
    expect(
      got.length,
      JSON.stringify(question, (_key, v) => (typeof v === 'bigint' ? String(v) : v)),
    ).toBe(naive(records, question).length);
    expect(got).toEqual(naive(records, question));
  }
});

test('an empty or missing log has nothing in it', async () => {
  const directory = writeLog([]);
  for (const question of [
    both,
    { ...both, tail: 5 },
    { ...both, since: start },
    { ...both, until: start, follow: true },
  ])
    expect(await collect(new ContainerLog(directory).read(question))).toEqual([]);
  rmSync(directory, { recursive: true });
  expect(await collect(new ContainerLog(directory).read({ ...both, tail: 1 }))).toEqual([]);
});

test('the end is behind the last complete record', () => {
  const records = generate(3, 50);
  const length = records.reduce((sum, record) => sum + bytesOf(record).length, 0);
  expect(completeEnd(writeLog(records, 500, '2023-11-14T22:13:20.000000000Z stdout F torn'))).toBe(length);
  expect(completeEnd(writeLog([], 500, 'torn'))).toBe(0);
});

test('a damaged line is left out, the others are shown', async () => {
  const records = generate(5, 10);
  const directory = writeLog(records);
  appendFileSync(join(directory, segmentName(0)), `${'?'.repeat(60)}\n`);
  expect(await collect(new ContainerLog(directory).read(both))).toEqual(records.map(show));
});

/** A log that a test appends to, telling the reader as a runner would. */
function growing(): { log: ContainerLog; write: (record: TestRecord) => void; offset: () => number } {
  const directory = writeLog([]);
  const log = new ContainerLog(directory, 0);
  let offset = 0;
  return {
    log,
    offset: () => offset,
    write(record) {
      const bytes = bytesOf(record);
      appendFileSync(join(directory, segmentName(0)), bytes);
      offset += bytes.length;
      log.grown(offset);
    },
  };
}
const record = (text: string, time = start): TestRecord => ({ time, stream: 1, partial: false, text });

test('follow shows what is there, then what comes, and ends when the container has stopped for good', async () => {
  const { log, write, offset } = growing();
  log.begin();
  write(record('one'));
  write(record('two'));
  const reading = collect(log.read({ ...both, follow: true, tail: 1 }));
  const shown: string[] = [];
  const watching = (async () => {
    for await (const batch of log.read({ ...both, follow: true }))
      for (const { data } of batch) {
        shown.push(Buffer.from(data).toString());
        if (shown.length < 5) write(record(`next ${shown.length}`));
        else if (shown.length === 5) {
          log.endRun(offset());
          log.begin(); // a restart policy began another run
          write(record('again'));
          log.endRun(offset());
          log.settle();
        }
      }
  })();
  await watching;
  expect(shown).toEqual(['one\n', 'two\n', 'next 1\n', 'next 2\n', 'next 3\n', 'next 4\n', 'again\n']);
  expect((await reading).map((line) => line.slice(33))).toEqual(shown.slice(1));
});

test('follow of a container that does not run ends at once', async () => {
  const { log, write, offset } = growing();
  log.begin();
  write(record('one'));
  log.endRun(offset());
  log.settle();
  expect(await collect(log.read({ ...both, follow: true }))).toHaveLength(1);
});

test('follow with until ends by the clock and by the times in the log', async () => {
  const { log, write } = growing();
  log.begin();
  write(record('early', 10n));
  const soon = BigInt(Date.now() + 20) * 1_000_000n;
  expect(await collect(log.read({ ...both, follow: true, until: soon }))).toHaveLength(1);
  write(record('late', soon + 1n));
  expect(await collect(log.read({ ...both, follow: true, until: soon }))).toHaveLength(1);
});

test('an aborted follow ends', async () => {
  const { log } = growing();
  log.begin();
  const abort = new AbortController();
  const reading = collect(log.read({ ...both, follow: true }, abort.signal));
  setImmediate(() => abort.abort());
  expect(await reading).toEqual([]);
});

test('attach before the start misses nothing, even when the log is removed before the first read', async () => {
  const { log, write, offset } = growing();
  const early = log.attach(both, { replay: false, stream: true });
  log.begin();
  write(record('all'));
  log.endRun(offset());
  expect(log.detach()).toBe(true);
  rmSync(log.directory, { recursive: true });
  expect(await collect(early)).toHaveLength(1);
});

test('a large rest of a removed log is read through the open files, which may then not be reused', async () => {
  const { log, write, offset } = growing();
  const early = log.attach(both, { replay: false, stream: true });
  log.begin();
  for (let i = 0; i < 4; i++) write(record('x'.repeat(100_000)));
  log.endRun(offset());
  expect(log.detach()).toBe(false);
  rmSync(log.directory, { recursive: true });
  expect(await collect(early)).toHaveLength(4);
});

test('attach shows only this run; with replay also the log so far; without stream only that', async () => {
  const { log, write, offset } = growing();
  log.begin();
  write(record('before'));
  const late = log.attach(both, { replay: false, stream: true });
  const replay = log.attach(both, { replay: true, stream: true });
  const only = log.attach(both, { replay: true, stream: false });
  write(record('after'));
  log.endRun(offset());
  log.begin();
  write(record('next run'));
  const texts = async (source: AsyncIterable<readonly LogEntry[]>): Promise<string> =>
    (await collect(source)).map((line) => line.slice(33).trim()).join();
  expect(await texts(late)).toBe('after');
  expect(await texts(replay)).toBe('before,after');
  expect(await texts(only)).toBe('before');
});

test('a reader that waits can be given up without hanging', async () => {
  const { log } = growing();
  log.begin();
  const cursor = log.attach(both, { replay: false, stream: true });
  const iterator = cursor[Symbol.asyncIterator]();
  const pending = iterator.next();
  await iterator.return?.();
  expect((await pending).done).toBe(true);
});

test('rotation beneath a reader: it goes on with the oldest segment that is left', async () => {
  const records = generate(9, 2000);
  const directory = writeLog(records, 40_000);
  const log = new ContainerLog(directory);
  const reading = log.read(both)[Symbol.asyncIterator]();
  const first = await reading.next();
  const read = (first.value as readonly LogEntry[]).length;
  const names = readdirSync(directory).sort();
  for (const name of names.slice(0, -1)) rmSync(join(directory, name));
  let rest = 0;
  for (let batch = await reading.next(); !batch.done; batch = await reading.next()) rest += batch.value.length;
  expect(existsSync(join(directory, names.at(-1) ?? ''))).toBe(true);
  expect(read + rest).toBeLessThan(records.length);
  expect(rest).toBeGreaterThan(0);
});

test('a torn segment in the middle (a crash, then another run) is skipped over', async () => {
  const first = record('first');
  const directory = writeLog([first], Infinity, 'torn ');
  const begin = bytesOf(first).length + 5;
  writeFileSync(join(directory, segmentName(begin)), bytesOf(record('second')));
  expect((await collect(new ContainerLog(directory).read(both))).map((line) => line.slice(33))).toEqual([
    'first\n',
    'second\n',
  ]);
});
