import { expect, test } from 'vitest';
import { FakeEngine, imageView } from '../../test/support/fake-engine.ts';
import { until } from '../../test/support/until.ts';
import type { WatchMessage } from '../contract/events.ts';
import { settingsStore } from '../platform/settings.ts';
import type { RouterDeps } from './deps.ts';
import { Watch } from './watch.ts';

function setUp() {
  const engine = new FakeEngine();
  engine.put({ id: 'a', state: 'running' });
  engine.pictures.set('i', imageView({ id: 'i' }));
  const values: Record<string, unknown> = { theme: 'system', language: 'system' };
  const settings = settingsStore({ get: (key) => values[key], set: (change) => void Object.assign(values, change) });
  const deps: RouterDeps = {
    engine: engine.api,
    settings,
    dockerHost: 'unix:///d.sock',
    home: '/home',
    inspectContainer: () => ({}),
    inspectImage: () => ({}),
    allowPaths: false,
  };
  return { engine, settings, watch: new Watch(deps) };
}

/** Iterates on its own and keeps what came. */
function follow(watch: Watch) {
  const abort = new AbortController();
  const messages: WatchMessage[] = [];
  const ended = (async () => {
    for await (const message of watch.watch(abort.signal)) messages.push(message);
  })();
  return { messages, end: () => (abort.abort(), ended) };
}

const containersOf = (messages: readonly WatchMessage[]) => messages.filter((message) => message.type === 'containers');

test('one snapshot with everything, then nothing while nothing happens', async () => {
  const { watch } = setUp();
  const { messages, end } = follow(watch);
  await until('the disk figure', () => messages.some((message) => message.type === 'engine'));
  expect(messages[0]).toMatchObject({
    type: 'snapshot',
    containers: [{ id: 'a', state: 'running', cpuLimit: 0.5, startedAt: 0, ports: [{ hostPort: 8080, port: 80 }] }],
    images: [{ id: 'i', usedBy: [] }],
    engine: { dockerHost: 'unix:///d.sock', platform: 'Linux/x86_64', disk: 0 },
    settings: { theme: 'system' },
  });
  expect(messages[1]).toMatchObject({ type: 'engine', engine: { disk: 100 } });
  await end();
  expect(messages).toHaveLength(2);
});

test('events become rows; many of one row become one message with its latest value', async () => {
  const { engine, watch } = setUp();
  const { messages, end } = follow(watch);
  await until('the snapshot', () => messages.length > 0);
  engine.put({ id: 'b' });
  engine.emit('container', 'create', 'b');
  engine.put({ id: 'b', state: 'running' });
  engine.emit('container', 'start', 'b');
  engine.put({ id: 'b', state: 'exited', exitCode: 3 });
  engine.emit('container', 'die', 'b');
  await until('the change', () => containersOf(messages).length > 0);
  expect(containersOf(messages)).toEqual([
    { type: 'containers', upsert: [expect.objectContaining({ id: 'b', state: 'exited', exitCode: 3 })], removed: [] },
  ]);
  engine.views.delete('b');
  engine.emit('container', 'destroy', 'b');
  await until('the removal', () => containersOf(messages).length > 1);
  expect(containersOf(messages)[1]).toEqual({ type: 'containers', upsert: [], removed: ['b'] });
  await end();
});

test('a reader that does not ask makes nothing grow: it gets the latest of each row', async () => {
  const { engine, watch } = setUp();
  const reader = watch.watch(undefined);
  expect((await reader.next()).value).toMatchObject({ type: 'snapshot' });
  for (let i = 0; i < 1000; i++) {
    engine.put({ id: 'a', exitCode: i });
    engine.emit('container', 'die', 'a');
  }
  expect((await reader.next()).value).toMatchObject({ type: 'containers', upsert: [{ id: 'a', exitCode: 999 }] });
  expect((await reader.next()).value).toMatchObject({ type: 'engine' });
  await reader.return();
  expect(engine.listeners.size).toBe(0);
});

test('images are compared: only those that changed are sent, and those that went', async () => {
  const { engine, watch } = setUp();
  engine.pictures.set('j', imageView({ id: 'j', repoTags: ['old:1'] }));
  const { messages, end } = follow(watch);
  await until('the snapshot', () => messages.length > 0);
  engine.pictures.set('j', imageView({ id: 'j', repoTags: ['new:1'] }));
  engine.pictures.delete('i');
  engine.emit('image', 'tag', 'new:1');
  const found = await until('the change', () => messages.find((message) => message.type === 'images'));
  expect(found).toEqual({
    type: 'images',
    upsert: [expect.objectContaining({ id: 'j', tags: ['new:1'] })],
    removed: ['i'],
  });
  await end();
});

test('a new container shows in its image’s usedBy; an exec changes nothing', async () => {
  const { engine, watch } = setUp();
  const { messages, end } = follow(watch);
  await until('the disk figure', () => messages.length > 1);
  engine.emit('container', 'exec_create: ls', 'a');
  engine.put({ id: 'b', imageId: 'i' });
  engine.emit('container', 'create', 'b');
  const found = await until('the change', () => messages.find((message) => message.type === 'images'));
  expect(found).toMatchObject({ upsert: [{ id: 'i', usedBy: ['b'] }] });
  expect(containersOf(messages)).toMatchObject([{ upsert: [{ id: 'b' }] }]);
  await end();
});

test('settings travel to every window', async () => {
  const { settings, watch } = setUp();
  const windows = [follow(watch), follow(watch)];
  await until('both snapshots', () => windows.every(({ messages }) => messages.length > 0));
  settings.set({ theme: 'dark' });
  for (const { messages } of windows) {
    const found = await until('the change', () => messages.find((message) => message.type === 'settings'));
    expect(found).toMatchObject({ type: 'settings', settings: { theme: 'dark', language: 'system' } });
  }
  await Promise.all(windows.map(({ end }) => end()));
});

test('a start that failed without an event is told by touch', async () => {
  const { engine, watch } = setUp();
  const { messages, end } = follow(watch);
  await until('the snapshot', () => messages.length > 0);
  engine.put({ id: 'a', state: 'created', error: 'not a WebAssembly module' });
  watch.touch('a');
  const found = await until('the change', () => containersOf(messages)[0]);
  expect(found).toMatchObject({ upsert: [{ error: 'not a WebAssembly module' }] });
  await end();
});

test('nothing listens to the engine, and the home is not measured, when nobody watches', async () => {
  const { engine, watch } = setUp();
  expect(engine.listeners.size).toBe(0);
  const one = follow(watch);
  const two = follow(watch);
  await until('both snapshots', () => one.messages.length > 0 && two.messages.length > 0);
  expect([watch.watchers, engine.listeners.size]).toEqual([2, 1]);
  await one.end();
  await two.end();
  expect([watch.watchers, engine.listeners.size]).toEqual([0, 0]);
  const measured = engine.diskUsages;
  engine.emit('image', 'delete', 'i');
  expect(engine.diskUsages).toBe(measured);
});
