import { expect, test } from 'vitest';
import { Fields } from './fields.ts';
import { readMemory, readNanoCpus, readOpenFiles, readPidsLimit, readStorageSize } from './limits.ts';

const host = (fields: Record<string, unknown>) => new Fields(fields, 'HostConfig.');

test('zero and absent are not asked for; the number of threads may be said to be without limit', () => {
  expect(readMemory(host({ Memory: 0 }))).toBeUndefined();
  expect(readNanoCpus(host({}))).toBeUndefined();
  expect(readPidsLimit(host({ PidsLimit: null }))).toBeUndefined();
  expect(readPidsLimit(host({ PidsLimit: -1 }))).toBe(0);
  expect(readPidsLimit(host({ PidsLimit: 12 }))).toBe(12);
});

test('of the ulimits, nofile is a limit of the guest', () => {
  const limits = (...list: object[]) => readOpenFiles(host({ Ulimits: list }));
  expect(limits({ Name: 'nproc', Soft: 1, Hard: 1 })).toBeUndefined();
  expect(limits({ Name: 'nofile', Soft: 100, Hard: 200 })).toBe(100);
  expect(limits({ Name: 'nofile', Soft: -1, Hard: -1 })).toBe(Number.MAX_SAFE_INTEGER);
  expect(() => limits({ Name: 'nofile', Soft: 300, Hard: 200 })).toThrow(
    'ulimit soft limit must be less than or equal to hard limit: 300 > 200',
  );
});

test('the size of the writable layer is read as sizes are', () => {
  expect(readStorageSize(host({ StorageOpt: { size: '100m' } }))).toBe(100 << 20);
  expect(readStorageSize(host({ StorageOpt: { Size: '1.5G' } }))).toBe(1.5 * 2 ** 30);
  expect(readStorageSize(host({ StorageOpt: null }))).toBeUndefined();
  expect(() => readStorageSize(host({ StorageOpt: { size: 'much' } }))).toThrow(/invalid size: 'much'/);
  expect(() => readStorageSize(host({ StorageOpt: { colour: 'red' } }))).toThrow(/unknown option colour/);
});
