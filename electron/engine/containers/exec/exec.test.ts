import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Attachment, ContainerSpec, ExecSpec } from '../../api/index.ts';
import { openTestEngine, settle, usage, type PlayedRun, type TestEngine } from '../testing.ts';

let t: TestEngine;
beforeEach(async () => {
  t = await openTestEngine();
});
afterEach(async () => {
  await t.engine.close();
  rmSync(t.home, { recursive: true, force: true });
});

const runContainer = async (spec: Partial<ContainerSpec> = {}): Promise<string> => {
  const { id } = await t.engine.containers.create({ image: 'app', name: 'cc', ...spec });
  await t.engine.containers.start(id);
  return id;
};
const create = async (spec: Partial<ExecSpec> = {}): Promise<string> => {
  const both = { attachStdout: true, attachStderr: true };
  return (await t.engine.execs.create('cc', { command: ['/t.wasm', 'a'], ...both, ...spec })).id;
};
/** Starts one and gives the run that is played for it. */
const begin = async (spec: Partial<ExecSpec> = {}): Promise<{ id: string; attachment: Attachment; run: PlayedRun }> => {
  const id = await create(spec);
  const number = t.supervisor.runs.length + 1;
  const attachment = t.engine.execs.attach(id);
  const run = await t.supervisor.run(number);
  await settle();
  return { id, attachment, run };
};
const text = async ({ output }: Attachment): Promise<string> =>
  (await Array.fromAsync(output))
    .flat()
    .map(({ stream, data }) => `${stream}:${Buffer.from(data).toString()}`)
    .join('');
const outputsOf = (containerId: string): string[] => {
  const directory = join(t.home, 'containers', containerId, 'execs');
  return existsSync(directory) ? readdirSync(directory) : [];
};

test('a run of its own over the files, environment and limits of the container', async () => {
  const id = await runContainer({
    env: ['A=1', 'B=2'],
    memory: 1 << 20,
    pidsLimit: 3,
    nanoCpus: 5e8,
    isolation: 'shared',
    mounts: [{ type: 'tmpfs', target: '/t', readOnly: false }],
  });
  const main = t.supervisor.last.request;
  const { id: execId, run } = await begin({ command: ['tool', 'x'], env: ['B=3', 'C=4'], workingDir: '/w/' });
  const { spec } = run.request;
  expect(run.request).toMatchObject({ isolation: 'process', imageId: main.imageId, cpus: 0.5 });
  expect(spec).toMatchObject({
    id: `${execId}:1`,
    module: 'tool',
    args: ['tool', 'x'],
    mounts: main.spec.mounts,
    stdin: 'closed',
    memoryLimit: 1 << 20,
    threadLimit: 3,
  });
  expect(spec).not.toHaveProperty('tty');
  expect(spec.env).toEqual(expect.arrayContaining(['A=1', 'B=3', 'C=4', 'PWD=/w', `HOSTNAME=${id.slice(0, 12)}`]));
  expect(spec.log.directory).toBe(join(t.home, 'containers', id, 'execs', execId));
  expect(spec.net?.gate).not.toBe(main.spec.net?.gate);
  run.exit(0);
});

test('its output is its own, the code is there before the output ends, and nothing is left on the disk', async () => {
  const id = await runContainer();
  const { id: execId, attachment, run } = await begin();
  run.say('out').say('err', 'stderr').exit(5);
  let codeAtEnd: number | undefined;
  const seen = await text(attachment).finally(() => (codeAtEnd = t.engine.execs.get(execId).exitCode));
  expect(seen).toBe('1:out\n2:err\n');
  expect(codeAtEnd).toBe(5);
  expect(await t.engine.execs.wait(execId)).toEqual({ exitCode: 5, error: '' });
  expect(t.engine.execs.get(execId)).toMatchObject({ running: false, exitCode: 5, pid: 0 });
  expect(outputsOf(id)).toEqual([]);
  expect((await Array.fromAsync(t.engine.containers.logs('cc', { stdout: true, stderr: true }))).flat()).toEqual([]);
  expect(t.actions()).toBe('create start exec_create: /t.wasm a exec_start: /t.wasm a exec_die(5)');
  expect(t.events.at(-1)).toMatchObject({ actorId: id, attributes: { name: 'cc', execID: execId, exitCode: '5' } });
});

test('streams are chosen; what nobody wants is given up', async () => {
  const id = await runContainer();
  const errors = await begin({ attachStdout: false });
  errors.run.say('out').say('err', 'stderr').exit(0);
  expect(await text(errors.attachment)).toBe('2:err\n');
  const neither = await begin({ attachStdout: false, attachStderr: false });
  neither.run.say('out').exit(0);
  expect(await text(neither.attachment)).toBe('');
  const left = await begin();
  left.run.say('one');
  left.attachment.close();
  expect(left.run.terminated).toBe(false);
  left.run.say('two').exit(0);
  await settle();
  expect(outputsOf(id)).toEqual([]);
});

test('stdin from before the runner is there is delivered, in order, with its end', async () => {
  await runContainer();
  const id = await create({ attachStdin: true });
  const attachment = t.engine.execs.attach(id);
  await attachment.stdin?.write(Buffer.from('a'));
  await attachment.stdin?.write(Buffer.from('b'));
  attachment.stdin?.end();
  const run = await t.supervisor.run(2);
  expect(run).toMatchObject({ stdin: ['a', 'b'], stdinEnded: true });
  expect(run.request.spec.stdin).toBe('open');
  run.exit(0);
});

test('a terminal has the size of the start, of a resize before it runs, and later ones', async () => {
  await runContainer();
  const id = await create({ tty: true });
  t.supervisor.hold = true;
  t.engine.execs.attach(id, { consoleSize: [30, 100] });
  const run = await t.supervisor.run(2);
  expect(run.request.spec.tty).toEqual({ rows: 30, columns: 100 });
  expect(run.request.spec.env).toContain('TERM=xterm');
  await t.engine.execs.resize(id, 31, 101);
  expect(run.size).toEqual([]);
  run.begin();
  await settle();
  expect(run.size).toEqual([31, 101]);
  await t.engine.execs.resize(id, 5, 6);
  expect(run.size).toEqual([5, 6]);
  run.exit(0);
  await settle();
  await expect(t.engine.execs.resize(id, 5, 6)).rejects.toMatchObject({ kind: 'conflict' });
});

test.each([
  [['sh'], 127, 'exec: "sh": executable file not found in $PATH', ': this container has no shell (WebAssembly)'],
  [['/bin/bash'], 127, 'exec: "/bin/bash": no such file or directory', ': this container has no shell (WebAssembly)'],
  [['nope'], 127, 'exec: "nope": executable file not found in $PATH', ''],
  [['/etc/x'], 126, 'exec: "/etc/x": not a WebAssembly module: permission denied', ''],
  [['sh'], 125, 'the runner is gone', ''],
] as const)('%j that cannot run: %d, told in the output', async (command, code, message, more) => {
  const id = await runContainer();
  t.supervisor.hold = true;
  const { attachment, run, id: execId } = await begin({ command });
  run.fail(code, message);
  expect(await text(attachment)).toBe(`1:${message}${more}\r\n`);
  expect(t.engine.execs.get(execId)).toMatchObject({ running: false, exitCode: code === 127 ? 127 : 126 });
  expect(t.engine.containers.get(id).state).toBe('running');
  expect(outputsOf(id)).toEqual([]);
  const detached = await create({ command });
  const starting = t.engine.execs.detach(detached);
  (await t.supervisor.run(3)).fail(code, message);
  await expect(starting).rejects.toMatchObject({
    kind: 'invalid',
    message: `${message}${more}`,
    data: { exitCode: code === 127 ? 127 : 126 },
  });
});

test('detached: runs on with nobody watching', async () => {
  const id = await runContainer();
  const execId = await create({ attachStdin: true });
  t.supervisor.hold = true;
  let done = false;
  const starting = t.engine.execs.detach(execId).then(() => (done = true));
  const run = await t.supervisor.run(2);
  await settle();
  expect(done).toBe(false);
  run.begin();
  await starting;
  expect(t.engine.execs.get(execId)).toMatchObject({ running: true, exitCode: undefined, pid: 4242 });
  expect(t.engine.containers.get('cc').execIds).toEqual([execId]);
  expect(run.stdinEnded).toBe(true);
  run.say('unseen').exit(3);
  expect((await t.engine.execs.wait(execId)).exitCode).toBe(3);
  expect(t.engine.containers.get('cc').execIds).toEqual([]);
  expect(outputsOf(id)).toEqual([]);
});

test('the program waits for its reader, and for nobody when there is none any more', async () => {
  await runContainer();
  const { attachment, run } = await begin();
  expect(run.request.spec.log.ahead).toBeGreaterThan(1 << 20);
  const line = 'x'.repeat(1 << 20);
  for (let lines = 0; lines < 6; lines++) run.say(line);
  expect(run.readTo).toBe(0);
  const output = attachment.output[Symbol.asyncIterator]();
  for (let read = 0; read < 6 << 20;) for (const { data } of (await output.next()).value ?? []) read += data.length;
  // The last batch counts when the next one is asked for.
  const next = output.next();
  expect(run.readTo).toBeGreaterThan(4 << 20);
  attachment.close();
  await next;
  expect(run.readTo).toBe(Number.MAX_SAFE_INTEGER);
  run.exit(0);
  // Nobody from the beginning.
  const id = await create();
  await t.engine.execs.detach(id);
  expect(t.supervisor.last.readTo).toBe(Number.MAX_SAFE_INTEGER);
});

test('only in a container that runs, only once, only what makes sense', async () => {
  await t.engine.containers.create({ image: 'app', name: 'cc' });
  await expect(create()).rejects.toMatchObject({ kind: 'conflict', message: /^container \w{64} is not running$/ });
  await t.engine.containers.start('cc');
  const early = await create();
  await t.engine.containers.pause('cc');
  const paused = /^container \w{64} is paused, unpause the container before exec$/;
  await expect(create()).rejects.toMatchObject({ kind: 'conflict', message: paused });
  expect(() => t.engine.execs.attach(early)).toThrow(paused);
  await t.engine.containers.unpause('cc');
  await expect(t.engine.execs.create('nope', { command: ['x'] })).rejects.toMatchObject({ kind: 'notFound' });
  await expect(create({ command: [] })).rejects.toMatchObject({
    kind: 'invalid',
    message: 'No exec command specified',
  });
  await expect(create({ env: ['=x'] })).rejects.toMatchObject({ message: 'invalid environment variable: =x' });
  await expect(create({ workingDir: 'w' })).rejects.toMatchObject({ message: /'w' is invalid/ });
  await expect(create({ command: ['a\0b'] })).rejects.toMatchObject({ message: /zero byte/ });
  expect(() => t.engine.execs.get('e')).toThrow('No such exec instance: e');
  const { id, run } = await begin();
  expect(() => t.engine.execs.attach(id)).toThrow(`exec command ${id} is already running`);
  run.exit(0);
  await settle();
  expect(() => t.engine.execs.attach(id)).toThrow(`exec command ${id} has already run`);
  await expect(t.engine.execs.detach(id)).rejects.toMatchObject({ kind: 'conflict' });
});

test('all end with their container, before it has: 137 each', async () => {
  await runContainer();
  const one = await begin();
  const two = await begin();
  t.supervisor.hold = true;
  const three = await begin();
  one.run.say('so far');
  await t.engine.containers.stop('cc');
  expect([one, two, three].map(({ run }) => run.terminated)).toEqual([true, true, true]);
  expect(await Promise.all([one, two, three].map(({ id }) => t.engine.execs.wait(id)))).toEqual([
    { exitCode: 137, error: '' },
    { exitCode: 137, error: '' },
    { exitCode: 137, error: '' },
  ]);
  expect(await text(one.attachment)).toBe('1:so far\n');
  expect(t.actions()).toMatch(/kill\(15\) exec_die\(137\) exec_die\(137\) exec_die\(137\) die\(143\) stop$/);
  expect(() => t.engine.execs.attach(one.id)).toThrow('already run');
  // The next run of the container has nothing to do with them.
  t.supervisor.hold = false;
  await t.engine.containers.start('cc');
  expect(t.engine.containers.get('cc').execIds).toEqual([]);
});

test('an end of its own counts, a trap is 134, and the end of the program ends the execs too', async () => {
  await runContainer();
  const main = t.supervisor.last;
  const trap = await begin();
  trap.run.end({ kind: 'trap', message: 'unreachable', stack: '' });
  expect(await t.engine.execs.wait(trap.id)).toEqual({ exitCode: 134, error: 'unreachable' });
  const left = await begin();
  main.exit(9);
  expect((await t.engine.execs.wait(left.id)).exitCode).toBe(137);
  await settle();
  expect(t.engine.containers.get('cc')).toMatchObject({ state: 'exited', exitCode: 9 });
});

test('a container with --rm goes with its execs; a reader that is late still gets everything', async () => {
  const id = await runContainer({ autoRemove: true });
  const { id: execId, attachment, run } = await begin();
  run.say('last words');
  await t.engine.containers.kill('cc');
  await settle();
  expect(() => t.engine.containers.get('cc')).toThrow('No such container');
  expect(() => t.engine.execs.get(execId)).toThrow('No such exec instance');
  expect(existsSync(join(t.home, 'containers', id))).toBe(false);
  expect(await text(attachment)).toBe('1:last words\n');
});

test('end ends one, and only that one', async () => {
  await runContainer();
  const one = await begin();
  const two = await begin();
  expect(await t.engine.execs.end(one.id)).toBe(true);
  expect(await t.engine.execs.end(one.id)).toBe(false);
  expect(t.engine.execs.get(one.id).exitCode).toBe(137);
  expect(t.engine.execs.list('cc').map(({ id }) => id)).toEqual([two.id]);
  expect(two.run.terminated).toBe(false);
});

test('they stand still with their container, also when they begin to run meanwhile', async () => {
  await runContainer();
  const one = await begin();
  t.supervisor.hold = true;
  const late = await begin();
  await t.engine.containers.pause('cc');
  expect(one.run.paused).toBe(true);
  expect(late.run.paused).toBe(false);
  late.run.begin();
  await settle();
  expect(late.run.paused).toBe(true);
  await t.engine.containers.unpause('cc');
  expect([one.run.paused, late.run.paused]).toEqual([false, false]);
});

test('stats and top count them, and what they used is not forgotten with them', async () => {
  await runContainer();
  const sample = async () => {
    for await (const { current } of t.engine.containers.stats('cc', { stream: false, oneShot: true })) return current;
    throw new Error('no sample');
  };
  const { run } = await begin({ command: ['/t.wasm', 'work'], tty: true });
  expect(await sample()).toMatchObject({ threads: 2, memory: 2 * usage.memory, cpuUser: 2000 * usage.cpuUser });
  const { processes } = await t.engine.containers.top('cc');
  expect(processes.map((row) => [row[5], row[7]])).toEqual([
    ['?', '/app.wasm'],
    ['pts/1', '/t.wasm work'],
  ]);
  run.exit(0);
  await settle();
  expect(await t.engine.containers.top('cc')).toMatchObject({ processes: [{}] });
});

test('limits are changed for all of them', async () => {
  await runContainer();
  const { run } = await begin();
  await t.engine.containers.update('cc', { nanoCpus: 2.5e8, pidsLimit: 7 });
  expect(run).toMatchObject({ cpus: 0.25, threads: 7 });
});

test('ended ones are remembered for five minutes, a hundred at most', async () => {
  await runContainer();
  const ids: string[] = [];
  for (let i = 0; i < 103; i++) {
    const { id, run } = await begin();
    run.exit(i & 255);
    await t.engine.execs.wait(id);
    ids.push(id);
  }
  await create();
  const known = ids.filter((id) => {
    try {
      return t.engine.execs.get(id).exitCode !== undefined;
    } catch {
      return false;
    }
  });
  expect(known).toEqual(ids.slice(3));
  t.timers.advance(5 * 60_000);
  expect(() => t.engine.execs.get(ids.at(-1) ?? '')).toThrow('No such exec instance');
});

test('those that nobody starts are bounded as well', async () => {
  await runContainer();
  const ids = [];
  for (let i = 0; i < 105; i++) ids.push(await create());
  expect(t.engine.execs.list('cc').map(({ id }) => id)).toEqual(ids.slice(5));
});

test('what an engine that was killed left behind is swept at the next open', async () => {
  const id = await runContainer();
  const { run } = await begin();
  run.say('x');
  expect(outputsOf(id)).toHaveLength(1);
  const { home } = t;
  // As a kill -9 leaves it: the record says that it runs, the output is there.
  cpSync(join(home, 'containers', id, 'execs'), join(home, 'saved'), { recursive: true });
  await t.engine.close();
  cpSync(join(home, 'saved'), join(home, 'containers', id, 'execs'), { recursive: true });
  t = await openTestEngine(home);
  expect(outputsOf(id)).toEqual([]);
});
