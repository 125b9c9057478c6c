import { beforeEach, expect, test, vi } from 'vitest';
import type { ChannelMessage, ChannelRequest, LogLine } from '../../electron/contract/channels.ts';
import type { Channel } from '../transport/transport.ts';
import { LogSession } from './log-session.svelte.ts';

beforeEach(() => {
  vi.stubGlobal('requestAnimationFrame', (run: () => void) => setTimeout(run, 0));
});

function opened(): { session: LogSession; sent: ChannelRequest[]; say(message: ChannelMessage | undefined): void } {
  const sent: ChannelRequest[] = [];
  let listener: (message: ChannelMessage | undefined) => void = () => undefined;
  const channel: Channel = {
    send: (message) => void sent.push(message),
    listen: (next) => void (listener = next),
    close: () => undefined,
  };
  const session = new LogSession();
  session.open(channel, 'c1');
  return { session, sent, say: (message) => listener(message) };
}
const lines = (...texts: string[]): ChannelMessage => ({
  t: 'lines',
  lines: texts.map((text, i): LogLine => [i, text.startsWith('!') ? 2 : 1, text, 0]),
});
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
};
const shown = (session: LogSession): string[] =>
  Array.from({ length: session.layout.length }, (_, i) => session.buffer.at(session.layout.number(i))?.text ?? '?');

test('asks for the log, and gives a credit back for every message it took', async () => {
  const { session, sent, say } = opened();
  expect(sent[0]).toMatchObject({ t: 'logs', id: 'c1', follow: true });
  expect(sent[1]).toEqual({ t: 'credit', n: 8 });
  say(lines('a'));
  await until(() => sent.length === 3);
  expect(sent[2]).toEqual({ t: 'credit', n: 1 });
  say({ t: 'caughtUp' });
  expect([session.status, session.cut]).toEqual(['live', false]);
  say(undefined);
  expect(session.status).toBe('lost');
});

test('streams are told apart, hits are found in what is shown, also in lines that come later', async () => {
  const { session, say } = opened();
  say(lines('GET /a', '!timeout a', 'ok', '!timeout b'));
  session.search({ text: 'TIMEOUT', regex: false, matchCase: false });
  expect(session.found).toEqual([1, 3]);
  expect([session.step(1, 0), session.place, session.step(1, 0), session.step(1, 0)]).toEqual([1, 1, 3, 1]);
  say(lines('timeout c'));
  expect(session.found).toEqual([1, 3, 4]);
  session.show(2);
  expect(shown(session)).toEqual(['!timeout a', '!timeout b']);
  expect(session.found).toEqual([1, 3]);
});

test('only matches shows the hits and goes on with new ones; colours do not hide a hit', () => {
  const { session, say } = opened();
  say(lines('a', 'tim\x1b[31meout', 'b'));
  session.search({ text: 'timeout', regex: false, matchCase: false });
  session.filter(true);
  expect(shown(session)).toEqual(['tim\x1b[31meout']);
  say(lines('timeout 2', 'c'));
  expect(shown(session).length).toBe(2);
  session.search({ text: '', regex: false, matchCase: false });
  expect(shown(session).length).toBe(5);
});

test('100,000 lines are searched in slices, and a broken expression says why', async () => {
  const { session, say } = opened();
  for (let i = 0; i < 50; i++) say(lines(...Array.from({ length: 2000 }, (_, n) => `line ${i * 2000 + n}`)));
  session.search({ text: '99\\d$', regex: true, matchCase: false });
  await until(() => !session.stillSearching);
  expect(session.found.length).toBe(1000);
  session.search({ text: '(', regex: true, matchCase: false });
  expect(session.patternError).toContain('(');
  expect(shown(session).length).toBe(100_000);
});

test('what falls off the top is told in rows', () => {
  const { session, say } = opened();
  session.wrapAt(10);
  for (let i = 0; i < 100; i++) say(lines(...Array.from({ length: 2000 }, () => 'x'.repeat(15))));
  expect(session.takeDropped()).toBe(0);
  say(lines('a', 'b', 'c'));
  expect(session.takeDropped()).toBe(6);
  expect([session.cut, session.buffer.first]).toEqual([true, 3]);
});

test('copied text has no colours', () => {
  const { session, say } = opened();
  say(lines('\x1b[32mok\x1b[0m', 'done'));
  expect(session.text(false)).toBe('ok\ndone\n');
});
