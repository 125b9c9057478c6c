import { describe, expect, test } from 'vitest';
import { sha256 } from '../../registry/testing.ts';
import { smallestModule, tarOf } from '../testing.ts';
import type { Descriptor, Manifest } from '../oci.ts';
import { layerKindOf } from './layer-kind.ts';
import { recognise, type Recognised } from './recognise.ts';

const tarType = 'application/vnd.oci.image.layer.v1.tar+gzip';
const configType = 'application/vnd.oci.image.config.v1+json';
const spinType = 'application/vnd.fermyon.spin.application.v1+config';

const layer = (mediaType: string, more: Partial<Descriptor> = {}): Descriptor => ({
  mediaType,
  digest: sha256(mediaType + JSON.stringify(more)),
  size: 10,
  ...more,
});

async function look(
  config: { readonly type: string; readonly json?: unknown; readonly text?: string },
  layers: readonly Descriptor[],
  more: { annotations?: Record<string, string>; head?: Uint8Array; moduleName?: string } = {},
): Promise<Recognised> {
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: layer(config.type),
    layers,
    ...(more.annotations && { annotations: more.annotations }),
  };
  return recognise(manifest, config.text ?? JSON.stringify(config.json ?? {}), {
    peek: () => Promise.resolve(more.head ?? new Uint8Array()),
    moduleName: more.moduleName,
    what: 'registry.test/t:1',
  });
}

const imageConfig = (
  layers: readonly Descriptor[],
  runtime: object = { Entrypoint: ['/app.wasm'] },
  os = 'wasi',
  architecture = 'wasm',
) => ({
  type: configType,
  json: { architecture, os, config: runtime, rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) } },
});

const files = ({ manifest }: Recognised): string[] =>
  manifest.layers.flatMap((each) => {
    const kind = layerKindOf(each);
    return kind.kind === 'file' ? [kind.path] : [];
  });

describe('images', () => {
  test('Docker-style', async () => {
    const layers = [layer(tarType)];
    const found = await look(imageConfig(layers), layers);
    expect(found).toMatchObject({
      format: 'image',
      idBy: 'config',
      config: { os: 'wasi', config: { Entrypoint: ['/app.wasm'] } },
    });
    expect(files(found)).toEqual([]);
  });

  test('plain linux with an entrypoint that may be a module', async () => {
    const layers = [layer(tarType)];
    const found = await look(imageConfig(layers, { Cmd: ['/app.wasm'] }, 'linux', 'amd64'), layers);
    expect(found).toMatchObject({ format: 'image', config: { os: 'linux' } });
  });

  test("crun's and Istio's annotation; without an entrypoint it is plugin.wasm", async () => {
    const layers = [layer(tarType)];
    const annotations = { 'module.wasm.image/variant': 'compat' };
    expect(await look(imageConfig(layers, {}), layers, { annotations })).toMatchObject({
      format: 'compat',
      config: { config: { Entrypoint: ['/plugin.wasm'] } },
    });
    expect(
      await look(imageConfig(layers), layers, { annotations: { 'module.wasm.image/variant': 'compat-smart' } }),
    ).toMatchObject({
      format: 'compat',
      config: { config: { Entrypoint: ['/app.wasm'] } },
    });
  });

  test("Istio's Docker manifests, which have no annotation: the one file says it", async () => {
    const layers = [layer('application/vnd.docker.image.rootfs.diff.tar.gzip')];
    const head = (await tarOf([{ name: './plugin.wasm', content: smallestModule }])).subarray(0, 512);
    expect(await look(imageConfig(layers, {}), layers, { head })).toMatchObject({
      format: 'compat',
      config: { config: { Entrypoint: ['/plugin.wasm'] } },
    });
    const other = (await tarOf([{ name: 'etc/', type: 'directory' }])).subarray(0, 512);
    expect(await look(imageConfig(layers, {}), layers, { head: other })).toMatchObject({
      format: 'image',
      config: { config: {} },
    });
  });

  test.each(['application/vnd.bytecodealliance.wasm.component.layer.v0+wasm', 'application/wasm'])(
    "containerd's shims: the layer %s wins over files",
    async (type) => {
      const layers = [layer(type)];
      const found = await look(imageConfig(layers, { Entrypoint: ['_start'], Cmd: ['x'] }), layers, {
        moduleName: 'hello',
      });
      expect(found).toMatchObject({
        format: 'wasm-layers',
        idBy: 'config',
        config: { config: { Entrypoint: ['/hello.wasm'], Cmd: ['x'] } },
      });
      expect(files(found)).toEqual(['/hello.wasm']);
      // The name that the config has already stays.
      const named = await look(imageConfig(layers, { Entrypoint: ['/bin/app.wasm#run', 'a'] }), layers);
      expect(named.config.config?.Entrypoint).toEqual(['/app.wasm#run', 'a']);
    },
  );

  test('built on an artifact, with an entrypoint of its own', async () => {
    const layers = [
      layer('application/wasm', { annotations: { 'org.opencontainers.image.title': 'tool.wasm' } }),
      layer(tarType),
    ];
    const found = await look(imageConfig(layers, { Entrypoint: ['/mine.wasm'] }), layers);
    expect(found.config.config?.Entrypoint).toEqual(['/mine.wasm']);
    expect(files(found)).toEqual(['/tool.wasm']);
  });

  test('Spin, as it is pushed now', async () => {
    const layers = [
      layer('application/vnd.wasm.content.layer.v1+wasm'),
      layer(spinType),
      layer('application/vnd.wasm.content.layer.v1+data'),
    ];
    const config = {
      type: configType,
      json: { architecture: 'wasm', os: 'wasip1', rootfs: { type: 'layers', diff_ids: [] } },
    };
    const found = await look(config, layers, { moduleName: 'app' });
    expect(found).toMatchObject({ format: 'spin', config: { config: { Entrypoint: ['/app.wasm'] } } });
    expect(found.config.rootfs.diff_ids).toHaveLength(3);
  });

  test('a config of an unknown type that lists layers is an image', async () => {
    const layers = [layer(tarType)];
    expect(await look({ ...imageConfig(layers), type: 'application/json' }, layers)).toMatchObject({ format: 'image' });
  });
});

describe('artifacts', () => {
  const wasm = layer('application/wasm');

  test('CNCF: os and architecture from its config', async () => {
    const json = {
      created: '2026-01-01T00:00:00Z',
      author: 'anna',
      architecture: 'wasm',
      os: 'wasip2',
      layerDigests: [wasm.digest],
    };
    const found = await look({ type: 'application/vnd.wasm.config.v0+json', json }, [wasm], { moduleName: 'hello' });
    expect(found).toMatchObject({
      format: 'artifact',
      idBy: 'manifest',
      config: {
        os: 'wasip2',
        author: 'anna',
        config: { Entrypoint: ['/hello.wasm'] },
        rootfs: { diff_ids: [wasm.digest] },
      },
    });
    await expect(
      look({ type: 'application/vnd.wasm.config.v0+json', json: { layerDigests: [sha256('x')] } }, [wasm]),
    ).rejects.toMatchObject({ kind: 'damaged', message: expect.stringContaining('lists other layers') });
  });

  test.each([
    ['wasm-to-oci', 'application/vnd.wasm.config.v1+json', 'application/vnd.wasm.content.layer.v1+wasm'],
    ['solo', 'application/vnd.module.wasm.config.v1+json', 'application/vnd.module.wasm.content.layer.v1+wasm'],
    [
      'wasmcloud',
      'application/vnd.wasmcloud.actor.archive.config',
      'application/vnd.module.wasm.content.layer.v1+wasm',
    ],
    ['spin', spinType, 'application/vnd.wasm.content.layer.v1+wasm'],
    ['other', 'application/vnd.oci.empty.v1+json', 'application/vnd.example.thing+wasm'],
  ])('%s', async (format, type, layerType) => {
    const found = await look({ type, text: '' }, [layer(layerType)]);
    expect(found).toMatchObject({
      format,
      idBy: 'manifest',
      config: { os: 'wasi', architecture: 'wasm', config: { Entrypoint: ['/module.wasm'] } },
    });
  });

  test('anything else: a layer that begins as a module does', async () => {
    const found = await look({ type: 'application/vnd.helm' }, [layer('application/octet-stream')], {
      head: smallestModule,
    });
    expect(found.format).toBe('other');
    expect(files(found)).toEqual(['/module.wasm']);
    await expect(look({ type: 'application/vnd.helm' }, [layer('application/octet-stream')])).rejects.toMatchObject({
      kind: 'invalid',
      message:
        'registry.test/t:1 holds no WebAssembly: its config is application/vnd.helm, its layers application/octet-stream',
    });
  });

  test('file names: the title as it is, none that lead anywhere, none twice', async () => {
    const title = (name: string) =>
      layer('application/wasm', { annotations: { 'org.opencontainers.image.title': name } });
    const type = 'application/vnd.wasm.config.v1+json';
    expect(files(await look({ type }, [title('a/b/x.wasm'), title('x.wasm'), title('../..'), title('y')]))).toEqual([
      '/x.wasm',
      '/x-2.wasm',
      '/module.wasm',
      '/y.wasm',
    ]);
  });
});

describe('what cannot be used is refused by name', () => {
  test.each([
    [layer('application/vnd.oci.image.layer.nondistributable.v1.tar+gzip'), 'foreign layer'],
    [layer(tarType, { urls: ['https://x'] }), 'foreign layer'],
    [layer('application/vnd.wasmcloud.provider.archive.layer.v1+par'), 'wasmCloud provider'],
    [layer('application/vnd.in-toto+json'), 'attestation'],
  ])('%j', async (each, message) => {
    await expect(look(imageConfig([each]), [each])).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining(message),
    });
  });
});
