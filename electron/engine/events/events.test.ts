import { expect, test } from 'vitest';
import type { EngineEvent, Filters } from '../api/index.ts';
import { createEvents, type NewEvent } from './events.ts';
import { eventMatches } from './filter.ts';

const event = (action: string, attributes: Record<string, string> = {}): NewEvent => ({
  type: 'container',
  action,
  actorId: 'abc123',
  attributes,
});
const none: Filters = new Map();

async function take(stream: AsyncIterable<EngineEvent>, count: number): Promise<string[]> {
  const out: string[] = [];
  for await (const { action } of stream) if (out.push(action) === count) break;
  return out;
}

test('times rise strictly even when the clock stands still or goes back', () => {
  const clock = [5n, 5n, 3n, 9n];
  const events = createEvents(() => clock.shift() ?? 9n);
  const seen: bigint[] = [];
  events.subscribe(({ timeNano }) => seen.push(timeNano));
  for (let i = 0; i < 4; i++) events.emit(event('x'));
  expect(seen).toEqual([5n, 6n, 7n, 9n]);
});

test('a stream begins where it was asked for, not where it is first read', async () => {
  const events = createEvents();
  events.emit(event('before'));
  const stream = events.stream({ filters: none }, new AbortController().signal);
  events.emit(event('a'));
  events.emit(event('b'));
  expect(await take(stream, 2)).toEqual(['a', 'b']);
});

test('since replays, until ends', async () => {
  let time = 0n;
  const events = createEvents(() => (time += 10n));
  for (const action of ['a', 'b', 'c', 'd']) events.emit(event(action));
  const stream = events.stream({ since: 20n, until: 30n, filters: none }, new AbortController().signal);
  expect(await take(stream, 9)).toEqual(['b', 'c']);
});

test('until in the future ends the stream when it comes, without any event', async () => {
  const events = createEvents();
  const until = BigInt(Date.now() + 30) * 1_000_000n;
  expect(await take(events.stream({ until, filters: none }, new AbortController().signal), 9)).toEqual([]);
});

test('the ring keeps at least 1,024 events, and a reader that was overtaken goes on with the oldest left', async () => {
  const events = createEvents();
  const late = events.stream({ filters: none }, new AbortController().signal);
  for (let i = 0; i < 10_000; i++) events.emit(event(String(i)));
  const replay = await take(events.stream({ since: 0n, filters: none }, new AbortController().signal), 1024);
  expect(Number(replay[0])).toBeLessThanOrEqual(10_000 - 1024);
  expect(await take(late, 1)).toEqual([replay[0]]);
});

test('abort and close end a waiting reader', async () => {
  const events = createEvents();
  const abort = new AbortController();
  const first = take(events.stream({ filters: none }, abort.signal), 1);
  const second = take(events.stream({ filters: none }, new AbortController().signal), 1);
  abort.abort();
  expect(await first).toEqual([]);
  events.close();
  expect(await second).toEqual([]);
});

test('filters', () => {
  const die: EngineEvent = {
    ...event('die', { name: 'web', image: 'app:1', role: 'a', tier: '2' }),
    timeNano: 1n,
  };
  const exec: EngineEvent = { ...event('exec_create: ls -l', { name: 'web' }), timeNano: 1n };
  const tag: EngineEvent = {
    type: 'image',
    action: 'tag',
    actorId: 'sha256:9',
    attributes: { name: 'app:1' },
    timeNano: 1n,
  };
  const match = (what: EngineEvent, filters: Record<string, string[]>): boolean =>
    eventMatches(what, new Map(Object.entries(filters)));
  expect(match(die, { container: ['web'] })).toBe(true);
  expect(match(die, { container: ['/web'] })).toBe(true);
  expect(match(die, { container: ['abc123'] })).toBe(true);
  expect(match(die, { container: ['abc'] })).toBe(true);
  expect(match(die, { container: ['we'] })).toBe(false);
  expect(match(die, { event: ['start', 'die'], type: ['container'] })).toBe(true);
  expect(match(exec, { event: ['exec_create'] })).toBe(true);
  expect(match(exec, { event: ['exec'] })).toBe(false);
  expect(match(die, { label: ['role=a', 'tier'] })).toBe(true);
  expect(match(die, { label: ['role=a', 'tier=3'] })).toBe(false);
  expect(match(die, { image: ['app'] })).toBe(true);
  expect(match(die, { image: ['app:1'] })).toBe(true);
  expect(match(die, { image: ['app:2'] })).toBe(false);
  expect(match(tag, { image: ['app'], type: ['image'] })).toBe(true);
  expect(match(tag, { image: ['sha256:9'] })).toBe(true);
  expect(match(die, { volume: ['web'] })).toBe(false);
  expect(match(die, { scope: ['local'] })).toBe(true);
  expect(match(die, { scope: ['swarm'] })).toBe(false);
});
