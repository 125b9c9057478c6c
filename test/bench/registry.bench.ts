/**
 * Pull and push of one layer of 500 MB, plain and gzip, against `skopeo copy` to and from an OCI layout: the same registry (Debian's, on loopback), the same disk, in turn.
 * skopeo is told to leave plain layers plain when it pulls; when it pushes it compresses them, as we do.
 */
import { createHash } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { openImages, type Images } from '../../electron/engine/images/images.ts';
import { packTar } from '../../electron/engine/images/pack-tar.ts';
import { buildOptions } from '../../electron/engine/images/testing.ts';
import { openRegistries } from '../../electron/engine/registry/registry.ts';
import { skopeo, startRegistry, type TestRegistry } from '../support/registry.ts';
import { median, type Row } from './table.ts';

const layerSize = 500_000_000;
const rounds = 3;

/** Bytes as modules have them: half of them hard to compress, half repeating. */
async function* bytes(size: number): AsyncGenerator<Uint8Array> {
  const block = Buffer.alloc(1 << 16);
  let x = 1;
  for (let left = size; left > 0; left -= block.length) {
    for (let at = 0; at < block.length / 2; at += 4)
      block.writeInt32LE((x = (Math.imul(x, 1_664_525) + 1_013_904_223) | 0), at);
    yield Buffer.from(block.subarray(0, Math.min(left, block.length)));
  }
}

const digestOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
};

/** An OCI layout with one image of one layer, about `layerSize` as it is stored. */
async function makeLayout(directory: string, kind: 'plain' | 'gzip'): Promise<{ readonly size: number }> {
  const blobs = join(directory, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const size = kind === 'plain' ? layerSize : layerSize * 2;
  const entry = {
    name: 'data.bin',
    type: 'file' as const,
    mode: 0o644,
    mtime: new Date(0),
    size,
    read: () => bytes(size),
  };
  const tar = join(directory, 'tar');
  await pipeline(Readable.from(packTar([entry]), { objectMode: false }), createWriteStream(tar));
  const diffId = await digestOf(tar);
  if (kind === 'gzip') {
    await pipeline(createReadStream(tar), createGzip({ level: 1, chunkSize: 1 << 18 }), createWriteStream(`${tar}.gz`));
    renameSync(`${tar}.gz`, tar);
  }
  const place = (text: string, mediaType: string) => {
    const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
    writeFileSync(join(blobs, digest.slice(7)), text);
    return { mediaType, digest, size: text.length };
  };
  const digest = await digestOf(tar);
  const { size: stored } = statSync(tar);
  renameSync(tar, join(blobs, digest.slice(7)));
  const config = place(
    JSON.stringify({ architecture: 'wasm', os: 'wasi', config: {}, rootfs: { type: 'layers', diff_ids: [diffId] } }),
    'application/vnd.oci.image.config.v1+json',
  );
  const layer = {
    mediaType: `application/vnd.oci.image.layer.v1.tar${kind === 'gzip' ? '+gzip' : ''}`,
    digest,
    size: stored,
  };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = place(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layer] }), mediaType);
  const annotations = { 'org.opencontainers.image.ref.name': '1' };
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(directory, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
  );
  return { size: stored };
}

const platform = ['--override-os', 'wasi', '--override-arch', 'wasm'];

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** A store of its own, emptied by being thrown away. */
async function openStore(base: string): Promise<{ readonly images: Images; close(): Promise<void> }> {
  const home = mkdtempSync(join(base, 'home-'));
  const registries = openRegistries({ version: 'bench', credentials: join(home, 'logins.json') });
  const images = await openImages({ home, emit: () => undefined, usedBy: () => [], registries });
  return {
    images,
    async close() {
      await images.close();
      registries.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of events);
}

const delays: number[] = [];

/** p99 of the event loop's delay while the work goes on, in ms, into `delays`. */
async function watched(work: () => Promise<unknown>): Promise<void> {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  await work();
  histogram.disable();
  delays.push(histogram.percentile(99) / 1e6);
}

async function compare(base: string, registry: TestRegistry, kind: 'plain' | 'gzip'): Promise<Row[]> {
  const layout = join(base, kind);
  const { size } = await makeLayout(layout, kind);
  const megabytes = size / 1e6;
  const name = `${registry.host}/${kind}:1`;
  const hub = ['copy', '--dest-tls-verify=false', '--src-tls-verify=false'];
  await skopeo(...platform, ...hub, '--preserve-digests', `oci:${layout}:1`, `docker://${name}`);

  const pulls: number[] = [];
  const theirPulls: number[] = [];
  const pushes: number[] = [];
  const theirPushes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const copy = join(base, `copy-${kind}-${round}`);
    const accept = '--dest-oci-accept-uncompressed-layers';
    theirPulls.push(await seconds(() => skopeo(...platform, ...hub, accept, `docker://${name}`, `oci:${copy}:1`)));
    rmSync(copy, { recursive: true });
    const store = await openStore(base);
    pulls.push(await seconds(() => watched(() => drain(store.images.pull(name, {})))));
    await store.close();
  }
  for (let round = 0; round < rounds; round++) {
    // Another registry each time: a blob that is there is not sent.
    const [ours, theirs] = await Promise.all([startRegistry(), startRegistry()]);
    const store = await openStore(base);
    const sent = `${ours.host}/${kind}:1`;
    // What was built here has a plain layer, which is compressed on its way; what was pulled goes as it came.
    if (kind === 'plain') await drain(store.images.build({ ...buildOptions, tags: [sent] }, context(layerSize)));
    else {
      await drain(store.images.pull(name, {}));
      await store.images.tag(name, sent);
    }
    theirPushes.push(
      await seconds(() => skopeo(...platform, ...hub, `oci:${layout}:1`, `docker://${theirs.host}/${kind}:1`)),
    );
    pushes.push(await seconds(() => watched(() => drain(store.images.push(sent, {})))));
    await store.close();
    await Promise.all([ours.stop(), theirs.stop()]);
  }
  const rate = (times: readonly number[]): number => megabytes / median(times);
  const row = (what: string, times: readonly number[]): Row => ({
    what: `${kind}: ${what}`,
    p50: rate(times),
    n: rounds,
    unit: 'MB/s',
  });
  return [
    row('pull', pulls),
    row('skopeo copy to a layout', theirPulls),
    { what: `${kind}: pull against skopeo`, p50: rate(pulls) / rate(theirPulls), n: rounds, unit: 'x', goal: '≥1.5' },
    row('push', pushes),
    row('skopeo copy from a layout', theirPushes),
    { what: `${kind}: push against skopeo`, p50: rate(pushes) / rate(theirPushes), n: rounds, unit: 'x', goal: '≥1' },
  ];
}

/** A build context with one large file. */
function context(size: number): AsyncIterable<Uint8Array> {
  const dockerfile = Buffer.from('FROM scratch\nCOPY data.bin /data.bin\n');
  const common = { type: 'file' as const, mode: 0o644, mtime: new Date(0) };
  return packTar([
    { ...common, name: 'Dockerfile', size: dockerfile.length, read: () => Readable.from([dockerfile]) },
    { ...common, name: 'data.bin', size, read: () => bytes(size) },
  ]);
}

export default async function bench(): Promise<Row[]> {
  const base = mkdtempSync(join(tmpdir(), 'drydock-registry-bench-'));
  const registry = await startRegistry();
  try {
    const rows = [...(await compare(base, registry, 'plain')), ...(await compare(base, registry, 'gzip'))];
    return [
      ...rows,
      {
        what: "engine's event loop, delay",
        p50: median(delays),
        p99: Math.max(...delays),
        n: delays.length,
        unit: 'ms',
        goalP99: '≤50',
      },
    ];
  } finally {
    await registry.stop();
    rmSync(base, { recursive: true, force: true });
  }
}
