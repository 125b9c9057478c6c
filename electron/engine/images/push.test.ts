import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRegistries, type Registries } from '../registry/registry.ts';
import { countedSleep, fail, gzipped, ScriptedRegistry, sha256 } from '../registry/testing.ts';
import type { PushEvent } from '../api/images.ts';
import type { Manifest } from './oci.ts';
import { openTestImages, smallestModule, tarOf, type TestImages } from './testing.ts';

let registry: ScriptedRegistry;
let registries: Registries;
let store: TestImages;

beforeEach(async () => {
  registry = await ScriptedRegistry.start();
  registries = openRegistries({
    version: 'test',
    credentials: '/nonexistent/logins.json',
    docker: { get: () => Promise.resolve(undefined), list: () => Promise.resolve([]) },
    sleep: countedSleep().sleep,
  });
  store = await openTestImages({ registries });
});
afterEach(async () => {
  registries.close();
  await store.close();
  await registry.close();
});

async function push(name: string): Promise<PushEvent[]> {
  const events: PushEvent[] = [];
  for await (const event of store.images.push(`${registry.host}/${name}`, {})) events.push(event);
  return events;
}

async function pull(name: string): Promise<string> {
  let id = '';
  for await (const event of store.images.pull(`${registry.host}/${name}`, {}))
    if (event.type === 'done') id = event.image;
  return id;
}

const digestOf = (events: readonly PushEvent[]): string => {
  const last = events.at(-1);
  if (last?.type !== 'done') throw new Error('the push did not end');
  return last.digest;
};

const states = (events: readonly PushEvent[]): string[] =>
  events.flatMap((event) =>
    event.type === 'layer' && !['preparing', 'pushing'].includes(event.state) ? [event.state] : [],
  );

const build = (name: string, more: Readonly<Record<string, string | Uint8Array>> = {}) =>
  store.build(
    {
      Dockerfile: `FROM scratch\nCOPY . /\nENTRYPOINT ["/m.wasm"]`,
      'm.wasm': smallestModule,
      ...more,
    },
    { tags: [`${registry.host}/${name}`] },
  );

const manifestOf = (name: string, reference: string): Manifest =>
  JSON.parse(registry.manifests.get(`${name}:${reference}`)?.bytes.toString('utf8') ?? '{}') as Manifest;

describe('an image that was built here', () => {
  test('goes with its layers compressed, and comes back as the same image', async () => {
    const { id } = await build('app:1', { text: 'drydock '.repeat(500_000) });
    const events = await push('app:1');
    expect(events[0]).toEqual({ type: 'begin', repository: `${registry.host}/app` });
    expect(states(events)).toEqual(['pushed']);
    const { layers, config } = manifestOf('app', '1');
    expect(config.digest).toBe(id);
    expect(layers.map((layer) => layer.mediaType)).toEqual(['application/vnd.oci.image.layer.v1.tar+gzip']);
    const bytes = registry.blobs.get(layers[0]?.digest ?? '') as Buffer;
    expect(bytes).toHaveLength(layers[0]?.size ?? -1);
    expect(bytes.length).toBeLessThan(400_000);
    expect(sha256(gunzipSync(bytes))).toBe(store.images.get(id).layers[0]);
    expect(store.images.get(id).repoDigests).toEqual([`${registry.host}/app@${digestOf(events)}`]);
    expect(store.events).toContain(`image push ${registry.host}/app`);

    const other = await openTestImages({ registries });
    try {
      for await (const _ of other.images.pull(`${registry.host}/app:1`, {}));
      expect(other.images.get(`${registry.host}/app@${digestOf(events)}`).id).toBe(id);
      expect(await other.images.module(id)).toMatchObject({ path: '/m.wasm' });
    } finally {
      await other.close();
    }
  });

  test('is sent once: the second push finds everything there, the digest is the same', async () => {
    await build('app:1');
    const first = await push('app:1');
    registry.asked.length = 0;
    const second = await push('app:1');
    expect(states(second)).toEqual(['exists']);
    expect(digestOf(second)).toBe(digestOf(first));
    expect(registry.asked.filter((line) => /^(POST|PATCH)/.test(line))).toEqual([]);
    // Also after a restart.
    await store.reopen();
    expect(states(await push('app:1'))).toEqual(['exists']);
  });

  test('is taken over from another repository of the same registry', async () => {
    const { id } = await build('app:1');
    await push('app:1');
    await store.images.tag(id, `${registry.host}/other:1`);
    registry.script = (request, response) => {
      // A registry has its blobs by repository.
      if (request.method !== 'HEAD' || !request.url?.startsWith('/v2/other/blobs/')) return false;
      return (fail(response, 404, 'BLOB_UNKNOWN'), true);
    };
    expect(await push('other:1')).toContainEqual(expect.objectContaining({ state: 'mounted', from: 'app' }));
  });

  test('without a tag: all of the repository', async () => {
    const { id } = await build('app:1');
    await store.images.tag(id, `${registry.host}/app:2`);
    const events = await push('app');
    expect(events.filter((event) => event.type === 'done').map(({ tag }) => tag)).toEqual(['1', '2']);
    await expect(push('app:3')).rejects.toMatchObject({
      kind: 'notFound',
      message: `tag does not exist: ${registry.host}/app:3`,
    });
    await expect(push('nothing')).rejects.toThrow('An image does not exist locally with the tag');
    await expect(push(`app@${id}`)).rejects.toThrow('cannot push a digest reference');
  });
});

describe('an image that was pulled', () => {
  test('goes as it came, byte for byte', async () => {
    const layer = gzipped(await tarOf([{ name: 'm.wasm', content: smallestModule }]));
    const { digest } = registry.put('app', '1', [layer], {
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      configType: 'application/vnd.docker.container.image.v1+json',
    });
    const id = await pull('app:1');
    await store.images.tag(id, `${registry.host}/copy:1`);
    expect(digestOf(await push('copy:1'))).toBe(digest);
    expect(registry.manifests.get('copy:1')).toEqual(registry.manifests.get('app:1'));
  });
});

describe('a format kept with the tag', () => {
  test('artifact: the module alone, in the shape of the CNCF', async () => {
    await build('app:1', { text: 'more' });
    await store.images.setPushFormat(`${registry.host}/app:1`, 'artifact');
    expect((await store.reopen()).pushFormat(`${registry.host}/app:1`)).toBe('artifact');
    const digest = digestOf(await push('app:1'));
    const manifest = manifestOf('app', '1');
    expect(manifest).toMatchObject({
      config: { mediaType: 'application/vnd.wasm.config.v0+json' },
      layers: [{ mediaType: 'application/wasm', digest: sha256(smallestModule), size: smallestModule.length }],
    });
    expect(JSON.parse(String(registry.blobs.get(manifest.config.digest)))).toMatchObject({
      architecture: 'wasm',
      os: 'wasip1',
      layerDigests: [sha256(smallestModule)],
    });
    const id = await pull('app:1');
    expect(id).toBe(digest);
    expect(store.images.get(id)).toMatchObject({ architecture: 'wasm', os: 'wasip1', size: smallestModule.length });
    expect(await store.images.module(id)).toMatchObject({ path: '/m.wasm', digest: sha256(smallestModule) });
  });

  test('an artifact goes as it is, and as an image when that is wanted', async () => {
    registry.put('tool', '1', [{ bytes: smallestModule, mediaType: 'application/wasm' }], {
      configType: 'application/vnd.wasm.config.v0+json',
      configBytes: Buffer.from(
        JSON.stringify({ architecture: 'wasm', os: 'wasip1', layerDigests: [sha256(smallestModule)] }),
      ),
    });
    const id = await pull('tool:1');
    const copy = `${registry.host}/copy:1`;
    await store.images.tag(id, copy);
    expect(digestOf(await push('copy:1'))).toBe(id);
    await store.images.setPushFormat(copy, 'image');
    await push('copy:1');
    expect(manifestOf('copy', '1').config.mediaType).toBe('application/vnd.oci.image.config.v1+json');
    const image = await pull('copy:1');
    expect(store.images.get(image).config.entrypoint).toEqual(['/tool.wasm']);
    expect(await store.images.module(image)).toMatchObject({ path: '/tool.wasm', digest: sha256(smallestModule) });
    await store.images.setPushFormat(copy, undefined);
    expect(store.images.pushFormat(copy)).toBeUndefined();
    await expect(store.images.setPushFormat('nope', 'image')).rejects.toMatchObject({ kind: 'notFound' });
  });
});

describe('on a bad line', () => {
  const random = (): Buffer => {
    const bytes = Buffer.alloc(40 << 20);
    for (let at = 0, x = 1; at < bytes.length; at += 4)
      bytes.writeUInt32LE((x = (x * 1_103_515_245 + 12_345) >>> 0), at);
    return bytes;
  };

  test('a blob whose digest is known goes on where the registry stands', async () => {
    const layer = {
      bytes: await tarOf([
        { name: 'm.wasm', content: smallestModule },
        { name: 'r', content: random() },
      ]),
    };
    registry.put('app', '1', [layer]);
    const id = await pull('app:1');
    registry.blobs.clear();
    await store.images.tag(id, `${registry.host}/copy:1`);
    let puts = 0;
    let patches = 0;
    registry.script = (request) => {
      const isLayer = Number(request.headers['content-length']) > 1_000_000;
      if (request.method === 'PUT' && isLayer && ++puts === 1)
        return (request.once('data', () => request.destroy()), true);
      if (request.method === 'PATCH' && ++patches === 2) return (request.once('data', () => request.destroy()), true);
      return false;
    };
    await push('copy:1');
    expect(registry.blobs.get(sha256(layer.bytes))?.equals(layer.bytes)).toBe(true);
    expect(registry.asked.some((line) => line.startsWith('GET /v2/copy/blobs/uploads/'))).toBe(true);
  });

  test('one that is compressed on the way begins again', async () => {
    const { id } = await build('app:1', { r: random() });
    let patches = 0;
    registry.script = (request) => {
      if (request.method !== 'PATCH' || ++patches > 1) return false;
      return (request.once('data', () => request.destroy()), true);
    };
    expect(states(await push('app:1'))).toEqual(['retrying', 'pushed']);
    const [layer] = manifestOf('app', '1').layers;
    expect(sha256(gunzipSync(registry.blobs.get(layer?.digest ?? '') as Buffer))).toBe(store.images.get(id).layers[0]);
  });

  test('a refusal in the middle of an upload is told as what it is', async () => {
    await build('app:1', { r: random() });
    registry.script = (request, response) => {
      if (request.method !== 'PATCH') return false;
      request.once('data', () => fail(response, 403, 'DENIED'));
      return true;
    };
    await expect(push('app:1')).rejects.toMatchObject({ kind: 'denied', message: 'denied: denied' });
  });
});
