import { expect, test } from 'vitest';
import { Refusals, type Refused } from './refusals.ts';

const refused = (host: string, port = 80): Refused => ({ host, address: '1.2.3.4', port, protocol: 'tcp' });

test('the same one is told once a second, and counted each time', () => {
  let time = 0;
  const told: string[] = [];
  const refusals = new Refusals(
    ({ host, port }) => void told.push(`${host}:${port}`),
    () => time,
  );
  for (let n = 0; n < 5; n++) refusals.note(refused('a'));
  refusals.note(refused('a', 81));
  expect(told).toEqual(['a:80', 'a:81']);
  time = 999;
  refusals.note(refused('a'));
  time = 1000;
  refusals.note(refused('a'));
  expect(told).toEqual(['a:80', 'a:81', 'a:80']);
  expect(refusals.list().map(({ host, port, count }) => [host, port, count])).toEqual([
    ['a', 81, 1],
    ['a', 80, 7],
  ]);
});

test('a scan is bounded in what it tells and in what is kept', () => {
  let time = 0;
  let told = 0;
  const refusals = new Refusals(
    () => void told++,
    () => time,
  );
  for (let port = 1; port <= 5000; port++) refusals.note(refused('a', port));
  expect(told).toBe(20);
  expect(refusals.list()).toHaveLength(100);
  expect(refusals.list().at(-1)?.port).toBe(5000);
  time = 1000;
  refusals.note(refused('b'));
  expect(told).toBe(21);
});
