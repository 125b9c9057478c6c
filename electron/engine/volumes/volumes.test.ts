import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { NewEvent } from '../events/events.ts';
import { homeLayout, prepareHome, type HomeLayout } from '../layout.ts';
import { openVolumes, type Volumes } from './volumes.ts';

let layout: HomeLayout;
let events: NewEvent[];
let lines: string[];
let volumes: Volumes;
const open = (): Volumes =>
  openVolumes({ layout, emit: (event) => void events.push(event), log: (line) => void lines.push(line) });

beforeEach(() => {
  layout = homeLayout(mkdtempSync(join(tmpdir(), 'drydock-volumes-')));
  prepareHome(layout);
  events = [];
  lines = [];
  volumes = open();
});
const filters = (values: Record<string, string[]>): Map<string, string[]> => new Map(Object.entries(values));

test('create is idempotent, survives a reopen, and names what it refuses', async () => {
  const view = await volumes.create({ name: 'data', labels: { a: 'b' } });
  expect(await volumes.create({ name: 'data' })).toBe(view);
  expect(events.map(({ action, actorId }) => `${action} ${actorId}`)).toEqual(['create data']);
  expect((await volumes.create({ name: '' })).name).toMatch(/^[0-9a-f]{64}$/);
  await expect(volumes.create({ name: 'v3', options: { x: '1' } })).rejects.toThrow('create v3: invalid option: "x"');
  await expect(volumes.create({ name: '../x' })).rejects.toMatchObject({ kind: 'invalid' });
  expect(() => volumes.get('nope')).toThrow('get nope: no such volume');
  volumes = open();
  expect(volumes.get('data')).toEqual(view);
});

test('a volume in use is not removed, not even by force; an absent one may be, by force', async () => {
  await volumes.create({ name: 'data' });
  volumes.acquire('data', 'c1');
  await expect(volumes.remove('data', { force: true })).rejects.toMatchObject({
    kind: 'conflict',
    message: 'remove data: volume is in use - [c1]',
  });
  volumes.release('data', 'c1');
  await volumes.remove('data', { force: false });
  expect(readdirSync(layout.volumes)).toEqual([]);
  expect(readdirSync(layout.tmp)).toEqual([]);
  await expect(volumes.remove('data', { force: false })).rejects.toMatchObject({ kind: 'notFound' });
  await volumes.remove('data', { force: true });
});

test('list filters', async () => {
  await volumes.create({ name: 'app-data', labels: { a: '1', b: '2' } });
  await volumes.create({ name: 'app-logs' });
  volumes.acquire('app-logs', 'c1');
  const names = (values: Record<string, string[]>): string[] => volumes.list(filters(values)).map(({ name }) => name);
  expect(names({})).toEqual(['app-data', 'app-logs']);
  expect(names({ name: ['logs'] })).toEqual(['app-logs']);
  expect(names({ label: ['a=1', 'b'] })).toEqual(['app-data']);
  expect(names({ dangling: ['true'] })).toEqual(['app-data']);
  expect(names({ dangling: ['0'] })).toEqual(['app-logs']);
  expect(names({ driver: ['nfs'] })).toEqual([]);
  expect(() => names({ dangling: ['maybe'] })).toThrow("invalid filter 'dangling=maybe'");
});

test('prune takes anonymous ones only unless told otherwise, spares what is held, and counts bytes', async () => {
  const { view } = volumes.ensure(undefined);
  writeFileSync(join(view.mountpoint, 'f'), 'x'.repeat(1000));
  await volumes.create({ name: 'named' });
  const held = volumes.ensure(undefined).view;
  volumes.acquire(held.name, 'c1');
  expect(await volumes.prune(new Map(), { all: false })).toEqual({ deleted: [view.name], reclaimed: 1000 });
  expect(await volumes.prune(filters({ label: ['x'] }), { all: true })).toEqual({ deleted: [], reclaimed: 0 });
  expect((await volumes.prune(new Map(), { all: true })).deleted).toEqual(['named']);
  expect(volumes.list(new Map()).map(({ name }) => name)).toEqual([held.name]);
});

test('a new volume gets what the image has there, through links that stay inside the image', async () => {
  const image = join(layout.home, 'image');
  mkdirSync(join(image, 'srv/seed/sub'), { recursive: true });
  writeFileSync(join(image, 'srv/seed/one'), 'one');
  writeFileSync(join(image, 'srv/seed/sub/two'), 'two');
  symlinkSync('/etc/passwd', join(image, 'srv/seed/link'));
  symlinkSync('/srv', join(image, 'data'));
  await volumes.create({ name: 'v1' });
  await Promise.all([volumes.populate('v1', image, '/data/seed'), volumes.populate('v1', image, '/data/seed')]);
  const target = volumes.get('v1').mountpoint;
  expect(readdirSync(target).sort()).toEqual(['link', 'one', 'sub']);
  expect(readFileSync(join(target, 'sub/two'), 'utf8')).toBe('two');
  expect(readlinkSync(join(target, 'link'))).toBe('/etc/passwd');
  await volumes.create({ name: 'v2' });
  await volumes.populate('v2', image, '/nothing/here');
  writeFileSync(join(volumes.get('v2').mountpoint, 'mine'), '');
  await volumes.populate('v2', image, '/srv/seed');
  expect(readdirSync(volumes.get('v2').mountpoint)).toEqual(['mine']);
});

test('a record that cannot be read is left out with a note, and nothing is written over it', async () => {
  await volumes.create({ name: 'bad' });
  await volumes.create({ name: 'good' });
  writeFileSync(join(layout.volumes, 'bad/record.json'), '{"name"');
  volumes = open();
  expect(volumes.list(new Map()).map(({ name }) => name)).toEqual(['good']);
  expect(lines.join()).toContain('volume bad');
  await expect(volumes.create({ name: 'bad' })).rejects.toMatchObject({ kind: 'conflict' });
});
