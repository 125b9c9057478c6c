import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import type { ContractRouterClient } from '@orpc/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import { until } from '../../test/support/until.ts';
import type { Contract } from '../contract/index.ts';
import { Staging } from '../rpc/staging.ts';
import { serveWeb, type Web } from './server.ts';
import { windowRouter } from './window-router.ts';

let base: string;
let engine: FakeEngine;
let staging: Staging;
let web: Web;
let cookie: string;
const links: string[] = [];

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A raw request: fetch would set Host and Origin itself. */
function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: Uint8Array | string; as?: string } = {},
) {
  const { method = 'GET', headers = {}, body, as = cookie } = options;
  return new Promise<Answer>((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port: web.port, path, method, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      response.on('error', reject);
    });
    request.on('error', reject);
    if (as) request.setHeader('Cookie', as);
    for (const [name, value] of Object.entries(headers)) request.setHeader(name, value);
    request.end(body);
  });
}

/** Status of a WebSocket handshake: 101 when it was let in. */
async function upgradeStatus(path: string, headers: Record<string, string>): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${web.port}${path}`, { headers });
  return new Promise((resolve, reject) => {
    socket.on('open', () => (socket.close(), resolve(101)));
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    socket.on('error', (error) => reject(error));
  });
}

async function logIn(): Promise<string> {
  const answer = await ask(`/${new URL(links.at(-1) ?? web.url).search}`, { as: '' });
  expect(answer.status).toBe(303);
  return answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
}

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'drydock-web-'));
  const renderer = join(base, 'renderer');
  mkdirSync(join(renderer, 'assets'), { recursive: true });
  writeFileSync(join(renderer, 'index.html'), '<!doctype html><title>Drydock</title>');
  writeFileSync(join(renderer, 'assets/index-abc.js'), 'export {};');
  writeFileSync(join(renderer, 'assets/empty.css'), '');
  writeFileSync(join(renderer, '.hidden.txt'), 'hidden');
  writeFileSync(join(base, 'secret.txt'), 'secret');
  symlinkSync(join(base, 'secret.txt'), join(renderer, 'link.txt'));
  engine = new FakeEngine();
  engine.put({ id: 'a', state: 'running' });
  staging = new Staging(engine.api, join(base, 'tmp'), { file: 1 << 20 });
  const where = { engine: engine.api, staging, home: base, dockerHost: 'unix:///d.sock', version: '0.1.0' };
  web = await serveWeb({
    port: 0,
    rendererDirectory: renderer,
    engine: engine.api,
    staging,
    router: windowRouter(where),
    onLink: (url) => links.push(url),
  });
  cookie = await logIn();
});
afterAll(async () => {
  await web?.close();
  await staging?.close();
  rmSync(base, { recursive: true });
});

describe('coming in', () => {
  test('the token becomes a cookie once, leaves the address, and the next link is told', async () => {
    const before = links.at(-1) ?? '';
    const path = `/${new URL(before).search}`;
    const first = await ask(path, { as: '' });
    expect(first).toMatchObject({ status: 303, headers: { location: '/', 'cache-control': 'no-store' } });
    expect(first.headers['set-cookie']?.[0]).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/);
    const second = await ask(path, { as: '' });
    expect(second.status).toBe(401);
    expect(second.body).toContain('This link has been used');
    expect(second.headers['set-cookie']).toBeUndefined();
    expect(links.at(-1)).not.toBe(before);
    expect((await ask('/', { as: first.headers['set-cookie']?.[0]?.split(';')[0] ?? '' })).status).toBe(200);
    expect((await ask('/')).status).toBe(200); // who was in stays in
  });

  test('an old link in a browser that is in just opens', async () => {
    expect(await ask('/?token=used')).toMatchObject({ status: 303, headers: { location: '/' } });
  });

  test('HEAD (a link preview) does not use the link up', async () => {
    const link = new URL(links.at(-1) ?? '');
    expect((await ask(`/${link.search}`, { method: 'HEAD', as: '' })).status).toBe(401);
    expect(links.at(-1)).toBe(link.href);
  });

  test.each(['/', '/index.html', '/assets/index-abc.js', '/stage?name=x.wasm', '/nothing'])(
    '%s without a cookie is refused with a way in',
    async (path) => {
      const answer = await ask(path, { as: '' });
      expect(answer.status).toBe(401);
      expect(answer.body).toMatch(/link/);
      expect((await ask(path, { as: 'drydock-1=x' })).status).toBe(401);
    },
  );

  test('a link followed from another site asks again from our side, once', async () => {
    const headers = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' };
    expect((await ask('/', { as: '', headers })).body).toContain('url=/?again');
    expect((await ask('/?again', { as: '', headers })).body).not.toContain('url=/?again');
  });

  test.each(['evil.example', `evil.example:1`, '127.0.0.1', 'localhost:1'])('Host %s is refused', async (host) => {
    expect((await ask('/', { headers: { Host: host } })).status).toBe(403);
    const token = new URL(links.at(-1) ?? '').search;
    expect((await ask(`/${token}`, { as: '', headers: { Host: host } })).status).toBe(403);
  });

  test('localhost is our name as well', async () => {
    expect((await ask('/', { headers: { Host: `localhost:${web.port}` } })).status).toBe(200);
  });

  test('a request without Host is refused', async () => {
    const socket = connect(web.port, '127.0.0.1');
    socket.end(`GET / HTTP/1.0\r\nCookie: ${cookie}\r\n\r\n`);
    const [data] = (await once(socket, 'data')) as [Buffer];
    expect(data.toString()).toMatch(/^HTTP\/1\.1 403 /);
    socket.destroy();
  });

  test('another page is refused even with the cookie', async () => {
    for (const Origin of ['https://evil.example', 'null', 'http://127.0.0.1:1']) {
      expect((await ask('/', { headers: { Origin } })).status).toBe(403);
      expect((await ask('/stage?name=a.wasm', { method: 'POST', headers: { Origin } })).status).toBe(403);
    }
    const headers = { 'Sec-Fetch-Site': 'same-site' };
    expect((await ask('/stage?name=a.wasm', { method: 'POST', headers })).status).toBe(403);
  });

  test('it listens on loopback only', () => {
    expect(web.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=/);
  });

  test('a port that is taken is named', async () => {
    const again = serveWeb({
      port: web.port,
      rendererDirectory: base,
      engine: engine.api,
      staging,
      router: () => Promise.reject(),
    });
    await expect(again).rejects.toMatchObject({ kind: 'conflict', message: `Port ${web.port} is in use` });
  });
});

describe('files', () => {
  test('the page is never kept, and allows itself only', async () => {
    const { status, headers, body } = await ask('/');
    expect([status, body]).toEqual([200, '<!doctype html><title>Drydock</title>']);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
    expect(headers['content-security-policy']).toContain("connect-src 'self'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
  });

  test('assets are kept; an empty file and HEAD work', async () => {
    const { headers } = await ask('/assets/index-abc.js');
    expect(headers).toMatchObject({ 'content-type': 'text/javascript; charset=utf-8', 'content-length': '10' });
    expect(headers['cache-control']).toContain('immutable');
    expect(await ask('/assets/empty.css')).toMatchObject({ status: 200, body: '' });
    expect(await ask('/', { method: 'HEAD' })).toMatchObject({
      status: 200,
      body: '',
      headers: { 'content-length': '37' },
    });
  });

  test.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '/assets/..%5c..%5csecret.txt',
    '/%2e%2e%2fsecret.txt',
    '//secret.txt',
    '/link.txt',
    '/.hidden.txt',
    '/assets',
    '/assets/',
    '/%00',
    '/%ff',
    '/nothing.js',
  ])('%s is not there', async (path) => {
    const { status, body } = await ask(path);
    expect(status).toBe(404);
    expect(body).not.toMatch(/^(secret|hidden)$/m);
  });

  test('what is no path, and other methods', async () => {
    expect((await ask('http://127.0.0.1/')).status).toBe(400);
    expect(await ask('/', { method: 'DELETE' })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect((await ask('/', { method: 'POST' })).status).toBe(405);
  });
});

describe('uploads', () => {
  const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  const post = (name: string, body: Uint8Array | string) =>
    ask(`/stage?name=${encodeURIComponent(name)}`, {
      method: 'POST',
      body,
      headers: { Origin: `http://127.0.0.1:${web.port}` },
    });

  test('a module is described', async () => {
    const { status, body } = await post('größe.wasm', empty);
    expect(status).toBe(200);
    const staged = JSON.parse(body) as { stageId: string };
    expect(staged).toMatchObject({ fileName: 'größe.wasm', module: { size: 8 } });
    await staging.discard(staged.stageId);
  });

  test('what is no module is refused by name, also when it is long', async () => {
    expect(await post('x.wasm', 'text')).toMatchObject({ status: 400 });
    const { status, body } = await post('x.wasm', Buffer.alloc(900_000, 'x'));
    expect(status).toBe(400);
    expect(JSON.parse(body)).toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(/^x\.wasm: not a WebAssembly/),
    });
    expect(staging.count).toBe(0);
  });

  test('too large, no name', async () => {
    expect((await post('x.wasm', Buffer.concat([empty, Buffer.alloc(2 << 20)]))).body).toMatch(/larger than 1 MiB/);
    expect((await post('', empty)).body).toMatch(/has no name/);
    expect(staging.count).toBe(0);
  });
});

describe('sockets', () => {
  const origin = () => ({ Origin: `http://127.0.0.1:${web.port}` });

  test.each(['/rpc', '/channel'])('%s needs cookie, Origin and Host', async (path) => {
    expect(await upgradeStatus(path, {})).toBe(401);
    expect(await upgradeStatus(path, { ...origin() })).toBe(401);
    expect(await upgradeStatus(path, { Cookie: cookie, Origin: 'https://evil.example' })).toBe(403);
    expect(await upgradeStatus(path, { Cookie: cookie, Host: 'evil.example' })).toBe(403);
    expect(await upgradeStatus(path, { Cookie: cookie, ...origin() })).toBe(101);
    expect(await upgradeStatus('/other', { Cookie: cookie })).toBe(404);
  });

  test('the token is not a cookie', async () => {
    const token = new URL(links.at(-1) ?? '').search;
    expect(await upgradeStatus(`/rpc${token}`, {})).toBe(401);
  });

  test('the contract, over a WebSocket, until it closes', async () => {
    const websocket = new WebSocket(`ws://127.0.0.1:${web.port}/rpc`, { headers: { Cookie: cookie, ...origin() } });
    websocket.binaryType = 'arraybuffer';
    const client: ContractRouterClient<Contract> = createORPCClient(
      new RPCLink({ websocket: websocket as unknown as globalThis.WebSocket }),
    );
    expect(await client.system.summary()).toMatchObject({ dockerHost: 'unix:///d.sock', version: '0.1.0' });
    await expect(client.modules.stagePath({ path: '/etc/passwd' })).rejects.toMatchObject({ data: { kind: 'denied' } });
    expect(await client.settings.set({ theme: 'light' })).toMatchObject({ theme: 'light' });
    const watching = await client.events.watch();
    expect((await watching.next()).value).toMatchObject({ type: 'snapshot', containers: [{ id: 'a' }] });
    expect(engine.listeners.size).toBe(1);
    websocket.terminate();
    await until('the end of the subscription', () => engine.listeners.size === 0);
  });

  test('a channel, over a WebSocket', async () => {
    engine.logBatches = (async function* () {
      yield [{ time: '2026-11-24T05:00:00Z', stream: 1 as const, partial: false, data: Buffer.from('hello\n') }];
    })();
    const socket = new WebSocket(`ws://127.0.0.1:${web.port}/channel`, { headers: { Cookie: cookie, ...origin() } });
    const messages: unknown[] = [];
    socket.on('message', (data) => messages.push(JSON.parse(String(data))));
    await once(socket, 'open');
    socket.send(JSON.stringify({ t: 'logs', id: 'a', tail: -1, follow: false }));
    socket.send(JSON.stringify({ t: 'credit', n: 1 }));
    await once(socket, 'close');
    expect(messages).toEqual([
      { t: 'lines', lines: [[Date.parse('2026-11-24T05:00:00Z'), 1, 'hello', 0]] },
      { t: 'caughtUp' },
      { t: 'end' },
    ]);
  });

  test('a router that cannot be made is told on the terminal', async () => {
    const lines: string[] = [];
    const router = () => Promise.reject(new Error('config.json may not be read'));
    const other = await serveWeb({
      port: 0,
      rendererDirectory: base,
      engine: engine.api,
      staging,
      router,
      log: (line) => lines.push(line),
    });
    const login = await fetch(other.url, { redirect: 'manual' });
    const socket = new WebSocket(`ws://127.0.0.1:${other.port}/rpc`, {
      headers: { Cookie: login.headers.get('set-cookie')?.split(';')[0] ?? '' },
    });
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('500');
    expect(lines).toEqual(['the window cannot be served: config.json may not be read']);
    await other.close();
  });

  test('closing ends open windows', async () => {
    const where = { engine: engine.api, staging, home: base, dockerHost: 'unix:///d.sock', version: '0.1.0' };
    const other = await serveWeb({
      port: 0,
      rendererDirectory: base,
      engine: engine.api,
      staging,
      router: windowRouter(where),
    });
    const login = await fetch(other.url, { redirect: 'manual' });
    const socket = new WebSocket(`ws://127.0.0.1:${other.port}/rpc`, {
      headers: { Cookie: login.headers.get('set-cookie')?.split(';')[0] ?? '' },
    });
    await once(socket, 'open');
    const closed = once(socket, 'close');
    await other.close();
    await closed;
  });
});
