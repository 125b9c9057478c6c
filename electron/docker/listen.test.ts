import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DrydockError } from '../base/errors.ts';
import { serveDocker } from './listen.ts';
import { openDoor } from './testing/client.ts';
import { fakeEngine } from './testing/fake-engine.ts';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'listen-'))));
afterEach(async () => rm(folder, { recursive: true, force: true }));

const serve = (path: string) => serveDocker(fakeEngine(), { socketPath: path, version: '1' });

test('the socket is for its owner only and goes away with the door', async () => {
  const path = join(folder, 'sub', 'd.sock');
  const before = process.umask();
  const door = await serve(path);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(process.umask()).toBe(before);
  await door.close();
  await door.close();
  await expect(stat(path)).rejects.toThrow('ENOENT');
});

test('a socket file that nobody answers on is replaced, one that answers is not', async () => {
  const path = join(folder, 'd.sock');
  // A server that dies without closing leaves its file: bind under another name, then rename is not needed, a hard link is enough.
  const dead = createServer();
  await new Promise<void>((resolve) => dead.listen(join(folder, 'old.sock'), resolve));
  const { link } = await import('node:fs/promises');
  await link(join(folder, 'old.sock'), path);
  await new Promise((resolve) => dead.close(resolve));
  expect((await stat(path)).isSocket()).toBe(true);

  const door = await serve(path);
  const error: unknown = await serve(path).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DrydockError);
  expect((error as DrydockError).kind).toBe('conflict');
  expect((error as DrydockError).message).toContain(path);
  await door.close();
});

test('a file that is no socket is left alone', async () => {
  const path = join(folder, 'precious');
  await writeFile(path, 'data');
  await chmod(path, 0o600);
  await expect(serve(path)).rejects.toThrow(/is not a socket/);
  expect((await stat(path)).size).toBe(4);
});

test('a path that does not fit in a socket address is refused with its length', async () => {
  await expect(serve(join(folder, 'x'.repeat(120)))).rejects.toThrow(/bytes long; the system allows 10[37]/);
});

test('every answer carries the standard headers', async () => {
  await using door = await openDoor(fakeEngine());
  const ping = await door.ask('GET', '/_ping');
  expect([ping.status, ping.body]).toEqual([200, 'OK']);
  expect(ping.headers).toMatchObject({
    'api-version': '1.50',
    ostype: 'linux',
    'docker-experimental': 'false',
    server: 'Drydock/9.9.9 (linux)',
    'cache-control': 'no-cache, no-store, must-revalidate',
    pragma: 'no-cache',
  });
  const head = await door.ask('HEAD', '/_ping');
  expect([head.status, head.body, head.headers['content-length']]).toEqual([200, '', '0']);
  const missing = await door.ask('GET', '/v1.41/nosuch');
  expect([missing.status, missing.json()]).toEqual([404, { message: 'page not found' }]);
  expect(missing.headers['api-version']).toBe('1.50');
});

test('versions outside the range are refused in words that clients know', async () => {
  await using door = await openDoor(fakeEngine());
  expect((await door.ask('GET', '/v1.99/_ping')).json()).toEqual({
    message: 'client version 1.99 is too new. Maximum supported API version is 1.50',
  });
  expect((await door.ask('GET', '/v1.12/_ping')).json()).toEqual({
    message:
      'client version 1.12 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
  });
  expect((await door.ask('GET', '/v1.24/_ping')).status).toBe(200);
});

test('requests of web pages are refused', async () => {
  await using door = await openDoor(fakeEngine());
  const answer = await door.ask('GET', '/_ping', undefined, { Origin: 'http://evil.example' });
  expect(answer.status).toBe(403);
  expect(answer.body).toContain('http://evil.example');
});

test('a failure inside is a 500 that is logged', async () => {
  await using door = await openDoor(
    fakeEngine({
      volumes: {
        get() {
          throw new Error('boom');
        },
      },
    }),
  );
  const answer = await door.ask('GET', '/volumes/v');
  expect([answer.status, answer.json()]).toEqual([500, { message: 'boom' }]);
  expect(door.logged.join()).toContain('GET /volumes/v: Error: boom');
});

test('bodies are JSON objects of bounded size', async () => {
  await using door = await openDoor(fakeEngine());
  const create = (body: string, type = 'application/json') =>
    door.ask('POST', '/v1.41/containers/create', body, { 'Content-Type': type });
  const bad = await create('{bad');
  expect(bad.status).toBe(400);
  expect(bad.body).toMatch(/^\{"message":"invalid JSON/);
  expect((await create('[]')).status).toBe(400);
  expect((await create('null')).json()).toEqual({ message: 'config cannot be empty in order to create a container' });
  expect((await create('{}', 'text/plain')).body).toContain("must be 'application/json'");
  expect((await create(`{"Image":"${'x'.repeat(9 << 20)}"}`)).body).toContain('larger than');
});
