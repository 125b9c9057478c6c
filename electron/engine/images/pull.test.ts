import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRegistries, type Registries } from '../registry/registry.ts';
import { countedSleep, fail, gzipped, ScriptedRegistry, sha256, type Layer } from '../registry/testing.ts';
import { noRegistrySettings, type RegistrySettings } from '../../platform/registry-settings.ts';
import type { PullEvent, PullOptions, TransferAuth } from '../api/images.ts';
import { openTestImages, smallestModule, tarOf, type TestImages } from './testing.ts';

let registry: ScriptedRegistry;
let registries: Registries;
let store: TestImages;
let waits: number[];
let settings: RegistrySettings;

beforeEach(async () => {
  const time = countedSleep();
  waits = time.waits;
  settings = noRegistrySettings;
  registry = await ScriptedRegistry.start();
  registries = openRegistries({
    version: 'test',
    settings: () => settings,
    credentials: '/nonexistent/logins.json',
    docker: { get: () => Promise.resolve(undefined), list: () => Promise.resolve([]) },
    sleep: time.sleep,
  });
  store = await openTestImages({ registries });
});
afterEach(async () => {
  registries.close();
  await store.close();
  await registry.close();
});

const anna: TransferAuth = { username: 'anna', password: 'secret' };

async function pull(name: string, options: PullOptions = {}, signal?: AbortSignal): Promise<PullEvent[]> {
  const events: PullEvent[] = [];
  for await (const event of store.images.pull(`${registry.host}/${name}`, options, signal)) events.push(event);
  return events;
}

const done = (events: readonly PullEvent[]): Extract<PullEvent, { type: 'done' }> => {
  const last = events.at(-1);
  if (last?.type !== 'done') throw new Error('the pull did not end');
  return last;
};

const program = async (name = 'm.wasm'): Promise<Layer> => ({
  bytes: await tarOf([{ name, content: smallestModule }]),
});

/** A layer large enough to come in several pieces. */
const large = async (): Promise<Layer> => ({
  bytes: await tarOf([{ name: 'large', content: Buffer.alloc(3_000_000, 'drydock ') }]),
});

const blobs = (): string[] => registry.asked.filter((line) => line.includes('/blobs/'));

describe('an image', () => {
  test('comes with its layers, gets its tag and its digest, and is here the second time', async () => {
    const { digest } = registry.put('app', '1', [await program(), gzipped((await large()).bytes)]);
    const events = await pull('app:1');
    expect(events[0]).toEqual({ type: 'begin', repository: 'app', tag: '1' });
    expect(events.filter((event) => event.type === 'layer' && event.state === 'complete')).toHaveLength(2);
    expect(events).toContainEqual({ type: 'digest', digest });
    expect(done(events)).toMatchObject({ reference: `${registry.host}/app:1`, isNew: true });
    const image = store.images.get(`${registry.host}/app:1`);
    expect(image).toMatchObject({
      repoTags: [`${registry.host}/app:1`],
      repoDigests: [`${registry.host}/app@${digest}`],
      size: smallestModule.length + 3_000_000,
    });
    expect(store.images.get(`${registry.host}/app@${digest}`).id).toBe(image.id);
    expect(await store.images.module(image.id)).toMatchObject({ path: '/m.wasm' });
    expect(store.events).toContain(`image pull ${registry.host}/app`);
    registry.asked.length = 0;
    expect(done(await pull('app:1')).isNew).toBe(false);
    expect(blobs()).toEqual([]);
    // A restart finds all of it again.
    expect((await store.reopen()).get(`${registry.host}/app@${digest}`)).toEqual(image);
  });

  test('by digest has no tag', async () => {
    const { digest } = registry.put('app', '1', [await program()]);
    await pull(`app@${digest}`);
    expect(store.images.list({ all: true, filters: new Map() })[0]).toMatchObject({
      repoTags: [],
      repoDigests: [`${registry.host}/app@${digest}`],
    });
  });

  test('moves its tag when the registry has moved it', async () => {
    registry.put('app', '1', [await program()]);
    const first = done(await pull('app:1')).image;
    registry.put('app', '1', [await program(), await large()]);
    const events = await pull('app:1');
    expect(events).toContainEqual(expect.objectContaining({ state: 'exists' }));
    expect(done(events)).toMatchObject({ isNew: true });
    expect(store.images.get(`${registry.host}/app:1`).id).not.toBe(first);
    expect(store.images.get(first).repoTags).toEqual([]);
  });

  test('with --all-tags is every tag', async () => {
    registry.put('app', '1', [await program()]);
    registry.put('app', '2', [await program('x.wasm')], { config: { config: { Entrypoint: ['/x.wasm'] } } });
    const events = await pull('app', { allTags: true });
    expect(events.filter((event) => event.type === 'done')).toHaveLength(2);
    await expect(pull('app:1', { allTags: true })).rejects.toThrow("tag can't be used with --all-tags");
  });

  test('that two pull at once is fetched once', async () => {
    const layer = await large();
    registry.put('app', '1', [layer]);
    registry.put('other', '1', [layer], { config: { author: 'somebody else' } });
    let held: ServerResponse | undefined;
    const arrived = Promise.withResolvers<void>();
    registry.script = (request, response) => {
      if (!request.url?.includes(sha256(layer.bytes)) || held) return false;
      held = response;
      response.writeHead(200, { 'content-length': layer.bytes.length });
      response.write(layer.bytes.subarray(0, 1000));
      arrived.resolve();
      return true;
    };
    const first = pull('app:1');
    await arrived.promise;
    const second = pull('other:1');
    // The second knows its manifest once it has asked for its config.
    await expect.poll(() => blobs().length, { timeout: 20_000 }).toBeGreaterThanOrEqual(3);
    held?.end(layer.bytes.subarray(1000));
    await Promise.all([first, second]);
    expect(blobs().filter((line) => line.includes(sha256(layer.bytes)))).toHaveLength(1);
    expect(store.images.list({ all: false, filters: new Map() })).toHaveLength(2);
  });
});

describe('on a bad line', () => {
  test('a cut connection is taken up where it broke', async () => {
    const layer = await large();
    registry.put('app', '1', [layer]);
    const ranges: (string | undefined)[] = [];
    registry.script = (request, response) => {
      if (!request.url?.includes(sha256(layer.bytes))) return false;
      ranges.push(request.headers.range);
      if (ranges.length > 2) return false;
      const from = Number(/\d+/.exec(request.headers.range ?? '0')?.[0]);
      response.writeHead(ranges.length === 1 ? 200 : 206, {
        'content-length': layer.bytes.length - from,
        ...(from > 0 && { 'content-range': `bytes ${from}-${layer.bytes.length - 1}/${layer.bytes.length}` }),
      });
      response.write(layer.bytes.subarray(from, from + 1_000_000), () => response.destroy());
      return true;
    };
    const events = await pull('app:1');
    expect(done(events).isNew).toBe(true);
    expect(ranges[0]).toBeUndefined();
    expect(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range ?? ''))).toBe(true);
    expect(ranges).toHaveLength(3);
    expect(events.filter((event) => event.type === 'layer' && event.state === 'retrying')).toHaveLength(2);
  });

  test('a server without ranges sends it all again, which is used from where it broke', async () => {
    const layer = await large();
    registry.put('app', '1', [layer]);
    let count = 0;
    registry.script = (request, response) => {
      if (!request.url?.includes(sha256(layer.bytes))) return false;
      response.writeHead(200, { 'content-length': layer.bytes.length });
      if (++count === 1) response.write(layer.bytes.subarray(0, 1_000_000), () => response.destroy());
      else response.end(layer.bytes);
      return true;
    };
    expect(done(await pull('app:1')).isNew).toBe(true);
    expect(count).toBe(2);
  });

  test('one that breaks every time before a byte came ends the pull; nothing of it stays', async () => {
    const layer = await large();
    registry.put('app', '1', [layer]);
    registry.script = (request, response) => {
      if (!request.url?.includes(sha256(layer.bytes))) return false;
      response.destroy();
      return true;
    };
    await expect(pull('app:1')).rejects.toMatchObject({ kind: 'unavailable' });
    expect(waits).toHaveLength(4);
    expect(store.images.list({ all: true, filters: new Map() })).toEqual([]);
  });

  test('429 waits as long as it is told, 503 backs off', async () => {
    registry.put('app', '1', [await program()]);
    let count = 0;
    registry.script = (request, response) => {
      if (!request.url?.includes('/manifests/') || count >= 2) return false;
      if (++count === 1) fail(response, 429, 'TOOMANYREQUESTS', { 'retry-after': '7' });
      else fail(response, 503, 'UNAVAILABLE');
      return true;
    };
    await pull('app:1');
    expect(waits[0]).toBe(7000);
    expect(waits[1]).toBeGreaterThanOrEqual(500);
    count = -10;
    registry.put('app', '2', [await program()]);
    registry.script = (_request, response) => (fail(response, 429, 'TOOMANYREQUESTS'), true);
    await expect(pull('app:2')).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'toomanyrequests: toomanyrequests',
    });
  });

  test('cancelling ends it, and closes the connection', async () => {
    const layer = await large();
    registry.put('app', '1', [layer]);
    const closed = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    registry.script = (request, response) => {
      if (!request.url?.includes(sha256(layer.bytes))) return false;
      response.writeHead(200, { 'content-length': layer.bytes.length });
      response.write(layer.bytes.subarray(0, 1000), () => arrived.resolve());
      response.once('close', () => closed.resolve());
      return true;
    };
    const abort = new AbortController();
    const pulling = pull('app:1', {}, abort.signal);
    await arrived.promise;
    abort.abort();
    await expect(pulling).rejects.toMatchObject({ kind: 'cancelled' });
    await closed.promise;
    expect(store.images.list({ all: true, filters: new Map() })).toEqual([]);
  });
});

describe('what is not what it says is refused', () => {
  const refused = async (name: string, expected: object): Promise<void> => {
    await expect(pull(name)).rejects.toMatchObject(expected);
    expect(store.images.list({ all: true, filters: new Map() })).toEqual([]);
  };

  test('other bytes', async () => {
    const layer = await large();
    registry.put('app', '1', [layer]);
    const bytes = Buffer.from(layer.bytes);
    bytes[1_500_000] = 0;
    registry.blobs.set(sha256(layer.bytes), bytes);
    await refused('app:1', {
      kind: 'damaged',
      message: expect.stringContaining(`filesystem layer verification failed for digest ${sha256(layer.bytes)}`),
    });
  });

  test.each([
    ['more', 10, /sent more than the \d+ bytes/],
    ['fewer', -10, /sent \d+ of the \d+ bytes/],
  ])('%s bytes than the manifest says', async (_what, change, message) => {
    const layer = await large();
    registry.put('app', '1', [layer]);
    registry.blobs.set(
      sha256(layer.bytes),
      Buffer.concat([layer.bytes, Buffer.alloc(10)]).subarray(0, layer.bytes.length + change),
    );
    await refused('app:1', { kind: 'damaged', message: expect.stringMatching(message) });
  });

  test('a manifest that is not the one asked for', async () => {
    const { digest } = registry.put('app', '1', [await program()]);
    registry.manifests.set(`app:${digest}`, { bytes: Buffer.from('{"schemaVersion":2}'), mediaType: 'x' });
    await refused(`app@${digest}`, {
      kind: 'damaged',
      message: expect.stringContaining('other bytes than it promised'),
    });
  });

  test('a manifest that is larger than any', async () => {
    registry.putManifest('app', '1', Buffer.alloc(5 << 20, ' '), 'application/vnd.oci.image.manifest.v1+json');
    await refused('app:1', { kind: 'invalid', message: expect.stringContaining('is larger than 4194304 bytes') });
  });

  test.each([
    ['no JSON', 'nonsense', /is not JSON/],
    ['no manifest', '{"schemaVersion": 2}', /is not an image manifest/],
  ])('a manifest that is %s', async (_what, text, message) => {
    registry.putManifest('app', '1', Buffer.from(text), 'application/vnd.oci.image.manifest.v1+json');
    await refused('app:1', { message: expect.stringMatching(message) });
  });

  test('schema 1', async () => {
    registry.putManifest(
      'app',
      '1',
      Buffer.from('{"schemaVersion":1}'),
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
    );
    await refused('app:1', { kind: 'unsupported', message: expect.stringContaining('schema 1') });
  });

  test('foreign layers, before anything is fetched', async () => {
    registry.put('app', '1', [
      {
        ...(await program()),
        mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
        urls: ['https://x'],
      },
    ]);
    await refused('app:1', { kind: 'unsupported', message: expect.stringContaining('foreign layer') });
    expect(blobs()).toEqual([]);
  });

  test('a layer whose inflated bytes are not those of its diffID', async () => {
    registry.put('app', '1', [{ ...gzipped((await program()).bytes), diffId: sha256('other') }]);
    await refused('app:1', {
      kind: 'damaged',
      message: expect.stringContaining('holds other bytes than its image says'),
    });
  });

  test('a layer that leads out of the root, with the entry named', async () => {
    registry.put('app', '1', [{ bytes: await tarOf([{ name: '../../etc/passwd', content: 'x' }]) }]);
    await refused('app:1', { kind: 'invalid', message: expect.stringContaining('../../etc/passwd') });
  });
});

describe('who asks', () => {
  /** Distribution's token server (token.md) for one person, in front of the registry. */
  function withTokens(check: { life?: number; user?: string } = {}): { issued: URLSearchParams[]; valid: Set<string> } {
    const issued: URLSearchParams[] = [];
    const valid = new Set<string>();
    registry.script = (request, response) => {
      const url = new URL(request.url ?? '/', `http://${registry.host}`);
      if (url.pathname === '/token') {
        const wanted = check.user && `Basic ${Buffer.from(check.user).toString('base64')}`;
        if (wanted && request.headers.authorization !== wanted) return (fail(response, 401, 'UNAUTHORIZED'), true);
        issued.push(url.searchParams);
        const token = `token-${issued.length}`;
        valid.add(token);
        response.end(JSON.stringify({ token, expires_in: check.life ?? 300 }));
        return true;
      }
      if (valid.has((request.headers.authorization ?? '').replace('Bearer ', ''))) return false;
      fail(response, 401, 'UNAUTHORIZED', {
        'www-authenticate': `Bearer realm="http://${registry.host}/token",service="scripted",scope="repository:app:pull"`,
      });
      return true;
    };
    return { issued, valid };
  }

  test('nobody: an anonymous token, asked for once', async () => {
    registry.put('app', '1', [await program(), await large()]);
    const { issued } = withTokens();
    await pull('app:1');
    expect(issued.map(String)).toEqual(['client_id=drydock&service=scripted&scope=repository%3Aapp%3Apull']);
  });

  test('somebody, by name and password; the password goes to the token server alone', async () => {
    registry.put('app', '1', [await program()]);
    withTokens({ user: 'anna:secret' });
    await pull('app:1', { auth: anna });
    const basic = registry.headers.filter((headers) => headers.authorization?.startsWith('Basic'));
    expect(basic).toHaveLength(1);
  });

  test('a wrong password is said to be one', async () => {
    registry.put('app', '1', [await program()]);
    withTokens({ user: 'anna:secret' });
    await expect(pull('app:1', { auth: { username: 'anna', password: 'wrong' } })).rejects.toMatchObject({
      kind: 'unauthorized',
      message: expect.stringMatching(
        /^pull access denied for .*app:1, repository does not exist or may require 'docker login': unauthorized/,
      ),
    });
  });

  test('a token that has ended is renewed in the middle of a pull', async () => {
    const layer = await large();
    registry.put('app', '1', [layer]);
    const { issued, valid } = withTokens();
    const inner = registry.script;
    let ended = false;
    registry.script = (request, response) => {
      if (request.url?.includes(sha256(layer.bytes)) && !ended) {
        ended = true;
        valid.clear();
      }
      return inner(request, response);
    };
    expect(done(await pull('app:1')).isNew).toBe(true);
    expect(issued).toHaveLength(2);
  });

  test('a token that is never taken is no endless loop', async () => {
    registry.put('app', '1', [await program()]);
    const { valid } = withTokens();
    const inner = registry.script;
    registry.script = (request, response) => {
      valid.clear();
      return inner(request, response);
    };
    await expect(pull('app:1')).rejects.toMatchObject({ kind: 'unauthorized' });
  });

  test('basic, only after it was asked for', async () => {
    registry.put('app', '1', [await program()]);
    registry.script = (request, response) => {
      if (request.headers.authorization === `Basic ${Buffer.from('anna:secret').toString('base64')}`) return false;
      fail(response, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="r"' });
      return true;
    };
    await pull('app:1', { auth: anna });
    expect(registry.headers[0]?.authorization).toBeUndefined();
    await expect(pull('app:1')).rejects.toMatchObject({
      kind: 'unauthorized',
      hint: expect.stringContaining('docker login'),
    });
    await expect(pull('app:1', { auth: { username: 'anna', password: 'x' } })).rejects.toMatchObject({
      kind: 'unauthorized',
    });
  });

  test('where a registry sends us to, nobody learns who we are', async () => {
    const layer = await large();
    registry.put('app', '1', [layer]);
    const elsewhere = await ScriptedRegistry.start();
    try {
      elsewhere.putBlob(layer.bytes);
      const basic = `Basic ${Buffer.from('anna:secret').toString('base64')}`;
      registry.script = (request, response) => {
        if (request.headers.authorization !== basic)
          return (fail(response, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="r"' }), true);
        if (!request.url?.includes(sha256(layer.bytes))) return false;
        response.writeHead(307, { location: `http://${elsewhere.host}${request.url}` }).end();
        return true;
      };
      await pull('app:1', { auth: anna });
      expect(elsewhere.asked).toHaveLength(1);
      expect(elsewhere.headers[0]?.authorization).toBeUndefined();
    } finally {
      await elsewhere.close();
    }
  });

  test('a redirect in circles ends', async () => {
    registry.put('app', '1', [await program()]);
    registry.script = (request, response) => (response.writeHead(302, { location: request.url ?? '/' }).end(), true);
    await expect(pull('app:1')).rejects.toThrow('redirects in circles');
  });
});

describe('what is not there', () => {
  test('a tag, a registry', async () => {
    registry.put('app', '1', [await program()]);
    await expect(pull('app:2')).rejects.toMatchObject({
      kind: 'notFound',
      message: `manifest for ${registry.host}/app:2 not found: manifest unknown: manifest unknown`,
    });
    const { host } = registry;
    await registry.close();
    const pulling = store.images.pull(`${host}/app:1`, {})[Symbol.asyncIterator]();
    await expect(pulling.next()).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringContaining(host) });
    registry = await ScriptedRegistry.start();
  });
});

describe('an index', () => {
  const linux = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };

  test('gives the WebAssembly image, whatever its order, and leaves attestations out', async () => {
    const native = registry.put('app', 'native', [await program()], { config: { os: 'linux', architecture: 'amd64' } });
    const wasm = registry.put('app', 'wasm', [await program()]);
    const proof = registry.put('app', 'proof', [
      { bytes: Buffer.from('{}'), mediaType: 'application/vnd.in-toto+json' },
    ]);
    const index = registry.putIndex('app', '1', [
      {
        ...proof,
        platform: { os: 'unknown', architecture: 'unknown' },
        annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
      },
      { ...native, platform: linux },
      { ...wasm, platform: { os: 'wasip1', architecture: 'wasm' } },
    ]);
    const events = await pull('app:1');
    expect(events).toContainEqual({ type: 'digest', digest: index.digest });
    expect(store.images.get(`${registry.host}/app:1`)).toMatchObject({
      os: 'wasi',
      repoDigests: [`${registry.host}/app@${index.digest}`],
    });
    expect((await store.reopen()).get(`${registry.host}/app@${index.digest}`).os).toBe('wasi');
    await expect(pull('app:proof')).rejects.toThrow('is an attestation about an image');
  });

  test.each([
    [undefined, 'wasi'],
    ['wasip2/wasm', 'wasip2'],
    ['wasip1/wasm', 'wasip1'],
    ['wasm', 'wasi'],
    ['wasi/wasm32', 'wasi'],
  ])('--platform %s is %s', async (platform, os) => {
    const entries = [];
    for (const each of ['wasip2', 'wasip1', 'wasi']) {
      const descriptor = registry.put('app', each, [await program()], { config: { os: each } });
      entries.push({ ...descriptor, platform: { os: each, architecture: 'wasm' } });
    }
    registry.putIndex('app', '1', entries);
    await pull('app:1', { platform });
    expect(store.images.get(`${registry.host}/app:1`).os).toBe(os);
  });

  test('without one: an error that lists its platforms', async () => {
    const amd = registry.put('app', 'a', [await program()], {
      config: { os: 'linux', architecture: 'amd64', config: { Cmd: ['sh'] } },
    });
    const arm = registry.put('app', 'b', [await program()], {
      config: { os: 'linux', architecture: 'arm64', config: { Cmd: ['sh'] } },
    });
    registry.putIndex('app', '1', [
      { ...amd, platform: { os: 'linux', architecture: 'amd64' } },
      { ...arm, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
    ]);
    await expect(pull('app:1')).rejects.toMatchObject({
      kind: 'notFound',
      message: `${registry.host}/app:1 has no image for WebAssembly; its platforms are: linux/amd64, linux/arm64/v8`,
    });
    await expect(pull('app:1', { platform: 'linux/s390x' })).rejects.toThrow(
      'its platforms are: linux/amd64, linux/arm64/v8',
    );
    await expect(pull('app:1', { platform: 'a b' })).rejects.toMatchObject({ kind: 'invalid' });
    // Who asks for one gets it.
    await pull('app:1', { platform: 'linux/amd64' });
    expect(store.images.get(`${registry.host}/app:1`).architecture).toBe('amd64');
  });

  test("with this machine's image whose program may be a module, that one", async () => {
    const native = registry.put('app', 'a', [await program('app.wasm')], {
      config: { ...linux, config: { Entrypoint: ['/app.wasm'] } },
    });
    registry.putIndex('app', '1', [{ ...native, platform: linux }]);
    await pull('app:1');
    expect(await store.images.module(`${registry.host}/app:1`)).toMatchObject({ path: '/app.wasm' });
  });

  test('a single image of another platform than the one asked for', async () => {
    registry.put('app', '1', [await program()]);
    await expect(pull('app:1', { platform: 'linux/amd64' })).rejects.toThrow('its platforms are: wasi/wasm');
  });
});

describe('mirrors of docker.io', () => {
  const fromHub = async (): Promise<PullEvent[]> => {
    const events: PullEvent[] = [];
    for await (const event of store.images.pull('t:1', { auth: anna })) events.push(event);
    return events;
  };

  test('are asked first, without the log-in for docker.io', async () => {
    registry.put('library/t', '1', [await program()]);
    settings = { ...noRegistrySettings, mirrors: ['http://127.0.0.1:1', `http://${registry.host}`] };
    expect(done(await fromHub()).reference).toBe('t:1');
    expect(registry.headers.every((headers) => headers.authorization === undefined)).toBe(true);
    expect(store.images.get('t:1').repoTags).toEqual(['t:1']);
  });

  test('that is no URL is said to be none', async () => {
    settings = { ...noRegistrySettings, mirrors: ['ftp://x'] };
    await expect(fromHub()).rejects.toThrow('the registry mirror "ftp://x" is not a URL');
  });
});
