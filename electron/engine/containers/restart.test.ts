import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RestartPolicy } from '../api/index.ts';
import { nextDelay, shouldRestart, shouldStartAtOpen } from './restart-policy.ts';
import { openTestEngine, settle, type TestEngine } from './testing.ts';

let t: TestEngine;
beforeEach(async () => {
  t = await openTestEngine();
});
afterEach(() => t.engine.close());

const policy = (name: RestartPolicy['name'], maximumRetryCount = 0): RestartPolicy => ({ name, maximumRetryCount });
const view = (): { state: string; restartCount: number } => t.engine.containers.get('cc');
const run = async (restartPolicy: RestartPolicy): Promise<void> => {
  await t.engine.containers.create({ image: 'app', name: 'cc', restartPolicy });
  await t.engine.containers.start('cc');
};
const exit = async (code: number): Promise<void> => {
  t.supervisor.last.exit(code);
  await settle();
};
const pass = async (milliseconds: number): Promise<void> => {
  t.timers.advance(milliseconds);
  await settle();
};

test('on-failure:2 tries twice more, doubling the delay, then gives up', async () => {
  await run(policy('on-failure', 2));
  await exit(1);
  expect(view()).toMatchObject({ state: 'restarting', restartCount: 1 });
  expect(t.timers.delays()).toEqual([100]);
  await pass(99);
  expect(t.supervisor.runs).toHaveLength(1);
  await pass(1);
  expect(view()).toMatchObject({ state: 'running', restartCount: 1 });
  await exit(1);
  expect(t.timers.delays()).toEqual([200]);
  await pass(200);
  await exit(1);
  expect(view()).toMatchObject({ state: 'exited', restartCount: 2 });
  expect(t.timers.delays()).toEqual([]);
});

test('a guest that computed in a shared process gets one of its own the next time', async () => {
  await t.engine.containers.create({ image: 'app', name: 'cc', isolation: 'shared', restartPolicy: policy('always') });
  await t.engine.containers.start('cc');
  await exit(0);
  await pass(100);
  t.supervisor.last.end({ kind: 'exit', code: 0 }, { hogged: true });
  await settle();
  await pass(200);
  expect(t.supervisor.runs.map(({ request }) => request.isolation)).toEqual(['shared', 'shared', 'process']);
  expect(t.engine.containers.get('cc').config.isolation).toBe('shared');
});

test('a user who starts it again begins a new count', async () => {
  await run(policy('on-failure', 1));
  await exit(1);
  await pass(100);
  await exit(1);
  expect(view()).toMatchObject({ state: 'exited', restartCount: 1 });
  await t.engine.containers.start('cc');
  expect(view()).toMatchObject({ state: 'running', restartCount: 0 });
});

test('exit 0 is no failure; always restarts it; a long run resets the delay', async () => {
  await run(policy('on-failure'));
  await exit(0);
  expect(view()).toMatchObject({ state: 'exited', restartCount: 0 });
  await t.engine.containers.update('cc', { restartPolicy: policy('always') });
  await t.engine.containers.start('cc');
  for (const [ranFor, delay] of [
    [0, 100],
    [5, 200],
    [9_999, 400],
    [10_000, 100],
  ] as const) {
    t.timers.time += ranFor;
    await exit(0);
    expect(t.timers.delays()).toEqual([delay]);
    await pass(delay);
  }
});

test.each(['stop', 'kill'] as const)('%s ends it, running or between two runs', async (verb) => {
  await run(policy('always'));
  await t.engine.containers[verb]('cc');
  expect(view().state).toBe('exited');
  await t.engine.containers.start('cc');
  await exit(1);
  expect(view().state).toBe('restarting');
  await t.engine.containers[verb]('cc');
  expect(view().state).toBe('exited');
  await pass(60_000);
  expect(t.supervisor.runs).toHaveLength(2);
});

test('logs -f goes on over restarts and ends when it has stopped for good', async () => {
  await run(policy('on-failure', 1));
  const following = Array.fromAsync(t.engine.containers.logs('cc', { stdout: true, stderr: true, follow: true }));
  await settle();
  t.supervisor.last.say('first');
  await exit(1);
  await pass(100);
  t.supervisor.last.say('second');
  await exit(1);
  expect((await following).flat().map(({ data }) => Buffer.from(data).toString())).toEqual(['first\n', 'second\n']);
});

test('update to "no" while it waits ends the waiting; remove -f as well', async () => {
  await run(policy('always'));
  await exit(1);
  await t.engine.containers.update('cc', { restartPolicy: policy('no') });
  expect(view().state).toBe('exited');
  await t.engine.containers.update('cc', { restartPolicy: policy('always') });
  await t.engine.containers.start('cc');
  await exit(1);
  await expect(t.engine.containers.remove('cc')).rejects.toMatchObject({ kind: 'conflict' });
  await t.engine.containers.remove('cc', { force: true });
  await pass(60_000);
  expect(t.supervisor.runs).toHaveLength(2);
});

test('a restart that fails to start ends in exited with the reason', async () => {
  await run(policy('always'));
  t.supervisor.hold = true;
  t.supervisor.script = (next) => next.fail(127, 'gone');
  await exit(1);
  await pass(100);
  expect(t.engine.containers.get('cc')).toMatchObject({ state: 'exited', exitCode: 127, error: 'gone' });
  expect(t.lines.join()).toContain('could not be started again: gone');
});

test('the rules', () => {
  expect(shouldRestart(policy('no'), 1, 0)).toBe(false);
  expect(shouldRestart(policy('unless-stopped'), 0, 99)).toBe(true);
  expect(shouldRestart(policy('on-failure'), 1, 99)).toBe(true);
  const last = { exitCode: 0, restartCount: 0, stoppedByUser: true };
  expect(shouldStartAtOpen(policy('always'), last)).toBe(true);
  expect(shouldStartAtOpen(policy('unless-stopped'), last)).toBe(false);
  expect(shouldStartAtOpen(policy('unless-stopped'), { ...last, stoppedByUser: false })).toBe(true);
  expect(nextDelay(40_000, 0)).toBe(60_000);
});
