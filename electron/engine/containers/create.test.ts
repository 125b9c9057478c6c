import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ContainerSpec, ImageConfig } from '../api/index.ts';
import { guestEnv, mergeConfig, mergeEnv } from './config.ts';
import { logSpec } from './log-options.ts';
import { openTestEngine, settle, type TestEngine } from './testing.ts';

let t: TestEngine;
beforeEach(async () => {
  t = await openTestEngine();
});
afterEach(() => t.engine.close());

const image: ImageConfig = {
  env: ['FOO=image', 'BAR=kept'],
  entrypoint: ['/t.wasm'],
  command: ['echo', 'default'],
  workingDir: '/wd',
  user: '',
  labels: { kind: 'base', my: 'image' },
  exposedPorts: ['80/tcp'],
  volumes: ['/vol'],
  stopSignal: 'SIGINT',
  healthcheck: undefined,
  onBuild: [],
  shell: undefined,
};
const id = 'abcdef012345'.padEnd(64, '0');
const merge = (spec: Partial<ContainerSpec>): ReturnType<typeof mergeConfig> =>
  mergeConfig({ image: 'i', ...spec }, image, id);

test('entrypoint and command', () => {
  const both = (spec: Partial<ContainerSpec>): unknown => [merge(spec).entrypoint, merge(spec).command];
  expect(both({})).toEqual([['/t.wasm'], ['echo', 'default']]);
  expect(both({ command: ['x'] })).toEqual([['/t.wasm'], ['x']]);
  expect(both({ command: [] })).toEqual([['/t.wasm'], ['echo', 'default']]);
  expect(both({ entrypoint: ['/e.wasm'] })).toEqual([['/e.wasm'], []]);
  expect(both({ entrypoint: [], command: ['/c.wasm'] })).toEqual([[], ['/c.wasm']]);
  expect(() => merge({ entrypoint: [] })).toThrow('no command specified');
});

test('environment, labels, directory, signals', () => {
  expect(mergeEnv(['A=1', 'B=2'], ['B=3', 'C=4', 'A'])).toEqual(['B=3', 'C=4']);
  const config = merge({ env: ['FOO=over', 'NEW=1'], labels: { my: 'own' }, tty: true });
  expect(config.env).toEqual(['FOO=over', 'BAR=kept', 'NEW=1']);
  expect(merge({ env: ['FOO', 'A', 'A=1'] }).env).toEqual(['BAR=kept', 'A=1', 'FOO']);
  expect(guestEnv(merge({ env: ['FOO', 'PATH', 'HOSTNAME', 'PWD'] }))).toEqual(['BAR=kept']);
  expect(config.labels).toEqual({ kind: 'base', my: 'own' });
  expect(config).toMatchObject({
    workingDir: '/wd',
    hostname: 'abcdef012345',
    stopSignal: 'SIGINT',
    networkMode: 'default',
  });
  expect(guestEnv(config)).toEqual([
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOSTNAME=abcdef012345',
    'TERM=xterm',
    'PWD=/wd',
    'FOO=over',
    'BAR=kept',
    'NEW=1',
  ]);
  expect(guestEnv(merge({ env: ['PATH=/p', 'PWD=/q'] })).slice(0, 3)).toEqual([
    'PATH=/p',
    `HOSTNAME=${id.slice(0, 12)}`,
    'PWD=/q',
  ]);
  expect(merge({ workingDir: '/a//b/../c/' }).workingDir).toBe('/a/c');
  expect(() => merge({ workingDir: 'rel' })).toThrow("the working directory 'rel' is invalid");
  expect(() => merge({ stopSignal: 'NOPE' })).toThrow('Invalid signal: NOPE');
  expect(() => merge({ runtime: 'runc' })).toThrow('unknown or invalid runtime name: runc');
  expect(() => merge({ autoRemove: true, restartPolicy: { name: 'always', maximumRetryCount: 0 } })).toThrow(
    'AutoRemove',
  );
  expect(merge({ portBindings: { '9/udp': [] } }).exposedPorts).toEqual(['80/tcp', '9/udp']);
});

test('log options', () => {
  expect(logSpec('/l', {})).toEqual({ directory: '/l', maxFiles: 1 });
  expect(logSpec('/l', { 'max-size': '10m', 'max-file': '3' })).toEqual({
    directory: '/l',
    maxFiles: 3,
    maxSize: 10 * 1024 ** 2,
  });
  expect(() => logSpec('/l', { 'max-size': 'big' })).toThrow('max-size: big');
  expect(() => logSpec('/l', { 'max-file': '0' })).toThrow('max-file: 0');
});

test('names: given, made up, refused; of many at once one wins', async () => {
  const { id: first } = await t.engine.containers.create({ image: 'app', name: 'same' });
  await expect(t.engine.containers.create({ image: 'app', name: 'same' })).rejects.toMatchObject({
    kind: 'conflict',
    message: `Conflict. The container name "/same" is already in use by container "${first}". You have to remove (or rename) that container to be able to reuse that name.`,
  });
  await expect(t.engine.containers.create({ image: 'app', name: 'bad name!' })).rejects.toMatchObject({
    kind: 'invalid',
    message: 'Invalid container name (bad name!), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
  });
  await expect(t.engine.containers.create({ image: 'nope' })).rejects.toMatchObject({ kind: 'notFound' });
  const { id: unnamed } = await t.engine.containers.create({ image: 'app' });
  expect(t.engine.containers.get(unnamed).name).toMatch(/^[a-z]+_[a-z]+$/);
  const race = await Promise.allSettled(
    Array.from({ length: 5 }, () => t.engine.containers.create({ image: 'app', name: 'race', volumes: ['/v'] })),
  );
  expect(race.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(t.engine.volumes.list(new Map())).toHaveLength(1);
});

test('a creation that fails leaves no name, no volume, no directory', async () => {
  const attempt = t.engine.containers.create({
    image: 'app',
    name: 'cc',
    mounts: [
      { type: 'volume', name: 'fresh', target: '/a', readOnly: false },
      { type: 'bind', source: '/nowhere/at/all', target: '/b', readOnly: false, createSource: false },
    ],
  });
  await expect(attempt).rejects.toMatchObject({
    kind: 'invalid',
    message: 'invalid mount config for type "bind": bind source path does not exist: /nowhere/at/all',
  });
  expect(t.engine.volumes.list(new Map())).toEqual([]);
  expect(readdirSync(join(t.home, 'containers'))).toEqual([]);
  await t.engine.containers.create({ image: 'app', name: 'cc' });
});

test.skipIf(process.platform !== 'linux')(
  'procfs is not mounted: a guest could reach its own runner through it',
  async () => {
    for (const source of ['/proc', '/proc/self', '/proc/self/mem'])
      await expect(
        t.engine.containers.create({
          image: 'app',
          mounts: [{ type: 'bind', source, target: '/p', readOnly: true, createSource: true }],
        }),
      ).rejects.toMatchObject({ kind: 'invalid', message: expect.stringContaining(`${source} is procfs`) });
  },
);

test('mounts: -v makes the directory, volumes are made and held, anonymous ones fill in, volumes-from shares', async () => {
  const host = join(mkdtempSync(join(tmpdir(), 'drydock-bind-')), 'made');
  await t.engine.containers.create({
    image: 'app',
    name: 'cc',
    volumes: ['/anon', '/data'],
    mounts: [
      { type: 'bind', source: host, target: '/b/', readOnly: true, createSource: true },
      { type: 'volume', name: 'data', target: '/data', readOnly: false },
      { type: 'tmpfs', target: '/t', size: 1024, readOnly: false },
    ],
  });
  expect(existsSync(host)).toBe(true);
  const { mounts } = t.engine.containers.get('cc');
  expect(mounts.map(({ type, target, readOnly, anonymous }) => [type, target, readOnly, anonymous])).toEqual([
    ['bind', '/b', true, undefined],
    ['volume', '/data', false, undefined],
    ['tmpfs', '/t', false, undefined],
    ['volume', '/anon', false, true],
  ]);
  await t.engine.containers.create({ image: 'app', name: 'dd', volumesFrom: [{ container: 'cc', readOnly: true }] });
  expect(t.engine.containers.get('dd').mounts.every(({ readOnly, anonymous }) => readOnly && !anonymous)).toBe(true);
  await t.engine.containers.remove('cc', { volumes: true });
  await settle();
  const anonymous = mounts[3]?.name ?? '';
  await expect(t.engine.volumes.remove(anonymous, { force: false })).rejects.toThrow('volume is in use');
  await t.engine.containers.start('dd');
  expect(t.supervisor.last.request.spec.mounts.map(({ type, target }) => `${type} ${target}`)).toEqual([
    'overlay /',
    'bind /b',
    'tmpfs /t',
    'bind /data',
    'bind /anon',
  ]);
  await t.engine.containers.kill('dd');
  await expect(
    t.engine.containers.create({ image: 'app', volumesFrom: [{ container: 'nope', readOnly: false }] }),
  ).rejects.toMatchObject({ kind: 'invalid' });
  for (const target of ['rel', '/', '/..'])
    await expect(
      t.engine.containers.create({ image: 'app', mounts: [{ type: 'tmpfs', target, readOnly: false }] }),
    ).rejects.toMatchObject({ kind: 'invalid' });
});

test('a bind source that is gone at the start fails it with a reason', async () => {
  const host = mkdtempSync(join(tmpdir(), 'drydock-bind-'));
  const source = join(host, 'dir');
  mkdirSync(source);
  writeFileSync(join(source, 'f'), '');
  const request = {
    type: 'bind',
    source: join(source, 'f'),
    target: '/f',
    readOnly: false,
    createSource: false,
  } as const;
  await t.engine.containers.create({ image: 'app', name: 'cc', mounts: [request] });
  const { rmSync } = await import('node:fs');
  rmSync(host, { recursive: true });
  await expect(t.engine.containers.start('cc')).rejects.toThrow('bind source path does not exist');
  expect(t.engine.containers.get('cc')).toMatchObject({ state: 'created', exitCode: 125 });
  expect(t.supervisor.runs).toHaveLength(0);
});

test('networks: by mode and by name; a missing one is the complaint of the start', async () => {
  await t.engine.networks.create({ name: 'front' });
  await t.engine.containers.create({
    image: 'app',
    name: 'cc',
    networkMode: 'front',
    networks: { front: { aliases: ['web'] } },
  });
  await t.engine.networks.disconnect('front', 'cc', { force: false });
  await t.engine.networks.connect('front', 'cc', ['web', 'www']);
  await expect(t.engine.networks.connect('front', 'cc', [])).rejects.toMatchObject({ kind: 'denied' });
  await t.engine.containers.start('cc');
  expect(t.engine.containers.get('cc').networks).toMatchObject([
    { name: 'front', aliases: ['web', 'www'], ipAddress: '172.18.0.2' },
  ]);
  await t.engine.networks.connect('bridge', 'cc', []);
  expect(t.engine.networks.get('bridge').containers).toMatchObject([{ name: 'cc' }]);
  await t.engine.containers.rename('cc', 'dd');
  expect(t.engine.networks.get('bridge').containers).toMatchObject([{ name: 'dd' }]);
  await t.engine.networks.disconnect('bridge', 'dd', { force: false });
  expect(t.engine.networks.get('bridge').containers).toEqual([]);
  await t.engine.containers.create({ image: 'app', name: 'ee', networkMode: 'missing' });
  await expect(t.engine.containers.start('ee')).rejects.toMatchObject({
    kind: 'notFound',
    message: 'network missing not found',
  });
  await t.engine.containers.create({ image: 'app', name: 'nn', networkMode: 'none' });
  await expect(t.engine.networks.connect('front', 'nn', [])).rejects.toMatchObject({ kind: 'denied' });
});

test('list: newest first, running only unless asked, and every filter', async () => {
  await t.engine.containers.create({ image: 'app', name: 'one', labels: { a: '1', b: '2' }, volumes: ['/vol'] });
  await t.engine.containers.create({ image: 'app', name: 'two', labels: { a: '1' }, portBindings: { '80/tcp': [] } });
  await t.engine.containers.create({ image: 'app', name: 'three' });
  await t.engine.containers.start('one');
  await t.engine.containers.start('two');
  t.supervisor.last.exit(3);
  await settle();
  const names = (filters: Record<string, string[]>, options: { all?: boolean; limit?: number } = {}): string =>
    t.engine.containers
      .list({ all: options.all ?? true, limit: options.limit, filters: new Map(Object.entries(filters)) })
      .map(({ name }) => name)
      .join();
  expect(names({})).toBe('three,two,one');
  expect(names({}, { all: false })).toBe('one');
  expect(names({}, { all: false, limit: 2 })).toBe('three,two');
  expect(names({ label: ['a=1', 'b'] })).toBe('one');
  expect(names({ name: ['^t', 'one'] })).toBe('three,two,one');
  expect(names({ name: ['^/tw'] })).toBe('two');
  expect(names({ status: ['exited', 'created'] })).toBe('three,two');
  expect(names({ exited: ['3'] })).toBe('two');
  expect(names({ since: ['one'] })).toBe('three,two');
  expect(names({ before: ['two'] })).toBe('one');
  expect(names({ ancestor: ['app'] })).toBe('three,two,one');
  expect(names({ ancestor: ['other'] })).toBe('');
  expect(names({ volume: ['/vol'] })).toBe('one');
  expect(names({ network: ['bridge'] })).toBe('three,two,one');
  expect(names({ publish: ['80'] })).toBe('two');
  expect(names({ publish: ['70-90/udp'] })).toBe('');
  expect(names({ id: [t.engine.containers.get('one').id.slice(0, 12)] })).toBe('one');
  expect(() => names({ status: ['bogus'] })).toThrow("invalid filter 'status=bogus'");
  expect(() => names({ since: ['nope'] })).toThrow('No such container: nope');
  expect(await t.engine.containers.prune(new Map([['label', ['a']]]))).toMatchObject({
    deleted: [expect.stringMatching(/^[0-9a-f]{64}$/)],
  });
  expect(names({})).toBe('three,one');
});

test('references: full id, prefix, name with and without slash; nothing else', async () => {
  const { id: one } = await t.engine.containers.create({ image: 'app', name: 'one' });
  for (const ref of [one, one.slice(0, 12), 'one', '/one']) expect(t.engine.containers.get(ref).id).toBe(one);
  const { id: two } = await t.engine.containers.create({ image: 'app', name: one.slice(0, 3) });
  expect(t.engine.containers.get(one.slice(0, 3)).id).toBe(two);
  expect(() => t.engine.containers.get('')).toThrow('No such container: ');
  let prefix = '';
  for (let i = 0; i < 40 && prefix === ''; i++) {
    await t.engine.containers.create({ image: 'app' });
    const seen = t.engine.containers.list({ all: true, filters: new Map() }).map((view) => view.id.slice(0, 1));
    prefix = seen.find((first, at) => seen.indexOf(first) !== at) ?? '';
  }
  expect(() => t.engine.containers.get(prefix)).toThrow('Multiple IDs found with provided prefix');
});
