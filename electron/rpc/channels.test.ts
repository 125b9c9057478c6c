import { once } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import { until } from '../../test/support/until.ts';
import type { ChannelMessage, ChannelRequest } from '../contract/channels.ts';
import type { Attachment, LogEntry } from '../engine/api/index.ts';
import { serveChannelPort } from './port.ts';

let opened: MessagePort | undefined;
afterEach(() => opened?.close());

/** A channel over a real MessagePort pair. */
function open(engine: FakeEngine) {
  const { port1, port2 } = new MessageChannel();
  serveChannelPort(engine.api, port1);
  opened = port2;
  const messages: ChannelMessage[] = [];
  port2.on('message', (message: ChannelMessage) => messages.push(message));
  const closed = once(port2, 'close');
  return { messages, closed, port: port2, send: (request: ChannelRequest | unknown) => port2.postMessage(request) };
}

const entry = (text: string, partial = false, stream: 1 | 2 = 1): LogEntry => ({
  time: '2026-11-24T05:00:00.000000001Z',
  stream,
  partial,
  data: Buffer.from(text),
});

/** Batches that come when the test says so; counts how many were asked for. */
function source() {
  const queue: (readonly LogEntry[] | undefined)[] = [];
  let wake = (): void => undefined;
  const state = { asked: 0, ended: false };
  const batches = (async function* () {
    try {
      for (;;) {
        state.asked++;
        while (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
        const next = queue.shift();
        if (!next) return;
        yield next;
      }
    } finally {
      state.ended = true;
    }
  })();
  return { batches, state, push: (batch?: readonly LogEntry[]) => (queue.push(batch), wake()) };
}

function setUp() {
  const engine = new FakeEngine();
  engine.put({ id: 'a', state: 'running' });
  return engine;
}

test('nothing is sent, and no further batch read, without a credit', async () => {
  const engine = setUp();
  const log = source();
  engine.logBatches = log.batches;
  const channel = open(engine);
  for (let i = 0; i < 5; i++) log.push([entry(`${i}\n`)]);
  log.push();
  channel.send({ t: 'logs', id: 'a', tail: 100, follow: false });
  await until('the first batch', () => log.state.asked === 1);
  channel.send({ t: 'credit', n: 2 });
  await until('two messages', () => channel.messages.length === 2);
  expect(log.state.asked).toBe(3);
  expect(engine.logOptions).toMatchObject({ tail: 100, follow: false, stdout: true, stderr: true });
  channel.send({ t: 'credit', n: 3 });
  await channel.closed;
  expect(channel.messages).toEqual([
    ...[0, 1, 2, 3, 4].map((i) => ({ t: 'lines', lines: [[expect.any(Number), 1, String(i), 0]] })),
    { t: 'caughtUp' },
    { t: 'end' },
  ]);
});

test('a message holds 2,000 lines at most; all of the log is asked for with -1', async () => {
  const engine = setUp();
  const log = source();
  engine.logBatches = log.batches;
  log.push(Array.from({ length: 4500 }, (_, i) => entry(`${i}\n`)));
  log.push();
  const channel = open(engine);
  channel.send({ t: 'logs', id: 'a', tail: -1, follow: false });
  channel.send({ t: 'credit', n: 100 });
  await channel.closed;
  expect(engine.logOptions?.tail).toBeUndefined();
  expect(channel.messages.flatMap((m) => (m.t === 'lines' ? [m.lines.length] : []))).toEqual([2000, 2000, 500]);
});

test('a message holds 256 KiB of text at most', async () => {
  const engine = setUp();
  const log = source();
  engine.logBatches = log.batches;
  log.push(Array.from({ length: 20 }, () => entry(`${'x'.repeat(50_000)}\n`)));
  log.push();
  const channel = open(engine);
  channel.send({ t: 'logs', id: 'a', tail: -1, follow: false });
  channel.send({ t: 'credit', n: 100 });
  await channel.closed;
  const sizes = channel.messages.flatMap((m) =>
    m.t === 'lines' ? [m.lines.reduce((n, line) => n + line[2].length, 0)] : [],
  );
  expect(sizes).toEqual([250_000, 250_000, 250_000, 250_000]);
});

test('following: caught up once, then what comes; closing ends the reading', async () => {
  const engine = setUp();
  const log = source();
  engine.logBatches = log.batches;
  log.push([entry('old\n')]);
  const channel = open(engine);
  channel.send({ t: 'logs', id: 'a', tail: -1, follow: true });
  channel.send({ t: 'credit', n: 100 });
  await until('caught up', () => channel.messages.at(-1)?.t === 'caughtUp');
  log.push([entry('new', true, 2)]);
  await until('the new line', () => channel.messages.length === 3);
  expect(channel.messages.map((m) => (m.t === 'lines' ? m.lines[0]?.slice(1) : m.t))).toEqual([
    [1, 'old', 0],
    'caughtUp',
    [2, 'new', 1],
  ]);
  channel.port.close();
  await until('the word to the engine', () => engine.logSignal?.aborted);
  log.push([entry('unseen\n')]);
  await until('the end of the reading', () => log.state.ended);
});

test.each([
  ['an unknown container', { t: 'logs', id: 'none', tail: 1, follow: true }, /No such container: none/],
  ['nonsense', { t: 'nonsense' }, /Not a channel message: t/],
  ['text that is not JSON', '{', /JSON/],
  ['input before it is open', { t: 'inputEnd' }, /begins with/],
  ['a credit of zero', { t: 'credit', n: 0 }, /Not a channel message: n/],
])('%s is answered with an error, and the channel closed', async (_what, request, message) => {
  const channel = open(setUp());
  channel.send(request);
  await channel.closed;
  expect(channel.messages).toEqual([{ t: 'error', message: expect.stringMatching(message) }]);
});

function terminal() {
  const output = source();
  const written: string[] = [];
  const state = { closed: false, inputEnded: false, stuck: false };
  const attachment: Attachment = {
    tty: true,
    output: output.batches,
    stdin: {
      write: async (bytes) => {
        written.push(Buffer.from(bytes).toString());
        if (state.stuck) await new Promise(() => undefined);
      },
      end: () => (state.inputEnded = true),
    },
    close: () => {
      state.closed = true;
      output.push();
    },
  };
  return { output, written, state, attachment };
}

test('a terminal: output in pieces of 64 KiB against credits, input in order, size', async () => {
  const engine = setUp();
  const { output, written, state, attachment } = terminal();
  engine.attachment = attachment;
  const channel = open(engine);
  channel.send({ t: 'attach', id: 'a', logs: true, rows: 24, columns: 80 });
  channel.send({ t: 'input', data: Buffer.from('é1').toString('base64') });
  channel.send({ t: 'input', data: Buffer.from('2\n').toString('base64') });
  channel.send({ t: 'resize', rows: 30, columns: 100 });
  channel.send({ t: 'inputEnd' });
  await until('the input', () => state.inputEnded);
  expect(written).toEqual(['é1', '2\n']);
  expect(engine.resizes).toEqual([
    [24, 80],
    [30, 100],
  ]);
  output.push([entry('o'.repeat(100_000)), entry('err', true, 2), entry('out')]);
  expect(channel.messages).toEqual([]);
  channel.send({ t: 'credit', n: 10 });
  await until('the output', () => channel.messages.length === 4);
  const pieces = channel.messages.flatMap((m) =>
    m.t === 'output' ? [[m.stream, Buffer.from(m.data, 'base64').length]] : [],
  );
  expect(pieces).toEqual([
    [1, 65536],
    [1, 34464],
    [2, 3],
    [1, 3],
  ]);
  output.push();
  await channel.closed;
  expect(channel.messages.at(-1)).toEqual({ t: 'end' });
});

test('closing detaches', async () => {
  const engine = setUp();
  const { state, attachment } = terminal();
  engine.attachment = attachment;
  const channel = open(engine);
  channel.send({ t: 'attach', id: 'a', logs: false, rows: 24, columns: 80 });
  await until('the attachment', () => engine.resizes.length > 0);
  channel.port.close();
  await until('the end', () => state.closed);
});

test('more input than a program that does not read may be sent ends with a sentence', async () => {
  const engine = setUp();
  const { state, attachment } = terminal();
  state.stuck = true;
  engine.attachment = attachment;
  const channel = open(engine);
  channel.send({ t: 'attach', id: 'a', logs: false, rows: 24, columns: 80 });
  const megabytes = Buffer.alloc(6 << 20).toString('base64');
  for (let i = 0; i < 3; i++) channel.send({ t: 'input', data: megabytes });
  await channel.closed;
  expect(channel.messages).toEqual([
    { t: 'error', message: 'The program does not read its input', hint: expect.any(String) },
  ]);
});
