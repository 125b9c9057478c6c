import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpus } from 'node:os';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ContainerSpec } from '../api/index.ts';
import { openTestEngine, settle, type TestEngine } from './testing.ts';

let t: TestEngine;
beforeEach(async () => {
  t = await openTestEngine();
});
afterEach(() => t.engine.close());

const create = (spec: Partial<ContainerSpec>) => t.engine.containers.create({ image: 'app', name: 'cc', ...spec });

test('what was asked for is what a run gets', async () => {
  await create({ memory: 1 << 20, nanoCpus: 250_000_000, pidsLimit: 3, openFiles: 9, storageSize: 1 << 30 });
  await t.engine.containers.start('cc');
  const { request } = t.supervisor.last;
  expect(request).toMatchObject({
    cpus: 0.25,
    spec: { memoryLimit: 1 << 20, threadLimit: 3, descriptorLimit: 9 },
  });
  const [root] = request.spec.mounts;
  expect(root).toMatchObject({ type: 'overlay', quota: { limit: 1 << 30, ledger: expect.stringMatching(/usage$/) } });
});

test('without limits there is no bound but that of open files, which is far away', async () => {
  await create({});
  await t.engine.containers.start('cc');
  const { request } = t.supervisor.last;
  expect(request).not.toHaveProperty('cpus');
  for (const name of ['memoryLimit', 'threadLimit']) expect(request.spec).not.toHaveProperty(name);
  expect(request.spec.descriptorLimit).toBeGreaterThan(10_000);
  expect(request.spec.mounts[0]).not.toHaveProperty('quota');
});

test('what was counted of an earlier run is forgotten before the next', async () => {
  await create({ storageSize: 1 << 20 });
  await t.engine.containers.start('cc');
  const [root] = t.supervisor.last.request.spec.mounts;
  const ledger = root?.type === 'overlay' ? (root.quota?.ledger ?? '') : '';
  writeFileSync(ledger, 'old');
  t.supervisor.last.exit(0);
  await settle();
  await t.engine.containers.start('cc');
  expect(existsSync(ledger)).toBe(false);
  expect(ledger.startsWith(join(t.home, 'containers'))).toBe(true);
});

test.each<[Partial<ContainerSpec>, RegExp]>([
  [{ memory: 65_535 }, /^Minimum memory limit allowed is 64KB$/],
  [{ memory: -1 }, /^invalid memory: -1$/],
  [
    { nanoCpus: (cpus().length + 0.5) * 1e9 },
    /^range of CPUs is from 0\.01 to \d+\.00, as there are only \d+ CPUs available$/,
  ],
  [{ pidsLimit: 1.5 }, /^invalid pidsLimit: 1\.5$/],
  [{ storageSize: 1000 }, /^--storage-opt size: the smallest writable layer is 64KB, not 1000 bytes$/],
])('%j is refused', (spec, message) => expect(create(spec)).rejects.toThrow(message));

test('one whose CPU time is limited does not share its process', async () => {
  await create({ isolation: 'shared', nanoCpus: 1e8 });
  await t.engine.containers.start('cc');
  expect(t.supervisor.last.request.isolation).toBe('process');
});

test('a trap at the memory limit is 137, OOMKilled and an event; at the next start nothing of it is left', async () => {
  await create({ memory: 1 << 20 });
  await t.engine.containers.start('cc');
  t.supervisor.last.end({ kind: 'trap', message: 'unreachable: …', stack: '', outOfMemory: true });
  await settle();
  expect(t.engine.containers.get('cc')).toMatchObject({
    state: 'exited',
    exitCode: 137,
    oomKilled: true,
    error: 'unreachable: …',
  });
  const actions = t.events.map(({ action }) => action);
  expect(actions.slice(actions.indexOf('oom'), actions.indexOf('die') + 1)).toEqual(['oom', 'die']);

  await t.engine.containers.start('cc');
  expect(t.engine.containers.get('cc').oomKilled).toBe(false);
  t.supervisor.last.end({ kind: 'trap', message: 'unreachable', stack: '' });
  await settle();
  expect(t.engine.containers.get('cc')).toMatchObject({ exitCode: 134, oomKilled: false });
});

test('update: time and threads at once, memory at the next start, and it says so', async () => {
  await create({ memory: 1 << 20 });
  expect(await t.engine.containers.update('cc', { memory: 2 << 20 })).toEqual({ warnings: [] });
  await t.engine.containers.start('cc');
  const run = t.supervisor.last;
  expect(run.request.spec.memoryLimit).toBe(2 << 20);
  const { warnings } = await t.engine.containers.update('cc', { memory: 4 << 20, nanoCpus: 5e8, pidsLimit: 6 });
  expect(warnings).toEqual(['The memory limit takes effect at the next start']);
  expect([run.cpus, run.threads]).toEqual([0.5, 6]);
  expect(t.engine.containers.get('cc').config).toMatchObject({ memory: 4 << 20, nanoCpus: 5e8, pidsLimit: 6 });
  await t.engine.containers.update('cc', { pidsLimit: 0 });
  expect([run.cpus, run.threads]).toEqual([0.5, undefined]);
  await expect(t.engine.containers.update('cc', { memory: 5 })).rejects.toThrow('Minimum memory limit');
  expect(t.engine.containers.get('cc').config.memory).toBe(4 << 20);
  run.exit(0);
  await settle();
  await t.engine.containers.start('cc');
  expect(t.supervisor.last.request).toMatchObject({ cpus: 0.5, spec: { memoryLimit: 4 << 20 } });
});

test('update of a container that shares its process cannot limit its time before the next start', async () => {
  await create({ isolation: 'shared' });
  await t.engine.containers.start('cc');
  const { warnings } = await t.engine.containers.update('cc', { nanoCpus: 5e8 });
  expect(warnings).toEqual([expect.stringMatching(/^The CPU limit takes effect at the next start/)]);
});
