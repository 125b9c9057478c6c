import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { acquireLock, processStartTime } from './lock.ts';

const fresh = (): string => join(mkdtempSync(join(tmpdir(), 'drydock-lock-')), 'lock');

test('a second taker is refused with the pid of the first, until it lets go', () => {
  const path = fresh();
  const lock = acquireLock(path);
  expect(() => acquireLock(path)).toThrow(`in use by process ${process.pid}`);
  lock.release();
  lock.release();
  expect(existsSync(path)).toBe(false);
  acquireLock(path).release();
  expect(readdirSync(join(path, '..'))).toEqual([]);
});

test('the lock of a dead process is taken over', async () => {
  const child = spawn(process.execPath, ['-e', '0']);
  await new Promise((resolve) => child.once('exit', resolve));
  const path = fresh();
  writeFileSync(path, JSON.stringify({ pid: child.pid, startTime: '1' }));
  const lock = acquireLock(path);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid });
  lock.release();
});

test.runIf(process.platform === 'linux')('a pid that now belongs to another process does not hold the lock', () => {
  const path = fresh();
  writeFileSync(path, JSON.stringify({ pid: process.pid, startTime: `${processStartTime(process.pid)}0` }));
  acquireLock(path).release();
});

test('a torn lock file holds nothing', () => {
  const path = fresh();
  writeFileSync(path, '{"pid":12');
  acquireLock(path).release();
});

test('release leaves a lock alone that somebody else took meanwhile', () => {
  const path = fresh();
  const lock = acquireLock(path);
  writeFileSync(path, JSON.stringify({ pid: 1, startTime: '' }));
  lock.release();
  expect(existsSync(path)).toBe(true);
});
