import { expect, test } from 'vitest';
import { Operations } from './operations.svelte.ts';

test('a failure stays with its subject until the next try; others are not touched', async () => {
  const operations = new Operations();
  const failing = operations.run('web', 'start', 'Starting web', () => Promise.reject(new Error('port 80 is taken')));
  expect(operations.busy('web')).toBe('start');
  expect(operations.tasks.map((task) => task.title)).toEqual(['Starting web']);
  expect(await failing).toBeUndefined();
  expect(operations.busy('web')).toBeUndefined();
  expect(operations.problem('web')?.message).toBe('port 80 is taken');
  expect(operations.problem('api')).toBeUndefined();
  expect(await operations.run('web', 'start', 'Starting web', () => Promise.resolve(7))).toEqual({ value: 7 });
  expect(operations.problem('web')).toBeUndefined();
});

test('what throws before its first await, and what is already so', async () => {
  const operations = new Operations();
  await operations.run('a', 'stop', '', () => {
    throw new Error('no link');
  });
  expect(operations.problem('a')?.message).toBe('no link');
  await operations.run('b', 'stop', '', () => Promise.reject({ kind: 'notModified', message: 'already stopped' }));
  expect(operations.problem('b')).toBeUndefined();
});

test('progress is a share of the task', async () => {
  const operations = new Operations();
  let seen: number | undefined;
  await operations.run('f', 'stage', '', (progress) => {
    progress(0.5);
    seen = operations.tasks[0]?.share;
    return Promise.resolve();
  });
  expect(seen).toBe(0.5);
  expect(operations.tasks).toEqual([]);
});
