import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { noRegistrySettings, type RegistrySettings } from '../../platform/registry-settings.ts';
import { openRegistries, type Registries } from './registry.ts';
import { countedSleep, fail, ScriptedRegistry } from './testing.ts';

let registry: ScriptedRegistry;
let registries: Registries;
let settings: RegistrySettings;
let name: string;

beforeEach(async () => {
  settings = noRegistrySettings;
  registry = await ScriptedRegistry.start();
  name = `${registry.host}/app`;
  registries = openRegistries({
    version: 'test',
    settings: () => settings,
    credentials: '/nonexistent/logins.json',
    docker: { get: () => Promise.resolve(undefined), list: () => Promise.resolve([]) },
    sleep: countedSleep().sleep,
  });
});
afterEach(async () => {
  registries.close();
  await registry.close();
});

const layer = { bytes: Buffer.from('layer') };

describe('questions about a repository', () => {
  test('tags, over several pages', async () => {
    registry.script = (request, response) => {
      const url = new URL(request.url ?? '', 'http://x');
      if (!url.pathname.endsWith('/tags/list')) return false;
      const last = url.searchParams.get('last');
      const next = last === null ? '2' : last === '2' ? '4' : undefined;
      response.writeHead(200, next === undefined ? {} : { link: `</v2/app/tags/list?last=${next}&n=2>; rel="next"` });
      response.end(
        JSON.stringify({ name: 'app', tags: last === null ? ['1', '2'] : last === '2' ? ['3', '4'] : null }),
      );
      return true;
    };
    expect(await registries.api.tags(name, undefined)).toEqual(['1', '2', '3', '4']);
  });

  test('what refers to an image: by the API, or by the tag that stands in for it', async () => {
    const { digest } = registry.put('app', '1', [layer]);
    const signature = {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest,
      size: 3,
      artifactType: 'application/x-signature',
    };
    expect(await registries.api.referrers(`${name}:1`, undefined)).toEqual([]);
    registry.putIndex('app', digest.replace(':', '-'), [signature]);
    expect(await registries.api.referrers(`${name}:1`, undefined)).toEqual([{ ...signature, annotations: {} }]);
    registry.script = (request, response) => {
      if (!request.url?.includes('/referrers/')) return false;
      response.end(JSON.stringify({ manifests: [] }));
      return true;
    };
    expect(await registries.api.referrers(`${name}@${digest}`, undefined)).toEqual([]);
  });

  test('what it is, without pulling it', async () => {
    const wasm = registry.put('app', '1', [layer]);
    expect(await registries.api.inspect(`${name}:1`, undefined)).toEqual({
      descriptor: wasm,
      platforms: [{ os: 'wasi', architecture: 'wasm' }],
    });
    const index = registry.putIndex('app', '2', [{ ...wasm, platform: { os: 'wasi', architecture: 'wasm' } }, wasm]);
    expect(await registries.api.inspect(`${name}:2`, undefined)).toEqual({
      descriptor: index,
      platforms: [{ os: 'wasi', architecture: 'wasm' }],
    });
    await expect(registries.api.inspect(`${name}:3`, undefined)).rejects.toMatchObject({ kind: 'notFound' });
  });

  test('removing: a tag, and a registry that does not allow it', async () => {
    const deleted: string[] = [];
    registry.script = (request, response) => {
      if (request.method !== 'DELETE') return false;
      deleted.push(request.url ?? '');
      if (deleted.length === 1) response.writeHead(202).end();
      else fail(response, 405, 'UNSUPPORTED');
      return true;
    };
    await registries.api.remove(`${name}:1`, undefined);
    expect(deleted).toEqual(['/v2/app/manifests/1']);
    await expect(registries.api.remove(`${name}:1`, undefined)).rejects.toMatchObject({
      kind: 'invalid',
      message: 'unsupported: unsupported',
    });
  });
});

describe('logging in', () => {
  /** A registry whose token server gives a refresh token for a password, and access for the refresh token. */
  function withRefreshTokens(): string[] {
    const grants: string[] = [];
    registry.script = (request, response) => {
      const url = new URL(request.url ?? '/', `http://${registry.host}`);
      if (url.pathname === '/token') {
        let body = '';
        request.on('data', (chunk: Buffer) => (body += chunk.toString()));
        request.on('end', () => {
          const form = new URLSearchParams(body);
          const byPassword = request.headers.authorization === `Basic ${Buffer.from('anna:secret').toString('base64')}`;
          const byToken = form.get('refresh_token') === 'refresh';
          grants.push(
            byToken
              ? `refresh ${form.get('scope')}`
              : byPassword
                ? `password ${url.searchParams.get('offline_token')}`
                : 'none',
          );
          if (!byPassword && !byToken) return fail(response, 401, 'UNAUTHORIZED');
          response.end(JSON.stringify({ access_token: 'access', refresh_token: 'refresh', expires_in: 60 }));
        });
        return true;
      }
      if (request.headers.authorization === 'Bearer access') return false;
      fail(response, 401, 'UNAUTHORIZED', { 'www-authenticate': `Bearer realm="/token",service="s"` });
      return true;
    };
    return grants;
  }

  test('gives the refresh token, which does instead of the password', async () => {
    const grants = withRefreshTokens();
    const auth = { username: 'anna', password: 'secret', serverAddress: registry.host };
    expect(await registries.api.check(auth)).toEqual({ identityToken: 'refresh' });
    registry.put('app', '1', [layer]);
    await registries.api.inspect(`${name}:1`, { username: 'anna', identityToken: 'refresh' });
    expect(grants).toEqual(['password true', 'refresh repository:app:pull']);
  });

  test('says what is wrong', async () => {
    withRefreshTokens();
    await expect(
      registries.api.check({ username: 'anna', password: 'x', serverAddress: registry.host }),
    ).rejects.toMatchObject({
      kind: 'unauthorized',
      message: expect.stringMatching(/^login attempt to https:\/\/127.* failed with status: 401 Unauthorized/),
    });
    await expect(
      registries.api.check({ username: 'a', password: 'b', serverAddress: 'no host' }),
    ).rejects.toMatchObject({ kind: 'invalid' });
    // A password is never part of what is said.
    const error = await registries.api
      .check({ username: 'anna', password: 'x-secret-x', serverAddress: registry.host })
      .catch((reason: unknown) => reason);
    expect(JSON.stringify([String(error), error, (error as Error).cause])).not.toContain('x-secret-x');
  });

  test('a token server without encryption is no place for a password', async () => {
    registry.put('app', '1', [layer]);
    registry.script = (_request, response) => {
      fail(response, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Bearer realm="ftp://token.test/"' });
      return true;
    };
    await expect(registries.api.inspect(`${name}:1`, { username: 'a', password: 'b' })).rejects.toThrow(
      'names a token server that is no URL',
    );
  });
});

describe('ways to it', () => {
  let proxy: Server;
  let asked: string[];
  beforeEach(async () => {
    asked = [];
    proxy = createServer((request: IncomingMessage, response) => {
      asked.push(request.url ?? '');
      response.end('{"tags":["through the proxy"]}');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => void proxy.close());

  test('an http proxy, but never for loopback, and not for what is excepted', async () => {
    const httpProxy = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    settings = {
      ...noRegistrySettings,
      httpProxy,
      httpsProxy: httpProxy,
      insecure: ['registry.invalid', 'direct.invalid'],
      noProxy: 'direct.invalid',
    };
    expect(await registries.api.tags('registry.invalid/app', undefined)).toEqual(['through the proxy']);
    expect(asked.at(-1)).toBe('http://registry.invalid/v2/app/tags/list?n=1000');
    registry.put('app', '1', [layer]);
    expect(await registries.api.tags(name, undefined)).toEqual(['1']);
    await expect(registries.api.tags('direct.invalid/app', undefined)).rejects.toMatchObject({
      message: expect.stringContaining('the name of direct.invalid is not known'),
    });
  });

  test('https alone where http is not allowed: the error says which setting would', async () => {
    // A name that leads to loopback, and is not called so.
    settings = { ...noRegistrySettings, httpsProxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
    proxy.on('connect', (_request: IncomingMessage, socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    });
    await expect(registries.api.tags('plain.invalid/app', undefined)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('plain.invalid does not speak HTTPS'),
      hint: expect.stringContaining('insecure registry'),
    });
  });

  test('a CA file that is not there is named', async () => {
    settings = { ...noRegistrySettings, caFile: '/nonexistent.pem' };
    await expect(registries.api.tags(name, undefined)).rejects.toThrow('the CA file /nonexistent.pem cannot be read');
  });
});
