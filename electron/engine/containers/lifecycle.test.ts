import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ContainerSpec } from '../api/index.ts';
import { openTestEngine, settle, type TestEngine } from './testing.ts';

let t: TestEngine;
beforeEach(async () => {
  t = await openTestEngine();
});
afterEach(() => t.engine.close());

const create = async (spec: Partial<ContainerSpec> = {}): Promise<string> =>
  (await t.engine.containers.create({ image: 'app', name: 'cc', ...spec })).id;
const state = (ref = 'cc'): string => {
  const view = t.engine.containers.get(ref);
  return `${view.state} ${view.exitCode}`;
};

test('create, start, exit: states, events in order, exit code, times', async () => {
  const id = await create({ labels: { role: 'x' } });
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  expect(state()).toBe('created 0');
  expect(await t.engine.containers.start('cc')).toBe(true);
  expect(await t.engine.containers.start('cc')).toBe(false);
  expect(t.engine.containers.get('cc')).toMatchObject({ state: 'running', pid: 4242 });
  expect(t.engine.containers.get('cc').networks[0]).toMatchObject({ name: 'bridge', ipAddress: '172.17.0.2' });
  t.supervisor.last.exit(256 + 7);
  await settle();
  const view = t.engine.containers.get('cc');
  expect(view).toMatchObject({ state: 'exited', exitCode: 7, pid: 0, error: '' });
  expect(view.finishedAt > view.startedAt).toBe(true);
  expect(view.networks[0]).toMatchObject({ name: 'bridge', ipAddress: '' });
  expect(t.actions()).toBe('create start die(7)');
  for (const { type, attributes } of t.events)
    if (type === 'container') expect(attributes).toMatchObject({ name: 'cc', image: 'app', role: 'x' });
  await t.engine.containers.remove('cc');
  expect(t.actions()).toBe('create start die(7) destroy');
  expect(readdirSync(join(t.home, 'containers'))).toEqual([]);
});

test.each([
  ['stop', undefined, 143, 'kill(15) die(143) stop'],
  ['stop', 'SIGINT', 130, 'kill(2) die(130) stop'],
  ['stop', 'USR1', 137, 'kill(9) die(137) stop'],
  ['kill', undefined, 137, 'kill(9) die(137)'],
  ['kill', 'TERM', 143, 'kill(15) die(143)'],
  ['kill', '2', 130, 'kill(2) die(130)'],
  ['kill', 'sigquit', 131, 'kill(3) die(131)'],
] as const)('%s %s gives %i', async (verb, signal, code, actions) => {
  await create();
  await t.engine.containers.start('cc');
  if (verb === 'stop') expect(await t.engine.containers.stop('cc', { signal })).toBe(true);
  else await t.engine.containers.kill('cc', signal);
  expect(state()).toBe(`exited ${code}`);
  expect(t.actions()).toBe(`create start ${actions}`);
  expect(await t.engine.containers.stop('cc')).toBe(false);
});

test('kill: harmless signals do nothing, unknown ones and stopped containers are refused', async () => {
  const id = await create();
  await expect(t.engine.containers.kill('cc')).rejects.toMatchObject({
    kind: 'conflict',
    message: `Cannot kill container: cc: Container ${id} is not running`,
  });
  await t.engine.containers.start('cc');
  for (const signal of ['CONT', 'WINCH', 'CHLD', 'URG', 'USR1', 'USR2', 'HUP'])
    await t.engine.containers.kill('cc', signal);
  expect(state()).toBe('running 0');
  await expect(t.engine.containers.kill('cc', 'NOSUCH')).rejects.toMatchObject({
    kind: 'invalid',
    message: 'Invalid signal: NOSUCH',
  });
});

test('a guest that finished by itself while it was being stopped keeps its own code', async () => {
  await create();
  await t.engine.containers.start('cc');
  t.supervisor.last.exit(3);
  await t.engine.containers.stop('cc');
  expect(state()).toBe('exited 3');
});

test('a trap is 134 with its message, a lost process 137 with a reason', async () => {
  await create();
  await t.engine.containers.start('cc');
  t.supervisor.last.end({ kind: 'trap', message: 'unreachable', stack: 'at f' });
  await settle();
  expect(t.engine.containers.get('cc')).toMatchObject({ exitCode: 134, error: 'unreachable' });
  await t.engine.containers.start('cc');
  expect(t.engine.containers.get('cc')).toMatchObject({ exitCode: 0, error: '' });
  t.supervisor.last.end({ kind: 'crashed', code: null, signal: 'SIGSEGV' });
  await settle();
  expect(t.engine.containers.get('cc')).toMatchObject({
    exitCode: 137,
    error: 'the runner process ended unexpectedly by SIGSEGV',
  });
});

test('restart: kill, die, stop, start, restart; also of a stopped one', async () => {
  await create();
  await t.engine.containers.restart('cc');
  await t.engine.containers.restart('cc');
  expect(state()).toBe('running 0');
  expect(t.actions()).toBe('create start restart kill(15) die(143) stop start restart');
  expect(t.supervisor.runs.map(({ request }) => request.spec.id.slice(64))).toEqual([':1', ':2']);
});

test('pause and unpause', async () => {
  const id = await create();
  await expect(t.engine.containers.pause('cc')).rejects.toThrow(`Container ${id} is not running`);
  await t.engine.containers.start('cc');
  await t.engine.containers.pause('cc');
  expect(t.supervisor.last.paused).toBe(true);
  expect(state()).toBe('paused 0');
  await expect(t.engine.containers.pause('cc')).rejects.toThrow(`Container ${id} is already paused`);
  await expect(t.engine.containers.start('cc')).rejects.toMatchObject({
    kind: 'conflict',
    message: 'cannot start a paused container, try unpause instead',
  });
  await expect(t.engine.containers.remove('cc')).rejects.toThrow('You cannot remove a paused container');
  await t.engine.containers.unpause('cc');
  await expect(t.engine.containers.unpause('cc')).rejects.toThrow(`Container ${id} is not paused`);
  await t.engine.containers.pause('cc');
  await t.engine.containers.stop('cc');
  expect(state()).toBe('exited 143');
  expect(t.supervisor.last.paused).toBe(false);
});

test('a start that fails leaves the state, the code and the reason, and tells those who wait', async () => {
  await create();
  t.supervisor.script = (run) => run.fail(127, 'exec: "/x": stat /x: no such file or directory');
  t.supervisor.hold = true;
  const attachment = t.engine.containers.attach('cc', {
    stdin: false,
    stdout: true,
    stderr: true,
    logs: false,
    stream: true,
  });
  const next = t.engine.containers.wait('cc', 'next-exit').result;
  await expect(t.engine.containers.start('cc')).rejects.toMatchObject({ data: { exitCode: 127 } });
  expect(t.engine.containers.get('cc')).toMatchObject({
    state: 'created',
    exitCode: 127,
    error: 'exec: "/x": stat /x: no such file or directory',
  });
  expect(await next).toEqual({ exitCode: 127 });
  expect(await t.engine.containers.wait('cc', 'not-running').result).toEqual({ exitCode: 127 });
  expect(await Array.fromAsync(attachment.output)).toEqual([]);
  expect(t.engine.networks.get('bridge').containers).toEqual([]);
});

test('a start that fails with --rm removes the container, and the wait for its removal has the code', async () => {
  await create({ autoRemove: true });
  t.supervisor.script = (run) => run.fail(126, 'permission denied');
  t.supervisor.hold = true;
  const removed = t.engine.containers.wait('cc', 'removed').result;
  await expect(t.engine.containers.start('cc')).rejects.toThrow('permission denied');
  expect(await removed).toEqual({ exitCode: 126 });
  expect(() => t.engine.containers.get('cc')).toThrow('No such container: cc');
});

test('wait sees the exit of a guest that is done before start returns', async () => {
  await create({ autoRemove: true });
  t.supervisor.script = (run) => run.say('quick').exit(5);
  const results = (['not-running', 'next-exit', 'removed'] as const).map((condition) =>
    condition === 'not-running' ? Promise.resolve() : t.engine.containers.wait('cc', condition).result,
  );
  expect(await t.engine.containers.start('cc')).toBe(true);
  expect((await Promise.all(results)).slice(1)).toEqual([{ exitCode: 5 }, { exitCode: 5 }]);
  expect(t.actions()).toBe('create start die(5) destroy');
});

test('wait: not-running answers at once when it does not run; many may wait; giving up rejects', async () => {
  await create();
  expect(await t.engine.containers.wait('cc', 'not-running').result).toEqual({ exitCode: 0 });
  await t.engine.containers.start('cc');
  const abort = new AbortController();
  const given = t.engine.containers.wait('cc', 'next-exit', abort.signal).result;
  const two = [1, 2].map(() => t.engine.containers.wait('cc', 'not-running').result);
  abort.abort();
  await expect(given).rejects.toMatchObject({ kind: 'cancelled' });
  await t.engine.containers.kill('cc');
  expect(await Promise.all(two)).toEqual([{ exitCode: 137 }, { exitCode: 137 }]);
  expect(() => t.engine.containers.wait('nope', 'removed')).toThrow('No such container: nope');
});

test('two starts at once begin one run; a stop during a start waits for it', async () => {
  await create();
  t.supervisor.hold = true;
  const starts = [t.engine.containers.start('cc'), t.engine.containers.start('cc')];
  const stop = t.engine.containers.stop('cc');
  (await t.supervisor.run(1)).begin();
  expect(await Promise.all(starts)).toEqual([true, false]);
  expect(await stop).toBe(true);
  expect(t.supervisor.runs).toHaveLength(1);
  expect(state()).toBe('exited 143');
});

test('the engine closes while a start hangs', async () => {
  await create({ restartPolicy: { name: 'always', maximumRetryCount: 0 } });
  t.supervisor.hold = true;
  const starting = t.engine.containers.start('cc');
  await t.supervisor.run(1);
  await t.engine.close();
  await starting;
  expect(state()).toBe('exited 143');
});

test('remove: running is refused, force kills, volumes go only when asked', async () => {
  const id = await create({ volumes: ['/data'] });
  const volume = t.engine.containers.get('cc').mounts[0]?.name ?? '';
  await t.engine.containers.start('cc');
  await expect(t.engine.containers.remove('cc')).rejects.toMatchObject({
    kind: 'conflict',
    message: `You cannot remove a running container ${id}. Stop the container before attempting removal or force remove`,
  });
  const waiting = t.engine.containers.wait('cc', 'removed').result;
  await Promise.all([
    t.engine.containers.remove('cc', { force: true, volumes: true }),
    t.engine.containers.remove('cc', { force: true }),
  ]);
  expect(await waiting).toEqual({ exitCode: 137 });
  await settle();
  expect(() => t.engine.volumes.get(volume)).toThrow('no such volume');
  const other = await create({ name: 'dd', volumes: ['/data'] });
  const kept = t.engine.containers.get(other).mounts[0]?.name ?? '';
  await t.engine.containers.remove('dd');
  await settle();
  expect(t.engine.volumes.get(kept).anonymous).toBe(true);
});

test('a directory that is used again shows nothing of the container before', async () => {
  for (let i = 0; i < 3; i++) {
    await create({ name: `c${i}`, command: [`secret-${i}`] });
    t.supervisor.script = (run) => run.say(`output ${i}`).exit(0);
    await t.engine.containers.start(`c${i}`);
    await settle();
    const text = await Array.fromAsync(t.engine.containers.logs(`c${i}`, { stdout: true, stderr: true }));
    expect(text.flat().map(({ data }) => Buffer.from(data).toString())).toEqual([`output ${i}\n`]);
    await t.engine.containers.remove(`c${i}`);
  }
  const next = await create({ name: 'next' });
  expect(await Array.fromAsync(t.engine.containers.logs('next', { stdout: true, stderr: true }))).toEqual([]);
  expect(existsSync(join(t.home, 'containers', next, 'upper'))).toBe(true);
});

test('rename', async () => {
  await create();
  const other = await create({ name: 'other' });
  await expect(t.engine.containers.rename('cc', 'other')).rejects.toMatchObject({
    kind: 'conflict',
    message: `Error when allocating new name: Conflict. The container name "/other" is already in use by container "${other}". You have to remove (or rename) that container to be able to reuse that name.`,
  });
  for (const name of ['', 'cc', 'bad name!'])
    await expect(t.engine.containers.rename('cc', name)).rejects.toMatchObject({ kind: 'invalid' });
  await t.engine.containers.rename('cc', '/dd');
  expect(() => t.engine.containers.get('cc')).toThrow('No such container');
  expect(t.engine.containers.get('/dd').name).toBe('dd');
  expect(t.events.at(-1)).toMatchObject({ action: 'rename', attributes: { name: 'dd', oldName: '/cc' } });
  await create({ name: 'cc' });
});

test('top, stats and resize speak of the run', async () => {
  const id = await create({ tty: true, command: ['a', 'b'] });
  await expect(t.engine.containers.top('cc')).rejects.toThrow(`Container ${id} is not running`);
  await expect(t.engine.containers.resize('cc', 50, 120)).rejects.toMatchObject({ kind: 'conflict' });
  const stopped = await Array.fromAsync(t.engine.containers.stats('cc', { stream: false }));
  expect(stopped).toMatchObject([{ running: false, current: { memory: 0, cpuUser: 0 }, previous: undefined }]);
  await t.engine.containers.start('cc');
  expect(t.supervisor.last.request.spec.tty).toEqual({ rows: 50, columns: 120 });
  await t.engine.containers.resize('cc', 30, 90);
  expect(t.supervisor.last.size).toEqual([30, 90]);
  const { titles, processes } = await t.engine.containers.top('cc');
  expect(processes[0]?.[titles.indexOf('PID')]).toBe('4242');
  expect(processes[0]?.[titles.indexOf('CMD')]).toBe('/app.wasm a b');
  const [sample] = await Array.fromAsync(t.engine.containers.stats('cc', { stream: false, oneShot: true }));
  expect(sample).toMatchObject({ running: true, current: { cpuUser: 1_500_000, cpuSystem: 500_000, memory: 65536 } });
  for await (const each of t.engine.containers.stats('cc', { stream: true })) {
    expect(each.running).toBe(true);
    break;
  }
  expect(() => t.engine.containers.stats('nope', { stream: true })).toThrow('No such container: nope');
});
