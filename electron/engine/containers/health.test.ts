import { rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ContainerHealth, ContainerSpec, Healthcheck } from '../api/index.ts';
import { spell } from './health.ts';
import { mergeHealthcheck, probeTimes } from './healthcheck.ts';
import { openTestEngine, settle, type PlayedRun, type TestEngine } from './testing.ts';

let t: TestEngine;
beforeEach(async () => {
  t = await openTestEngine();
});
afterEach(async () => {
  await t.engine.close();
  rmSync(t.home, { recursive: true, force: true });
});

const second = 1e9;
const check = (change: Partial<Healthcheck> = {}): Healthcheck => ({
  test: ['CMD', '/probe.wasm', 'x'],
  interval: 10 * second,
  timeout: 3 * second,
  startPeriod: 0,
  retries: 2,
  ...change,
});
const create = (healthcheck: Healthcheck, spec: Partial<ContainerSpec> = {}) =>
  t.engine.containers.create({ image: 'app', name: 'cc', healthcheck, ...spec });
const start = async (change: Partial<Healthcheck> = {}): Promise<void> => {
  await create(check(change));
  await t.engine.containers.start('cc');
};
const health = (): ContainerHealth | undefined => t.engine.containers.get('cc').health;
const statusEvents = (): string[] => t.events.map(({ action }) => action).filter((action) => /^health/.test(action));
/** Lets a timer of the given length run out and gives the probe that this starts. */
const nextProbe = async (milliseconds: number): Promise<PlayedRun> => {
  const number = t.supervisor.runs.length + 1;
  t.timers.advance(milliseconds);
  const run = await t.supervisor.run(number);
  await settle();
  return run;
};
/** The end of a probe has been judged: the next timer is set. */
const judged = async (entries: number): Promise<void> => {
  while (health()?.log.at(-1) === undefined || (health()?.log.length ?? 0) < entries || !t.timers.delays().length)
    await settle();
  await settle();
};

test('starting, then healthy at the first success: after an interval, as an exec, told by an event', async () => {
  await start();
  expect(health()).toEqual({ status: 'starting', failingStreak: 0, log: [] });
  t.timers.advance(9_999);
  await settle();
  expect(t.supervisor.runs).toHaveLength(1);
  const probe = await nextProbe(1);
  expect(probe.request.spec).toMatchObject({ module: '/probe.wasm', args: ['/probe.wasm', 'x'], stdin: 'closed' });
  probe.say('fine').exit(0);
  await judged(1);
  expect(health()).toMatchObject({
    status: 'healthy',
    failingStreak: 0,
    log: [{ exitCode: 0, output: 'fine\n', start: expect.stringMatching(/^\d{4}-/), end: expect.any(String) }],
  });
  expect(statusEvents()).toEqual(['health_status: healthy']);
  expect(t.engine.containers.get('cc').execIds).toEqual([]);
  expect(t.engine.containers.list({ all: false, filters: new Map([['health', ['healthy']]]) })).toHaveLength(1);
  expect(t.engine.containers.list({ all: false, filters: new Map([['health', ['none', 'starting']]]) })).toEqual([]);
});

test('unhealthy after as many failures in a row as there are retries, healthy again after one success', async () => {
  await start();
  for (const [index, code, status, streak] of [
    [1, 1, 'starting', 1],
    [2, 1, 'unhealthy', 2],
    [3, 7, 'unhealthy', 3],
    [4, 0, 'healthy', 0],
    [5, 1, 'healthy', 1],
  ] as const) {
    (await nextProbe(10_000)).exit(code);
    await judged(index);
    expect([health()?.status, health()?.failingStreak]).toEqual([status, streak]);
  }
  (await nextProbe(10_000)).say('sixth').exit(1);
  await settle();
  while (health()?.log.at(-1)?.output !== 'sixth\n') await settle();
  expect(health()?.log.map(({ exitCode }) => exitCode)).toEqual([1, 7, 0, 1, 1]);
  expect(statusEvents()).toEqual(['health_status: unhealthy', 'health_status: healthy', 'health_status: unhealthy']);
});

test('within the start period probes come more often and failures do not count', async () => {
  await start({ startPeriod: 12 * second, startInterval: 4 * second, retries: 1 });
  (await nextProbe(4_000)).exit(1);
  await judged(1);
  (await nextProbe(4_000)).exit(1);
  await judged(2);
  expect(health()).toMatchObject({ status: 'starting', failingStreak: 0 });
  // It begins when the period is over: counts, and from here on it is the interval again.
  (await nextProbe(4_000)).exit(1);
  await judged(3);
  expect(health()).toMatchObject({ status: 'unhealthy', failingStreak: 1 });
  expect(t.timers.delays()).toEqual([10_000]);
});

test('a probe that takes too long is ended and has failed', async () => {
  await start({ retries: 1 });
  const probe = await nextProbe(10_000);
  probe.say('thinking');
  t.timers.advance(3_000);
  await judged(1);
  expect(probe.terminated).toBe(true);
  expect(health()).toMatchObject({
    status: 'unhealthy',
    log: [{ exitCode: -1, output: 'Health check exceeded timeout (3s): thinking\n' }],
  });
});

test('a probe that cannot run has failed, and says why', async () => {
  await start();
  t.supervisor.hold = true;
  (await nextProbe(10_000)).fail(127, 'exec: "/probe.wasm": no such file or directory');
  await judged(1);
  expect(health()?.log).toMatchObject([
    { exitCode: 127, output: 'exec: "/probe.wasm": no such file or directory\r\n' },
  ]);
});

test('output is kept to 4,096 bytes', async () => {
  await start();
  const probe = await nextProbe(10_000);
  for (let i = 0; i < 100; i++) probe.say('x'.repeat(99));
  probe.exit(0);
  await judged(1);
  const output = health()?.log[0]?.output ?? '';
  expect(output).toHaveLength(4096);
  expect(output.endsWith('...')).toBe(true);
});

test('no probe while paused; one that was under way is forgotten; afterwards an interval passes first', async () => {
  await start();
  const probe = await nextProbe(10_000);
  await t.engine.containers.pause('cc');
  await settle();
  expect(probe.terminated).toBe(true);
  expect(t.timers.delays()).toEqual([]);
  expect(health()).toMatchObject({ status: 'starting', log: [] });
  await t.engine.containers.unpause('cc');
  (await nextProbe(10_000)).exit(0);
  await judged(1);
  expect(health()?.status).toBe('healthy');
});

test('nothing is probed after the end: not healthy, nothing logged, no timer; a new run starts anew', async () => {
  await start();
  (await nextProbe(10_000)).exit(0);
  await judged(1);
  const probe = await nextProbe(10_000);
  await t.engine.containers.stop('cc');
  await settle();
  expect(probe.terminated).toBe(true);
  expect(health()).toMatchObject({ status: 'unhealthy', failingStreak: 0, log: [{ exitCode: 0 }] });
  expect(t.timers.delays()).toEqual([]);
  expect(statusEvents()).toEqual(['health_status: healthy']);
  await t.engine.containers.start('cc');
  expect(health()).toMatchObject({ status: 'starting', failingStreak: 0 });
  expect(t.timers.delays()).toEqual([10_000]);
});

test('NONE turns the check of an image off; without any there is no health', async () => {
  await start({ test: ['NONE'] });
  expect(health()).toBeUndefined();
  expect(t.timers.delays()).toEqual([]);
  expect(t.engine.containers.list({ all: false, filters: new Map([['health', ['none']]]) })).toHaveLength(1);
});

test('a check for a shell: without one a warning and no health, with one it is run by it', async () => {
  const shellForm = check({ test: ['CMD-SHELL', 'test -f /x'] });
  const { warnings } = await create(shellForm);
  expect(warnings).toEqual([
    expect.stringMatching(/^HEALTHCHECK has no effect: .* the image has no WebAssembly program \/bin\/sh;/),
  ]);
  await t.engine.containers.start('cc');
  expect(health()).toBeUndefined();
  await t.engine.containers.remove('cc', { force: true });

  const module = Buffer.from('0061736d0100000001040160000003020100070a01065f737461727400000a040102000b', 'hex');
  for (const [name, bytes, healthy] of [
    ['elf', Buffer.from('\x7fELF shell'), false],
    ['wasm', module, true],
  ] as const) {
    const tar = pack();
    tar.entry({ name: 'bin/sh' }, bytes);
    tar.entry({ name: 'app.wasm' }, module);
    tar.finalize();
    const { id } = await t.engine.images.importRoot(Readable.from(tar), {
      reference: name,
      message: '',
      changes: ['ENTRYPOINT ["/app.wasm"]'],
      platform: '',
    });
    expect(id).toMatch(/^sha256:/);
    const made = await create(shellForm, { image: name });
    expect(made.warnings).toHaveLength(healthy ? 0 : 1);
    await t.engine.containers.start('cc');
    expect(health()?.status).toBe(healthy ? 'starting' : undefined);
    if (healthy) {
      const probe = await nextProbe(10_000);
      expect(probe.request.spec.args).toEqual(['/bin/sh', '-c', 'test -f /x']);
    }
    await t.engine.containers.remove('cc', { force: true });
  }
});

test.each([
  [['curl', 'x'], 'unknown kind of healthcheck: "curl"'],
  [['CMD'], 'the healthcheck CMD names no program'],
])('%j is refused at create', async (words, message) => {
  await expect(create(check({ test: words }))).rejects.toMatchObject({ kind: 'invalid', message });
});

test('a request without a test has the image’s, with intervals of its own', () => {
  const image = check({ startInterval: 7 });
  expect(mergeHealthcheck(undefined, image)).toBe(image);
  expect(mergeHealthcheck({ test: [], interval: 5, timeout: 0, startPeriod: 0, retries: 0 }, image)).toEqual({
    ...image,
    interval: 5,
  });
  const own = check({ test: ['CMD', 'y'], retries: 0 });
  expect(mergeHealthcheck(own, image)).toBe(own);
});

test('times: Docker’s defaults for what is not given, nanoseconds to milliseconds, what a timer can hold', () => {
  expect(probeTimes({ test: [], interval: 0, timeout: 0, startPeriod: 0, retries: 0 })).toEqual({
    interval: 30_000,
    timeout: 30_000,
    startPeriod: 0,
    startInterval: 5_000,
    retries: 3,
  });
  expect(probeTimes(check({ interval: 1e20, timeout: 1 }))).toMatchObject({ interval: 2 ** 31 - 1, timeout: 1 });
  expect([1, 2500, 90_000, 3_600_000].map(spell)).toEqual(['1ms', '2.5s', '1m30s', '1h0m0s']);
});
