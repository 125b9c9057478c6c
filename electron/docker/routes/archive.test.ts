import { Readable } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { denied, notFound } from '../../base/errors.ts';
import type { CommitOptions, LoadedImage, PathStat } from '../../engine/api/index.ts';
import { openDoor } from '../testing/client.ts';
import { containerView, fakeEngine, getOnly } from '../testing/fake-engine.ts';
import { goFileMode } from '../wire/path-stat.ts';

const stat: PathStat = {
  name: 'x',
  size: 5,
  kind: 'file',
  mode: 0o644,
  mtime: 1_580_608_922_000_000_000n,
  linkTarget: '',
};
const bytes = (text: string): AsyncIterable<Uint8Array> => Readable.from([Buffer.from(text)], { objectMode: false });
const decoded = (header: unknown): unknown => JSON.parse(Buffer.from(String(header), 'base64').toString());

test('modes are those of Go', () => {
  expect(goFileMode('directory', 0o755)).toBe(2_147_484_141);
  expect(goFileMode('symlink', 0o777)).toBe(2 ** 27 + 0o777);
  expect(goFileMode('file', 0o4755)).toBe(2 ** 23 + 0o755);
});

test('cp out: HEAD and GET tell what is there, GET sends it', async () => {
  const statPath = vi.fn((_ref: string, _path: string) => Promise.resolve(stat));
  const archive = vi.fn(() => Promise.resolve({ stat, tar: bytes('a tar') }));
  await using door = await openDoor(fakeEngine({ containers: { statPath, archive } }));
  const head = await door.ask('HEAD', '/v1.50/containers/tk/archive?path=%2Fx');
  expect(head.status).toBe(200);
  expect(decoded(head.headers['x-docker-container-path-stat'])).toEqual({
    name: 'x',
    size: 5,
    mode: 0o644,
    mtime: '2020-02-02T02:02:02.000000000Z',
    linkTarget: '',
  });
  expect(statPath).toHaveBeenCalledWith('tk', '/x');
  const got = await door.ask('GET', '/v1.50/containers/tk/archive?path=%2Fx');
  expect([got.status, got.headers['content-type'], got.body]).toEqual([200, 'application/x-tar', 'a tar']);
  expect((await door.ask('GET', '/containers/tk/archive')).status).toBe(400);
});

test('cp out of what is not there', async () => {
  const statPath = () => Promise.reject(notFound('Could not find the file /x in container tk'));
  await using door = await openDoor(fakeEngine({ containers: { statPath } }));
  expect((await door.ask('HEAD', '/containers/tk/archive?path=/x')).status).toBe(404);
});

test('cp in: the body goes to the engine, an error comes after the whole body', async () => {
  const received: string[] = [];
  const extract = vi.fn(async (_ref: string, _path: string, tar: AsyncIterable<Uint8Array>) => {
    for await (const chunk of tar) received.push(Buffer.from(chunk).toString());
  });
  await using door = await openDoor(fakeEngine({ containers: { extract } }));
  const query = 'path=%2Fd&noOverwriteDirNonDir=true';
  expect((await door.ask('PUT', `/v1.50/containers/tk/archive?${query}`, 'tar bytes')).status).toBe(200);
  expect(received.join('')).toBe('tar bytes');
  expect(extract.mock.lastCall).toEqual(['tk', '/d', expect.anything(), { keepKinds: true }]);
  extract.mockRejectedValueOnce(denied('container rootfs is marked read-only'));
  const refused = await door.ask('PUT', `/v1.50/containers/tk/archive?${query}`, 'x'.repeat(1 << 20));
  expect([refused.status, refused.json()]).toEqual([403, { message: 'container rootfs is marked read-only' }]);
});

test('diff, export and commit', async () => {
  const changes = () =>
    Promise.resolve([
      { path: '/a', kind: 'added' as const },
      { path: '/m', kind: 'modified' as const },
      { path: '/d', kind: 'deleted' as const },
    ]);
  const commit = vi.fn((_ref: string, _options: CommitOptions) => Promise.resolve({ id: 'sha256:1' }));
  await using door = await openDoor(
    fakeEngine({ containers: { changes, commit, export: () => bytes('root'), get: getOnly(containerView()) } }),
  );
  expect((await door.ask('GET', '/containers/tk/changes')).json()).toEqual([
    { Path: '/a', Kind: 1 },
    { Path: '/m', Kind: 0 },
    { Path: '/d', Kind: 2 },
  ]);
  expect((await door.ask('GET', '/containers/tk/export')).body).toBe('root');
  const query =
    'container=tk&repo=docker.io%2Flibrary%2Fx&tag=1&comment=c&changes=CMD+a&changes=ENV+A%3D1%0ALABEL+b%3D2';
  const made = await door.ask('POST', `/v1.50/commit?${query}`, {});
  expect([made.status, made.json()]).toEqual([201, { Id: 'sha256:1' }]);
  expect(commit.mock.lastCall).toEqual([
    'tk',
    {
      reference: 'docker.io/library/x:1',
      comment: 'c',
      author: '',
      pause: true,
      changes: ['CMD a', 'ENV A=1', 'LABEL b=2'],
    },
  ]);
  await door.ask('POST', '/commit?container=tk&pause=0');
  expect(commit.mock.lastCall?.[1]).toMatchObject({ reference: '', pause: false });
  expect((await door.ask('POST', '/commit')).status).toBe(400);
});

test('save, load and import', async () => {
  const save = vi.fn((_refs: readonly string[]) => bytes('saved'));
  let problem: Error | undefined;
  const load = async function* (tar: AsyncIterable<Uint8Array>): AsyncGenerator<LoadedImage> {
    for await (const _ of tar);
    if (problem?.message === 'at once') throw problem;
    yield { id: 'sha256:1', reference: 't:latest' };
    if (problem) throw problem;
    yield { id: 'sha256:2' };
  };
  await using door = await openDoor(fakeEngine({ images: { save, load } }));
  expect((await door.ask('GET', '/images/get?names=a&names=b')).body).toBe('saved');
  expect((await door.ask('GET', '/images/127.0.0.1:5000/a/b:1/get')).body).toBe('saved');
  expect(save.mock.calls).toEqual([[['a', 'b']], [['127.0.0.1:5000/a/b:1']]]);
  expect((await door.ask('GET', '/images/get')).status).toBe(400);

  const loaded = await door.ask('POST', '/images/load?quiet=1', 'tar');
  expect(loaded.body).toBe('{"stream":"Loaded image: t:latest\\n"}\r\n{"stream":"Loaded image ID: sha256:2\\n"}\r\n');
  problem = new Error('broken');
  expect((await door.ask('POST', '/images/load', 'tar')).body).toContain('"errorDetail":{"message":"broken"}');
  problem = new Error('at once');
  expect((await door.ask('POST', '/images/load', 'tar')).status).toBe(500);

  expect((await door.ask('POST', '/images/create?fromSrc=http%3A%2F%2Fx', '')).status).toBe(400);
});
