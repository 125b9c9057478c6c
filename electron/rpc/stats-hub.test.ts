import { expect, test } from 'vitest';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import { until } from '../../test/support/until.ts';
import { StatsHub } from './stats-hub.ts';

function setUp() {
  const engine = new FakeEngine();
  engine.put({ id: 'a', state: 'running' });
  engine.put({ id: 'b', state: 'running' });
  engine.put({ id: 'still', state: 'exited' });
  return { engine, hub: new StatsHub(engine.api) };
}

test('two watchers of one container share its loop; it ends with the last of them', async () => {
  const { engine, hub } = setUp();
  const one = hub.watch(['a'], undefined);
  const two = hub.watch(['a', 'b'], undefined);
  const first = [one.next(), two.next()];
  await until('the loops', () => engine.sampling === 2);
  engine.sample('a', 1);
  engine.sample('b', 2);
  expect((await first[0])?.value).toMatchObject({ samples: [{ id: 'a', cpu: 25, memory: 1001, memoryLimit: 5000 }] });
  expect((await first[1])?.value).toMatchObject({ samples: [{ id: 'a' }, { id: 'b' }] });
  expect(engine.samplings).toBe(2);
  await one.return();
  expect(hub.sampling).toBe(2);
  await two.return();
  await until('the end of the loops', () => engine.sampling === 0);
  expect(hub.sampling).toBe(0);
});

test('nothing runs before somebody iterates, nor after the signal', async () => {
  const { engine, hub } = setUp();
  const abort = new AbortController();
  const watching = hub.watch(['a'], abort.signal);
  expect(engine.sampling).toBe(0);
  const first = watching.next();
  await until('the loop', () => engine.sampling === 1);
  abort.abort();
  expect(await first).toEqual({ value: undefined, done: true });
  await until('the end of the loop', () => engine.sampling === 0);
});

test('what does not run or is gone is left out; what starts later comes in', async () => {
  const { engine, hub } = setUp();
  const watching = hub.watch(['still', 'nothing'], undefined);
  expect((await watching.next()).value).toMatchObject({ samples: [] });
  engine.put({ id: 'still', state: 'running' });
  const next = watching.next();
  await until('the loop', () => engine.sampling === 1);
  engine.sample('still', 0);
  expect((await next).value).toMatchObject({ samples: [{ id: 'still', cpu: 0 }] });
  await watching.return();
});
