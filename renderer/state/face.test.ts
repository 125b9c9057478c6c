import { expect, test } from 'vitest';
import { canOf, exitMeaning, faceOf, sinceOf } from './face.ts';
import { sampleRow } from './sample-rows.ts';

test('an exit that somebody asked for is not a failure', () => {
  const face = (part: object): string => faceOf(sampleRow({ id: 'a', state: 'exited', ...part }));
  expect([0, 130, 137, 143].map((exitCode) => face({ exitCode }))).toEqual(['exited', 'exited', 'exited', 'exited']);
  expect([1, 125, 134].map((exitCode) => face({ exitCode }))).toEqual(['failed', 'failed', 'failed']);
  expect(face({ exitCode: 137, oomKilled: true })).toBe('failed');
});

test('a container that could not start has failed', () => {
  expect(faceOf(sampleRow({ id: 'a', state: 'created' }))).toBe('created');
  expect(faceOf(sampleRow({ id: 'a', state: 'created', error: 'port taken' }))).toBe('failed');
});

test('since counts from the last change', () => {
  const times = { createdAt: 1, startedAt: 2, finishedAt: 3 };
  expect(sinceOf(sampleRow({ id: 'a', ...times }))).toBe(2);
  expect(sinceOf(sampleRow({ id: 'a', state: 'exited', ...times }))).toBe(3);
  expect(sinceOf(sampleRow({ id: 'a', state: 'created', createdAt: 1, startedAt: 0, finishedAt: 0 }))).toBe(1);
});

test('exit codes mean something, memory before anything', () => {
  expect(exitMeaning({ exitCode: 137, oomKilled: true })).toBe('memory');
  expect(exitMeaning({ exitCode: 137, oomKilled: false })).toBe('killed');
  expect(exitMeaning({ exitCode: 3, oomKilled: false })).toBe('failed');
});

test('a paused container can be stopped and resumed, not paused or started', () => {
  expect(canOf(sampleRow({ id: 'a', state: 'paused' }))).toMatchObject({
    start: false,
    stop: true,
    pause: false,
    unpause: true,
  });
});
