import { expect, test } from 'vitest';
import type { StatsMessage } from '../../electron/contract/containers.ts';
import { StatsFeed } from './stats.svelte.ts';

/** A source that records which streams are open, and lets the test speak on the newest. */
function scripted(): { feed: StatsFeed; open: Set<string>; asked: string[]; say(message: StatsMessage): void } {
  const open = new Set<string>();
  const asked: string[] = [];
  let wake: (message: StatsMessage) => void = () => undefined;
  const feed = new StatsFeed((ids, signal) => {
    const name = ids.join(',');
    asked.push(name);
    open.add(name);
    async function* stream(): AsyncGenerator<StatsMessage> {
      try {
        for (;;) {
          const message = await new Promise<StatsMessage | undefined>((resolve) => {
            wake = resolve;
            signal.addEventListener('abort', () => resolve(undefined), { once: true });
          });
          if (!message) return;
          yield message;
        }
      } finally {
        open.delete(name);
      }
    }
    return Promise.resolve(stream());
  });
  return { feed, open, asked, say: (message) => wake(message) };
}
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};
const stat = {
  id: 'a',
  cpu: 12,
  memory: 5,
  memoryLimit: 0,
  threads: 1,
  readBytes: 0,
  writtenBytes: 0,
  receivedBytes: 0,
  sentBytes: 0,
};

test('one stream carries what all want together; nobody wanting means no stream', async () => {
  const { feed, open, asked, say } = scripted();
  const first = feed.want(['b', 'a']);
  const second = feed.want(['c', 'a']);
  await until(() => open.has('a,b,c'));
  expect(asked).toEqual(['a,b,c']);
  say({ at: 1000, samples: [stat] });
  await until(() => feed.of('a')?.latest?.cpu === 12);
  second();
  await until(() => open.has('a,b') && open.size === 1);
  first();
  await until(() => open.size === 0);
  expect(feed.of('a')?.samples.length).toBe(1);
});

test('a hidden window has no stream, and gets it back', async () => {
  const { feed, open } = scripted();
  feed.want(['a']);
  await until(() => open.size === 1);
  feed.visible = false;
  await until(() => open.size === 0);
  feed.visible = true;
  await until(() => open.size === 1);
});
