import { expect, test } from 'vitest';
import type { WatchMessage } from '../../electron/contract/events.ts';
import { LinkClosedError } from '../transport/guard.ts';
import type { Session, Transport } from '../transport/transport.ts';
import { Connection } from './connection.svelte.ts';

/** A transport whose sessions the test ends by hand. */
function scripted(): { transport: Transport; sessions: { push(message: WatchMessage): void; end(): void }[] } {
  const sessions: { push(message: WatchMessage): void; end(): void }[] = [];
  const transport: Transport = {
    kind: 'web',
    connect: () => {
      const queue: WatchMessage[] = [];
      let wake = (): void => undefined;
      let ended = false;
      const end = (): void => {
        ended = true;
        wake();
      };
      sessions.push({
        push: (message) => {
          queue.push(message);
          wake();
        },
        end,
      });
      async function* watch(): AsyncGenerator<WatchMessage> {
        for (;;) {
          const message = queue.shift();
          if (message) yield message;
          else if (ended) throw new Error('gone');
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      }
      const api = { events: { watch: () => Promise.resolve(watch()) } };
      return Promise.resolve({ api, closed: new Promise<void>(() => undefined), close: end } as unknown as Session);
    },
  };
  return { transport, sessions };
}

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};
const removed: WatchMessage = { type: 'containers', upsert: [], removed: ['a'] };

test('a broken link is said, calls reject at once, and the next link starts over', async () => {
  const { transport, sessions } = scripted();
  const connection = new Connection(transport);
  const seen: WatchMessage[] = [];
  const stop = new AbortController();
  expect(() => connection.api).toThrow(LinkClosedError);
  const running = connection.run((message) => seen.push(message), stop.signal);
  await until(() => sessions.length === 1);
  sessions[0]?.push(removed);
  await until(() => connection.status === 'open');
  sessions[0]?.end();
  await until(() => connection.status === 'lost');
  expect(() => connection.api).toThrow(LinkClosedError);
  expect(connection.lostAt).toBeGreaterThan(0);
  await until(() => sessions.length === 2);
  sessions[1]?.push(removed);
  await until(() => connection.status === 'open');
  expect(connection.lostAt).toBe(0);
  expect(seen).toEqual([removed, removed]);
  stop.abort();
  await running;
});
