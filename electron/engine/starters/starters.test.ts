import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StarterEvent, StartersApi } from '../api/starters.ts';
import { openTestImages, smallestModule, tarOf, type TestImages } from '../images/testing.ts';
import { createTransport, type Transport } from '../registry/transport.ts';
import { openStarters } from './starters.ts';

const settings = { mirrors: [], insecure: [], caFile: '', httpProxy: '', httpsProxy: '', noProxy: '', npm: '' };

let images: TestImages;
let transport: Transport;
let server: Server;
let directory: string;
let tmp: string;
let answers: Map<string, Buffer | number>;
let asked: string[];
let starters: StartersApi;

beforeEach(async () => {
  images = await openTestImages();
  transport = createTransport(() => settings);
  directory = mkdtempSync(join(tmpdir(), 'drydock-recipes-'));
  tmp = mkdtempSync(join(tmpdir(), 'drydock-tarballs-'));
  answers = new Map();
  asked = [];
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const answer = answers.get(request.url ?? '') ?? 404;
    if (typeof answer === 'number') return void response.writeHead(answer).end();
    // Half of it, then the connection breaks: once.
    if (request.url?.includes('broken') && asked.filter((url) => url === request.url).length === 1) {
      response.writeHead(200, { 'Content-Length': answer.length });
      response.write(answer.subarray(0, answer.length / 2), () => response.destroy());
      return;
    }
    response.end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await images.close();
  transport.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const integrity = (bytes: Buffer): string => `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
const open = (): StartersApi =>
  openStarters({
    directory,
    tmp,
    images: images.images,
    transport,
    registry: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  });

function recipe(name: string, more: object, dockerfile: string, files: Readonly<Record<string, string>> = {}): void {
  mkdirSync(join(directory, name));
  const about = {
    title: name,
    tag: `drydock/${name}:1`,
    about: { en: `The ${name}.` },
    try: 'docker run',
    license: 'MIT',
  };
  writeFileSync(join(directory, name, 'starter.json'), JSON.stringify({ ...about, ...more }));
  writeFileSync(join(directory, name, 'Dockerfile'), dockerfile);
  for (const [path, content] of Object.entries(files)) writeFileSync(join(directory, name, path), content);
}

async function packaged(name: string): Promise<{ package: string; version: string; integrity: string; size: number }> {
  const bytes = gzipSync(
    await tarOf([
      { name: 'package/package.json', content: '{}' },
      { name: 'package/dist/app.wasm', content: smallestModule },
      { name: 'package/src/a.c', content: 'a' },
      { name: 'package/src/deep/b.c', content: 'b' },
    ]),
  );
  answers.set(`/${name}/-/${name.replace(/^@.*\//, '')}-1.0.0.tgz`, bytes);
  return { package: name, version: '1.0.0', integrity: integrity(bytes), size: bytes.length };
}

async function built(name: string, signal?: AbortSignal): Promise<StarterEvent[]> {
  const events: StarterEvent[] = [];
  for await (const event of starters.build(name, signal)) events.push(event);
  return events;
}

describe('a recipe of our own sources', () => {
  test('needs no network and has a tag and labels', async () => {
    recipe('plain', {}, 'FROM scratch\nCOPY note /\nENTRYPOINT ["/note"]\n', { note: 'text' });
    starters = open();
    expect(starters.list()).toMatchObject([{ name: 'plain', download: 0, needs: [], image: undefined }]);
    const events = await built('plain');
    expect(events[0]).toEqual({ type: 'starter', name: 'plain' });
    const image = images.images.get('drydock/plain:1');
    expect(image.repoTags).toEqual(['drydock/plain:1', 'drydock/plain:latest']);
    expect(image.config.labels).toMatchObject({ 'dev.drydock.starter': 'plain' });
    expect(starters.list()[0]?.image).toBe(image.id);
    expect(asked).toEqual([]);
  });
});

describe('a recipe with a package', () => {
  const dockerfile = 'FROM scratch\nCOPY bin /bin\nCOPY src /src\nENTRYPOINT ["/bin/app"]\n';
  const files = { 'bin/app.wasm': 'dist/app.wasm', src: 'src' };

  test('fetches it, verifies it, and builds with what it takes and with links', async () => {
    recipe('app', { npm: await packaged('@scope/app'), files, links: { 'bin/app': 'app.wasm' } }, dockerfile);
    starters = open();
    const events = await built('app');
    expect(asked).toEqual(['/@scope/app/-/app-1.0.0.tgz']);
    const last = events.filter((event) => event.type === 'download').at(-1);
    expect(last).toMatchObject({ package: '@scope/app@1.0.0', received: last?.total });
    const root = await images.images.snapshot(images.images.get('drydock/app:1').id);
    expect(readdirSync(root, { recursive: true }).map(String).sort()).toEqual([
      'bin',
      'bin/app',
      'bin/app.wasm',
      'src',
      'src/a.c',
      'src/deep',
      'src/deep/b.c',
    ]);
    expect(readdirSync(tmp)).toEqual([]);
  });

  test('a connection that breaks is tried again', async () => {
    recipe('app', { npm: await packaged('broken'), files }, dockerfile);
    starters = open();
    await built('app');
    expect(asked).toHaveLength(2);
  });

  test.each([
    ['another package than the one pinned', 'damaged', /not the package that the recipe pins/],
    ['no such package', 'notFound', /answered 404/],
    ['a package without the file', 'damaged', /lacks nowhere/],
  ])('%s: nothing is left', async (what, kind, message) => {
    const npm = await packaged('app');
    if (what.startsWith('another')) answers.set('/app/-/app-1.0.0.tgz', Buffer.from('evil'));
    if (what.startsWith('no such')) answers.clear();
    recipe('app', { npm, files: what.startsWith('a package') ? { x: 'nowhere' } : files }, dockerfile);
    starters = open();
    await expect(built('app')).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
    expect(images.images.list({ all: true, filters: new Map() })).toEqual([]);
    expect(readdirSync(tmp)).toEqual([]);
  });

  test('no network: says so and what to do', async () => {
    recipe('app', { npm: await packaged('app'), files }, dockerfile);
    starters = openStarters({
      directory,
      tmp,
      images: images.images,
      transport,
      registry: () => 'http://127.0.0.1:1/',
    });
    await expect(built('app')).rejects.toMatchObject({ kind: 'unavailable', hint: expect.any(String) });
  });

  test('can be cancelled', async () => {
    recipe('app', { npm: await packaged('app'), files }, dockerfile);
    starters = open();
    const stop = new AbortController();
    const events = starters.build('app', stop.signal)[Symbol.asyncIterator]();
    await events.next();
    stop.abort();
    await expect(
      (async () => {
        while (!(await events.next()).done);
      })(),
    ).rejects.toMatchObject({ kind: 'cancelled' });
    expect(readdirSync(tmp)).toEqual([]);
  });
});

test('what a starter needs is built before, once', async () => {
  recipe(
    'base',
    { npm: await packaged('app'), files: { 'app.wasm': 'dist/app.wasm' } },
    'FROM scratch\nCOPY app.wasm /\n',
  );
  recipe('top', { needs: ['base'] }, 'FROM drydock/base:1\nCOPY extra /\n', { extra: 'x' });
  starters = open();
  expect(starters.list().map(({ name, download }) => [name, download > 0])).toEqual([
    ['base', true],
    ['top', true],
  ]);
  const names = (events: StarterEvent[]) => events.flatMap((event) => (event.type === 'starter' ? [event.name] : []));
  expect(names(await built('top'))).toEqual(['base', 'top']);
  expect(starters.list().find(({ name }) => name === 'top')?.download).toBe(0);
  expect(names(await built('top'))).toEqual(['top']);
});

test('unknown names and broken recipes', async () => {
  starters = open();
  await expect(built('nope')).rejects.toMatchObject({ kind: 'notFound' });
  mkdirSync(join(directory, 'bad'));
  writeFileSync(join(directory, 'bad', 'starter.json'), '{"title":"x"}');
  expect(open).toThrow(/recipe .* cannot be read/);
});
