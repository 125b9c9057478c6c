import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTestEngine, type TestEngine } from './testing.ts';

let t: TestEngine;
beforeEach(async () => {
  t = await openTestEngine();
});
afterEach(() => t.engine.close());

const line =
  '{"t":"1700000000000000123","d":4.5,"f":"path_open","a":"fd=3 path=\\"x\\"","r":"SUCCESS","o":"opened=4"}\n';
const call = {
  time: 1_700_000_000_000_000_123n,
  took: 4.5,
  name: 'path_open',
  args: 'fd=3 path="x"',
  result: 'SUCCESS',
  given: 'opened=4',
};

test('the label asks for it, and the calls outlive the run', async () => {
  const { containers } = t.engine;
  const { id } = await containers.create({ image: 'app', labels: { 'drydock.trace': '1' } });
  await containers.start(id);
  expect(t.supervisor.last.request.spec.trace).toBe('on');
  t.supervisor.last.traced = { on: true, text: line, head: 90, lost: false };
  expect(await containers.trace(id, {})).toEqual({ state: 'on', calls: [call], next: 90, lost: false });
  expect(await containers.trace(id, { on: false })).toMatchObject({ state: 'off' });
  const over = containers.wait(id, 'not-running').result;
  const trace = { on: true, text: `${line}torn{`, head: 95, lost: true };
  t.supervisor.last.end({ kind: 'exit', code: 0 }, { trace });
  await over;
  expect(await containers.trace(id, {})).toMatchObject({ calls: [call], next: 95, lost: true });
  expect(await containers.trace(id, { since: 95 })).toMatchObject({ calls: [] });
  // Switched off above: the next run has none.
  await containers.start(id);
  expect(t.supervisor.last.request.spec.trace).toBeUndefined();
});

test('switched on while it runs without, it begins with the next run', async () => {
  const { containers } = t.engine;
  const { id } = await containers.create({ image: 'app' });
  expect(await containers.trace(id, {})).toMatchObject({ state: 'off', calls: [] });
  await containers.start(id);
  expect(await containers.trace(id, { on: true })).toMatchObject({ state: 'later', calls: [] });
  await containers.restart(id, { timeout: 1 });
  expect(t.supervisor.last.request.spec.trace).toBe('on');
  await expect(containers.trace('nobody', {})).rejects.toMatchObject({ kind: 'notFound' });
});
