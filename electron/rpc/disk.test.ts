import { expect, test } from 'vitest';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import { until } from '../../test/support/until.ts';
import { changesDisk, DiskFigure } from './disk.ts';

test('measures once when somebody looks, and once for a burst of events', async () => {
  const engine = new FakeEngine();
  let changes = 0;
  const disk = new DiskFigure(engine.api, () => changes++, { settle: 5, apart: 5 });
  expect(disk.bytes).toBe(0);
  disk.watch();
  await until('the first figure', () => disk.bytes === 100);
  for (let i = 0; i < 100; i++) disk.outdate();
  await until('the second figure', () => disk.bytes === 200);
  disk.unwatch();
  expect(engine.diskUsages).toBe(2);
  expect(changes).toBe(2);
});

test('an event while it is measured makes it measure again; one while nobody looks does when somebody does', async () => {
  const engine = new FakeEngine();
  const disk = new DiskFigure(engine.api, () => disk.bytes === 100 && disk.outdate(), { settle: 1, apart: 1 });
  disk.watch();
  await until('the second figure', () => disk.bytes === 200);
  disk.unwatch();
  disk.outdate();
  expect(engine.diskUsages).toBe(2);
  disk.watch();
  await until('the third figure', () => disk.bytes === 300);
  disk.unwatch();
});

test.each([
  ['container', 'die', true],
  ['container', 'exec_start: ls', false],
  ['image', 'tag', true],
  ['volume', 'create', true],
  ['network', 'create', false],
] as const)('%s %s changes the disk: %s', (type, action, expected) => {
  expect(changesDisk({ type, action, actorId: 'x', attributes: {}, timeNano: 1n })).toBe(expected);
});
