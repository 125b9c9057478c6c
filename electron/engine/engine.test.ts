import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RestartPolicy } from './api/index.ts';
import { openTestEngine, settle, type TestEngine } from './containers/testing.ts';

const policy = (name: RestartPolicy['name']): RestartPolicy => ({ name, maximumRetryCount: 0 });
const states = ({ engine }: TestEngine): Record<string, string> =>
  Object.fromEntries(
    engine.containers
      .list({ all: true, filters: new Map() })
      .map(({ name, state, exitCode }) => [name, `${state} ${exitCode}`])
      .sort(),
  );

/** As after kill -9: nothing is closed, only the holder of the lock is gone. */
function crash({ home }: TestEngine): string {
  rmSync(join(home, 'lock'));
  return home;
}

test('a home has one engine at a time; close lets go of it and may be called again', async () => {
  const first = await openTestEngine();
  await expect(openTestEngine(first.home)).rejects.toMatchObject({
    kind: 'conflict',
    data: { pid: process.pid },
  });
  await first.engine.close();
  await first.engine.close();
  const second = await openTestEngine(first.home);
  await second.engine.close();
  expect(existsSync(join(first.home, 'lock'))).toBe(false);
});

test('a home of a newer layout is refused and left as it is', async () => {
  const home = mkdtempSync(join(tmpdir(), 'drydock-newer-'));
  writeFileSync(join(home, 'version.json'), '{"layout":2}');
  await expect(openTestEngine(home)).rejects.toMatchObject({ kind: 'conflict', data: { layout: 2, known: 1 } });
  expect(readdirSync(home)).toEqual(['version.json']);
  writeFileSync(join(home, 'version.json'), 'junk');
  await expect(openTestEngine(home)).rejects.toMatchObject({ kind: 'damaged' });
});

test('after a crash: what ran is exited 137, what --rm meant is gone, policies start theirs, tmp is empty, no event tells of it', async () => {
  const t = await openTestEngine();
  const make = (name: string, more: object = {}): Promise<unknown> =>
    t.engine.containers.create({ image: 'app', name, ...more });
  await make('created');
  await make('done');
  await make('ran');
  await make('paused');
  await make('rm', { autoRemove: true, volumes: ['/v'] });
  await make('always', { restartPolicy: policy('always') });
  await make('always-stopped', { restartPolicy: policy('always') });
  await make('unless', { restartPolicy: policy('unless-stopped') });
  await make('unless-stopped', { restartPolicy: policy('unless-stopped') });
  await make('waiting', { restartPolicy: policy('on-failure') });
  for (const name of Object.keys(states(t)).filter((each) => each !== 'created')) {
    await t.engine.containers.start(name);
    if (name === 'done') t.supervisor.last.exit(4);
    if (name === 'waiting') t.supervisor.last.exit(5);
  }
  await t.engine.containers.pause('paused');
  await t.engine.containers.stop('always-stopped');
  await t.engine.containers.stop('unless-stopped');
  await settle();
  expect(states(t)).toMatchObject({ waiting: 'restarting 5', done: 'exited 4', rm: 'running 0' });
  writeFileSync(join(t.home, 'tmp', 'half'), '');

  const next = await openTestEngine(crash(t));
  expect(existsSync(join(t.home, 'tmp', 'half'))).toBe(false);
  await settle();
  const found = states(next);
  expect(found).toMatchObject({
    created: 'created 0',
    done: 'exited 4',
    ran: 'exited 137',
    paused: 'exited 137',
    'unless-stopped': 'exited 143',
  });
  expect(found).not.toHaveProperty('rm');
  const started = (): string[] =>
    next.supervisor.runs.map(({ request }) => next.engine.containers.get(request.spec.id.slice(0, 64)).name).sort();
  await next.supervisor.run(4);
  expect(started()).toEqual(['always', 'always-stopped', 'unless', 'waiting']);
  expect(next.engine.containers.get('ran').startedAt).not.toMatch(/^0001/);
  await next.engine.close();
});

test('close ends what runs, records it, and the next open starts what its policy wants', async () => {
  const t = await openTestEngine();
  for (const [name, restartPolicy] of [
    ['plain', policy('no')],
    ['always', policy('always')],
  ] as const) {
    await t.engine.containers.create({ image: 'app', name, restartPolicy });
    await t.engine.containers.start(name);
  }
  await t.engine.close();
  expect(t.supervisor.runs.every(({ terminated }) => terminated)).toBe(true);
  const next = await openTestEngine(t.home);
  await next.supervisor.run(1);
  await settle();
  expect(states(next)).toEqual({ always: 'running 0', plain: 'exited 143' });
  await next.engine.close();
  await expect(next.engine.containers.create({ image: 'app' })).rejects.toMatchObject({ kind: 'unavailable' });
});

test('a torn record is set aside with a note; names, logs, volumes and the rest are as before', async () => {
  const t = await openTestEngine();
  const { id: bad } = await t.engine.containers.create({ image: 'app', name: 'bad' });
  await t.engine.containers.create({ image: 'app', name: 'good', labels: { a: 'b' }, volumes: ['/v'] });
  await t.engine.containers.start('good');
  t.supervisor.last.say('hello').exit(0);
  await settle();
  await t.engine.containers.rename('good', 'better');
  const before = t.engine.containers.get('better');
  const record = join(t.home, 'containers', bad, 'record.json');
  writeFileSync(record, readFileSync(record, 'utf8').slice(0, 100));
  mkdirSync(join(t.home, 'containers', 'junk'));
  const next = await openTestEngine(crash(t));
  expect(next.engine.containers.get('better')).toEqual(before);
  expect(Object.keys(states(next))).toEqual(['better']);
  expect(next.lines.filter((line) => line.includes('is set aside'))).toHaveLength(2);
  expect(readdirSync(join(t.home, 'damaged'))).toHaveLength(2);
  const log = await Array.fromAsync(next.engine.containers.logs('better', { stdout: true, stderr: true }));
  expect(log.flat().map(({ data }) => Buffer.from(data).toString())).toEqual(['hello\n']);
  const volume = before.mounts[0]?.name ?? '';
  await expect(next.engine.volumes.remove(volume, { force: true })).rejects.toThrow('volume is in use');
  await next.engine.containers.create({ image: 'app', name: 'bad' });
  await next.engine.close();
});

test('an image in use cannot be removed, and goes when its containers are gone', async () => {
  const t = await openTestEngine();
  await t.engine.containers.create({ image: 'app', name: 'cc' });
  await expect(t.engine.images.remove('app', { force: false, prune: true })).rejects.toMatchObject({
    kind: 'conflict',
  });
  await t.engine.containers.remove('cc');
  await t.engine.images.remove('app', { force: false, prune: true });
  await expect(t.engine.containers.create({ image: 'app' })).rejects.toMatchObject({ kind: 'notFound' });
  await t.engine.close();
});

test('info and disk usage add up', async () => {
  const t = await openTestEngine();
  await t.engine.containers.create({
    image: 'app',
    name: 'aa',
    mounts: [{ type: 'volume', name: 'vol', target: '/v', readOnly: false }],
  });
  await t.engine.containers.create({ image: 'app', name: 'bb' });
  await t.engine.containers.start('bb');
  const { id } = t.engine.containers.get('aa');
  writeFileSync(join(t.home, 'containers', id, 'upper', 'file'), 'x'.repeat(123));
  writeFileSync(join(t.engine.volumes.get('vol').mountpoint, 'file'), 'x'.repeat(77));
  expect(t.engine.system.info()).toMatchObject({
    version: '0.0.0-test',
    home: t.home,
    containers: { total: 2, running: 1, paused: 0, stopped: 1 },
    images: 1,
  });
  const usage = await t.engine.system.diskUsage();
  expect(usage.images).toMatchObject([{ containers: 2, sharedSize: 0 }]);
  expect(usage.layersSize).toBe(usage.images[0]?.image.size);
  expect(usage.containers.find(({ container }) => container.name === 'aa')).toMatchObject({
    sizeRw: 123,
    sizeRoot: 123 + usage.layersSize,
  });
  expect(usage.volumes).toMatchObject([{ volume: { name: 'vol' }, size: 77, refCount: 1 }]);
  await t.engine.close();
});
