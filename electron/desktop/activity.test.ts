import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ContainerView, EngineApi, EngineEvent } from '../engine/api/index.ts';
import { ActivityWatch, pictureOf, type Activity, type ActivityRow } from './activity.ts';

function setUp() {
  const views = new Map<string, ContainerView>();
  let listener: (event: EngineEvent) => void = () => undefined;
  const engine = {
    containers: { list: () => [...views.values()] },
    events: {
      subscribe(given: typeof listener) {
        listener = given;
        return () => (listener = () => undefined);
      },
    },
  } as unknown as EngineApi;
  const changes: Activity[] = [];
  const failures: (readonly ActivityRow[])[] = [];
  const watch = new ActivityWatch(
    (activity) => changes.push(activity),
    (rows) => failures.push(rows),
  );
  const set = (id: string, state: string, more: Record<string, unknown> = {}, config: Record<string, unknown> = {}) =>
    views.set(id, {
      id,
      name: `name-${id}`,
      state,
      exitCode: 0,
      error: '',
      ports: [],
      ...more,
      config: { labels: {}, ...config },
    } as unknown as ContainerView);
  const emit = (action: string, actorId: string, attributes: Record<string, string> = {}) =>
    listener({ type: 'container', action, actorId, attributes, timeNano: 1n });
  return { watch, engine, changes, failures, views, set, emit };
}

test('starting, on, stopping', () => {
  const { watch, engine, changes } = setUp();
  const detach = watch.attach(engine);
  watch.end();
  detach();
  expect(changes.map(pictureOf)).toEqual(['busy', 'running', 'stopped']);
});

test('a burst of events is one change', async () => {
  const { watch, engine, changes, set, emit } = setUp();
  watch.attach(engine);
  const before = changes.length;
  set('a', 'running');
  set('b', 'paused');
  for (const id of ['a', 'b']) emit('start', id);
  emit('pause', 'b');
  emit('exec_create: sh', 'b');
  await turn();
  expect(changes.length).toBe(before + 1);
  expect(changes.at(-1)?.rows.map(({ id, state }) => [id, state])).toEqual([
    ['a', 'running'],
    ['b', 'paused'],
  ]);
});

test('rows carry project and published ports, in order', () => {
  const { watch, engine, set } = setUp();
  set('x', 'running', { name: 'web' }, { labels: { 'com.docker.compose.project': 'shop' } });
  set(
    'y',
    'running',
    {
      name: 'api',
      ports: [
        { hostIp: '0.0.0.0', hostPort: 8080, port: 80, protocol: 'tcp' },
        { hostIp: '::', hostPort: 8080, port: 80, protocol: 'tcp' },
        { hostIp: '127.0.0.1', hostPort: 53, port: 53, protocol: 'udp' },
        { hostIp: '127.0.0.1', hostPort: 80, port: 81, protocol: 'tcp' },
      ],
    },
    { labels: { 'com.docker.compose.project': 'shop' } },
  );
  set('z', 'exited');
  watch.attach(engine);
  expect(watch.current().rows.map(({ name, project, ports }) => ({ name, project, ports }))).toEqual([
    { name: 'api', project: 'shop', ports: [80, 8080] },
    { name: 'web', project: 'shop', ports: [] },
  ]);
});

test('an exit that nobody asked for is a failure until it is seen, started again or removed', async () => {
  const { watch, engine, failures, set, emit, changes, views } = setUp();
  watch.attach(engine);
  set('a', 'exited', { exitCode: 134, error: 'unreachable' });
  emit('die', 'a', { exitCode: '134' });
  await turn();
  expect(failures.map((rows) => rows.map(({ name, exitCode, error }) => ({ name, exitCode, error })))).toEqual([
    [{ name: 'name-a', exitCode: 134, error: 'unreachable' }],
  ]);
  expect(pictureOf(watch.current())).toBe('failed');
  watch.seen();
  expect(pictureOf(changes.at(-1) as Activity)).toBe('running');
  expect(watch.current().rows).toHaveLength(1);
  views.clear();
  emit('destroy', 'a');
  await turn();
  expect(watch.current().rows).toEqual([]);
});

test('a stopped container has not failed, whatever its code; a clean exit neither', async () => {
  const { watch, engine, failures, set, emit } = setUp();
  watch.attach(engine);
  set('a', 'exited', { exitCode: 143 });
  set('b', 'exited');
  emit('kill', 'a', { signal: '15' });
  emit('die', 'a', { exitCode: '143' });
  emit('die', 'b', { exitCode: '0' });
  await turn();
  expect(failures).toEqual([]);
  expect(watch.current().rows).toEqual([]);
});

test('one that its policy starts again is restarting, not failed', async () => {
  const { watch, engine, failures, set, emit } = setUp();
  watch.attach(engine);
  set('a', 'restarting', { exitCode: 1 });
  emit('die', 'a', { exitCode: '1' });
  await turn();
  expect(failures).toEqual([]);
  expect(pictureOf(watch.current())).toBe('busy');
});

test('paused only when everything live is', () => {
  const { watch, engine, set } = setUp();
  set('a', 'paused');
  watch.attach(engine);
  expect(pictureOf(watch.current())).toBe('paused');
  set('b', 'running');
  expect(pictureOf(watch.current())).toBe('running');
});
