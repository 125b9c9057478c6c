import { expect, test } from 'vitest';
import { limitsRequest } from '../contract/containers.ts';
import type { StatsSample } from '../engine/api/index.ts';
import { specOf, updateOf } from './containers.ts';
import { statOf } from './stats-hub.ts';

const request = {
  image: 'app',
  env: [],
  mounts: [],
  ports: [],
  memory: 0,
  tty: false,
  openStdin: false,
  autoRemove: false,
  restart: 'no' as const,
};

test('the limits of the Run dialog are those of docker run', () => {
  expect(specOf({ ...request, cpus: 0.5, threads: 4, disk: 1 << 20 })).toMatchObject({
    nanoCpus: 5e8,
    pidsLimit: 4,
    storageSize: 1 << 20,
    hostConfig: { StorageOpt: { size: '1048576' } },
  });
  expect(specOf(request)).toMatchObject({ nanoCpus: 0, pidsLimit: 0, storageSize: 0, hostConfig: {} });
});

test('a change of limits says what it changes, and nothing of the rest', () => {
  expect(updateOf({ id: 'cc', cpus: 0.1 })).toEqual({ nanoCpus: 1e8, hostConfig: {} });
  expect(updateOf({ id: 'cc', memory: 1 << 20, threads: 0 })).toEqual({
    memory: 1 << 20,
    pidsLimit: 0,
    hostConfig: { PidsLimit: 0 },
  });
  expect(limitsRequest.safeParse({ id: 'cc', cpus: -1 }).success).toBe(false);
});

test('a sample tells the share of periods in which the container was held back', () => {
  const sample = (periods: number, throttledPeriods: number): StatsSample => ({
    read: '2026-01-01T00:00:00.000000000Z',
    cpuUser: 0,
    cpuSystem: 0,
    systemCpu: 0,
    onlineCpus: 1,
    memory: 0,
    memoryPeak: 0,
    memoryLimit: 0,
    threads: 1,
    readBytes: 0,
    writtenBytes: 0,
    receivedBytes: 0,
    sentBytes: 0,
    throttling: { periods, throttledPeriods, throttledTime: 0 },
  });
  const stats = { id: 'cc', name: 'cc', running: true, current: sample(30, 12), previous: sample(20, 7) };
  expect(statOf(stats).throttled).toBe(0.5);
  expect(statOf({ ...stats, previous: undefined }).throttled).toBe(0.4);
  expect(statOf({ ...stats, previous: stats.current }).throttled).toBe(0);
  const { throttling: _, ...free } = stats.current;
  expect(statOf({ ...stats, current: free })).not.toHaveProperty('throttled');
});
