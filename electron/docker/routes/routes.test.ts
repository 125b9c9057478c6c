import { createHash } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { invalid, notFound } from '../../base/errors.ts';
import type { BuildEvent, ContainerSpec, Filters, ListOptions, LogOptions } from '../../engine/api/index.ts';
import { openDoor } from '../testing/client.ts';
import { containerId, containerView, entry, fakeEngine, getOnly, imageView } from '../testing/fake-engine.ts';

const get = getOnly(containerView());
const filters = (value: object): string => `filters=${encodeURIComponent(JSON.stringify(value))}`;

test('create passes the spec on and answers with all warnings', async () => {
  const create = vi.fn((_spec: ContainerSpec) => Promise.resolve({ id: containerId, warnings: ['from the engine'] }));
  await using door = await openDoor(fakeEngine({ containers: { create } }));
  const answer = await door.ask('POST', '/v1.50/containers/create?name=tk&Image=ignored', {
    Image: 't',
    HostConfig: { Privileged: true },
  });
  expect(answer.status).toBe(201);
  expect(answer.json()).toEqual({
    Id: containerId,
    Warnings: [expect.stringContaining('--privileged has no effect'), 'from the engine'],
  });
  expect(create.mock.lastCall?.[0]).toMatchObject({ name: 'tk', image: 't' });
});

test('wait answers its headers before the container ends', async () => {
  let end = (_: { exitCode: number }): void => undefined;
  const result = new Promise<{ exitCode: number }>((resolve) => (end = resolve));
  const wait = vi.fn(() => ({ result }));
  await using door = await openDoor(fakeEngine({ containers: { wait } }));
  const client = await door.open('POST /v1.50/containers/tk/wait?condition=next-exit HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.until('\r\n\r\n');
  expect(client.received.toString()).toMatch(/^HTTP\/1\.1 200 OK/);
  end({ exitCode: 7 });
  await client.until('{"StatusCode":7,"Error":null}');
  expect(wait).toHaveBeenCalledWith('tk', 'next-exit', expect.any(AbortSignal));
  client.socket.destroy();
  expect((await door.ask('POST', '/containers/tk/wait?condition=someday')).status).toBe(400);
});

test('a client that stops waiting is told to the engine', async () => {
  let signal: AbortSignal | undefined;
  const wait = (_ref: string, _condition: string, given?: AbortSignal) => {
    signal = given;
    return { result: new Promise<never>(() => undefined) };
  };
  await using door = await openDoor(fakeEngine({ containers: { wait } }));
  const client = await door.open('POST /containers/tk/wait HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.until('\r\n\r\n');
  client.socket.destroy();
  await vi.waitFor(() => expect(signal?.aborted).toBe(true));
});

test('start: 204, 304, and 400 for a program that cannot run', async () => {
  const start = vi.fn<(ref: string) => Promise<boolean>>();
  await using door = await openDoor(fakeEngine({ containers: { start } }));
  start.mockResolvedValueOnce(true);
  expect((await door.ask('POST', '/containers/tk/start')).status).toBe(204);
  start.mockResolvedValueOnce(false);
  const again = await door.ask('POST', '/containers/tk/start');
  expect([again.status, again.body]).toEqual([304, '']);
  start.mockRejectedValueOnce(notFound('exec: "/x": no such file or directory', { data: { exitCode: 127 } }));
  expect((await door.ask('POST', '/containers/tk/start')).status).toBe(400);
  start.mockRejectedValueOnce(notFound('No such container: tk'));
  expect((await door.ask('POST', '/containers/tk/start')).status).toBe(404);
});

test('ps: a limit implies all, -1 is none; values of filters are checked', async () => {
  const list = vi.fn((_: ListOptions) => [containerView()]);
  const image = vi.fn((_: string) => imageView({ id: `sha256:${'9'.repeat(64)}` }));
  await using door = await openDoor(fakeEngine({ containers: { list }, images: { get: image } }));
  const rows = await door.ask('GET', '/containers/json?limit=1');
  expect(list.mock.lastCall?.[0]).toMatchObject({ all: true, limit: 1 });
  // The name means another image by now.
  expect(rows.json()).toMatchObject([{ Image: containerView().imageId }]);
  await door.ask('GET', `/containers/json?limit=-1&all=0&${filters({ label: ['a=b'] })}`);
  expect(list.mock.lastCall?.[0]).toEqual({ all: false, limit: undefined, filters: new Map([['label', ['a=b']]]) });
  const bad = await door.ask('GET', `/containers/json?${filters({ status: { bogus: true } })}`);
  expect([bad.status, bad.json()]).toEqual([400, { message: "invalid filter 'status=bogus'" }]);
});

test('logs: bounds, streams, frames and times', async () => {
  const logs = vi.fn(async function* (_ref: string, _options: LogOptions) {
    yield [entry(1, 'one\n'), entry(2, 'two\n')];
  });
  await using door = await openDoor(fakeEngine({ containers: { get, logs } }));
  const answer = await door.ask(
    'GET',
    '/v1.50/containers/tk/logs?stdout=1&stderr=1&tail=2&since=1700000000.000000001&until=0&timestamps=1',
  );
  expect(answer.headers['content-type']).toBe('application/vnd.docker.multiplexed-stream');
  expect(answer.body).toContain('\0\0\0\x232026-01-01T00:00:00.000000001Z one\n');
  expect(logs.mock.lastCall?.[1]).toEqual({
    stdout: true,
    stderr: true,
    tail: 2,
    since: 1_700_000_000_000_000_001n,
    until: undefined,
    follow: false,
  });
  const none = await door.ask('GET', '/containers/tk/logs');
  expect([none.status, none.json()]).toEqual([400, { message: 'Bad parameters: you must choose at least one stream' }]);
  expect((await door.ask('GET', '/containers/nope/logs?stdout=1')).status).toBe(404);
});

test('following logs ends when the client leaves', async () => {
  let signal: AbortSignal | undefined;
  const logs = async function* (_ref: string, _options: LogOptions, given?: AbortSignal) {
    signal = given;
    yield [entry(1, 'first\n')];
    await new Promise<void>((resolve) => given?.addEventListener('abort', () => resolve()));
  };
  await using door = await openDoor(fakeEngine({ containers: { get, logs } }));
  const client = await door.open('GET /containers/tk/logs?stdout=1&follow=1 HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.until('first');
  client.socket.destroy();
  await vi.waitFor(() => expect(signal?.aborted).toBe(true));
});

const context = Buffer.alloc(300_000, 'x').toString();
const digest = createHash('sha256').update(context).digest('hex');
const read = async (input: AsyncIterable<Uint8Array>): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of input) hash.update(chunk);
  return hash.digest('hex');
};

test('build: options in, text and id out', async () => {
  const build = vi.fn(async function* (_options: unknown, input: AsyncIterable<Uint8Array>): AsyncIterable<BuildEvent> {
    yield { type: 'stream', text: `got ${await read(input)}\n` };
    yield { type: 'image', id: 'sha256:1' };
  });
  await using door = await openDoor(fakeEngine({ images: { build } }));
  const machine = 'networkmode=none&memory=1048576&cpuquota=50000&extrahosts=a:1.2.3.4&extrahosts=b:1.2.3.5';
  const query = `t=a&t=b:1&dockerfile=D2&buildargs=${encodeURIComponent('{"A":"1","B":null}')}&labels={}&nocache=1&${machine}`;
  const answer = await door.ask('POST', `/v1.50/build?${query}`, context);
  expect(answer.body).toBe(`{"stream":"got ${digest}\\n"}\r\n{"aux":{"ID":"sha256:1"}}\r\n`);
  expect(build.mock.lastCall?.[0]).toEqual({
    dockerfile: 'D2',
    tags: ['a', 'b:1'],
    buildArgs: { A: '1', B: null },
    labels: {},
    target: undefined,
    noCache: true,
    pull: false,
    platform: undefined,
    registryAuth: undefined,
    network: 'none',
    extraHosts: ['a:1.2.3.4', 'b:1.2.3.5'],
    memory: 2 ** 20,
    nanoCpus: 5e8,
    openFiles: 0,
  });
  expect((await door.ask('POST', '/build?q=1', context)).body).toBe('{"stream":"sha256:1\\n"}\r\n');
});

test('build: what has no effect is said, steps as values are not sent', async () => {
  const build = vi.fn(async function* (_options: unknown, input: AsyncIterable<Uint8Array>): AsyncIterable<BuildEvent> {
    await read(input);
    yield { type: 'step', index: 1, total: 1, text: 'FROM scratch', line: 1, stage: '0' };
    yield { type: 'image', id: 'sha256:1' };
  });
  await using door = await openDoor(fakeEngine({ images: { build } }));
  const ulimits = JSON.stringify([
    { Name: 'nofile', Soft: 64, Hard: 128 },
    { Name: 'nproc', Soft: 1, Hard: 1 },
  ]);
  const query = `shmsize=1024&memswap=0&cpusetcpus=&rm=0&forcerm=1&cachefrom=["a"]&ulimits=${encodeURIComponent(ulimits)}`;
  const { body } = await door.ask('POST', `/build?${query}`, context);
  expect(
    body
      .split('\r\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([
    { stream: expect.stringMatching(/^\[Warning\] --shm-size has no effect: .*\n$/) },
    { stream: expect.stringMatching(/^\[Warning\] --ulimit nproc has no effect: .*\n$/) },
    { aux: { ID: 'sha256:1' } },
  ]);
  expect(build.mock.lastCall?.[0]).toMatchObject({ openFiles: 64, memory: 0, nanoCpus: 0 });
  for (const [bad, message] of [
    ['ulimits=x', 'invalid value for ulimits'],
    ['memory=x', 'invalid value for memory'],
    ['squash=1', 'squash is only supported with experimental mode'],
  ] as const) {
    const refused = await door.ask('POST', `/build?${bad}`, context);
    expect([refused.status, refused.body]).toEqual([400, expect.stringContaining(message)]);
  }
});

test('build: a bad Dockerfile is a status, a failing step is in the stream', async () => {
  const failing = (late: boolean) =>
    async function* (): AsyncIterable<BuildEvent> {
      if (late) yield { type: 'stream', text: 'Step 1/1\n' };
      throw invalid('dockerfile parse error line 2: unknown instruction: FOO');
    };
  await using early = await openDoor(fakeEngine({ images: { build: failing(false) } }));
  const refused = await early.ask('POST', '/build', context);
  expect(refused.status).toBe(400);
  await using late = await openDoor(fakeEngine({ images: { build: failing(true) } }));
  for (const query of ['', '?q=1']) {
    const answer = await late.ask('POST', `/build${query}`, context);
    expect(answer.status).toBe(200);
    expect(answer.body).toContain('"stream":"Step 1/1');
    expect(answer.body).toContain(
      '{"errorDetail":{"message":"dockerfile parse error line 2: unknown instruction: FOO"},"error":"dockerfile parse error',
    );
  }
});

test('build: a client that leaves cancels it', async () => {
  let signal: AbortSignal | undefined;
  const build = async function* (
    _options: unknown,
    _input: AsyncIterable<Uint8Array>,
    given?: AbortSignal,
  ): AsyncIterable<BuildEvent> {
    signal = given;
    yield { type: 'stream', text: 'working\n' };
    await new Promise<void>((resolve) => given?.addEventListener('abort', () => resolve()));
  };
  await using door = await openDoor(fakeEngine({ images: { build } }));
  const client = await door.open('POST /build HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc');
  await client.until('working');
  client.socket.destroy();
  await vi.waitFor(() => expect(signal?.aborted).toBe(true));
});

test('events: headers at once, one line each, ends with the stream', async () => {
  let go = (): void => undefined;
  const gate = new Promise<void>((resolve) => (go = resolve));
  const stream = async function* () {
    await gate;
    yield {
      type: 'volume',
      action: 'create',
      actorId: 'v',
      attributes: {},
      timeNano: 1_767_225_600_123_456_789n,
    } as const;
  };
  await using door = await openDoor(fakeEngine({ events: { stream } }));
  const client = await door.open('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.until('\r\n\r\n');
  go();
  await client.until('"timeNano":1767225600123456789}\n');
  client.socket.destroy();
  expect((await door.ask('GET', '/events?since=2&until=1')).status).toBe(400);
});

test('images: names with slashes reach the engine whole', async () => {
  const image = vi.fn((_: string) => imageView());
  const tag = vi.fn(() => Promise.resolve());
  const remove = vi.fn(() => Promise.resolve([{ untagged: 'r/t:1' }, { deleted: 'sha256:1' }]));
  await using door = await openDoor(fakeEngine({ images: { get: image, tag, remove } }));
  expect((await door.ask('GET', '/images/127.0.0.1:5000/a/b:1/json')).status).toBe(200);
  expect(image).toHaveBeenLastCalledWith('127.0.0.1:5000/a/b:1');
  expect((await door.ask('POST', '/images/t/tag?repo=docker.io%2Flibrary%2Fx&tag=v1')).status).toBe(201);
  expect(tag).toHaveBeenLastCalledWith('t', 'docker.io/library/x:v1');
  expect((await door.ask('DELETE', '/images/r/t:1?force=1&noprune=1')).json()).toEqual([
    { Untagged: 'r/t:1' },
    { Deleted: 'sha256:1' },
  ]);
  expect(remove).toHaveBeenLastCalledWith('r/t:1', { force: true, prune: false });
});

test('volumes/prune takes named ones only when asked, or before 1.42', async () => {
  const prune = vi.fn((_filters: Filters, _options: { all: boolean }) =>
    Promise.resolve({ deleted: ['v'], reclaimed: 3 }),
  );
  await using door = await openDoor(fakeEngine({ volumes: { prune } }));
  expect((await door.ask('POST', '/v1.42/volumes/prune')).json()).toEqual({ VolumesDeleted: ['v'], SpaceReclaimed: 3 });
  await door.ask('POST', `/v1.50/volumes/prune?${filters({ all: ['true'], label: ['x'] })}`);
  await door.ask('POST', '/v1.41/volumes/prune');
  expect(prune.mock.calls).toEqual([
    [new Map(), { all: false }],
    [new Map([['label', ['x']]]), { all: true }],
    [new Map(), { all: true }],
  ]);
});

test.each([
  ['GET', '/images/search?term=x', 501, /docker search x: registries have no search/],
  ['POST', '/session', 501, /BuildKit is not supported by Drydock; set DOCKER_BUILDKIT=0/],
  ['POST', '/build?version=2', 501, /DOCKER_BUILDKIT=0/],
  ['POST', '/swarm/init', 501, /Drydock does not support swarm mode/],
  ['GET', '/services', 503, /This node is not a swarm manager/],
  ['GET', '/nodes/x', 503, /This node is not a swarm manager/],
  ['GET', '/plugins/x/json', 404, /plugin "x" not found/],
  ['GET', '/libpod/info', 404, /^page not found$/],
])('%s %s is refused with a reason', async (method, path, status, message) => {
  await using door = await openDoor(fakeEngine({ containers: { get } }));
  const answer = await door.ask(method, path, method === 'POST' ? {} : undefined);
  expect(answer.status).toBe(status);
  expect((answer.json() as { message: string }).message).toMatch(message);
});
