/** A registry in this process whose every answer a test can change, for what a real one does not do on demand. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { manifestTypes } from '../images/formats/media-types.ts';
import type { Descriptor, ImageConfigFile, PlatformRecord } from '../images/oci.ts';
import type { Sleep } from './retry.ts';

export const sha256 = (bytes: Uint8Array | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Takes a request over; false = the registry's ordinary answer. */
export type Script = (request: IncomingMessage, response: ServerResponse) => boolean | undefined | void;

interface Manifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

export interface Layer {
  /** As the registry holds it. */
  readonly bytes: Buffer;
  readonly mediaType?: string;
  /** Of the inflated bytes; absent = of `bytes`. */
  readonly diffId?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly urls?: readonly string[];
}

export interface PutOptions {
  readonly config?: Partial<ImageConfigFile> & Record<string, unknown>;
  readonly configType?: string;
  /** In place of a config object. */
  readonly configBytes?: Buffer;
  readonly mediaType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Speaks enough of the distribution spec to be pulled from and pushed to. */
export class ScriptedRegistry {
  readonly blobs = new Map<string, Buffer>();
  readonly manifests = new Map<string, Manifest>();
  /** "GET /v2/t/manifests/1", in order. */
  readonly asked: string[] = [];
  /** The headers of each, in the same order. */
  readonly headers: IncomingMessage['headers'][] = [];
  script: Script = () => false;
  readonly #server: Server;
  readonly #uploads = new Map<string, Buffer[]>();
  #count = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      const path = (request.url ?? '').split('?')[0] ?? '';
      // The client's look whether there is https.
      if (path !== '/v2/') this.asked.push(`${request.method} ${path}`);
      if (path !== '/v2/') this.headers.push(request.headers);
      if (this.script(request, response)) return;
      void this.#answer(request, response, path);
    });
  }

  static async start(): Promise<ScriptedRegistry> {
    const registry = new ScriptedRegistry();
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }

  putBlob(bytes: Buffer): { readonly digest: string; readonly size: number } {
    const digest = sha256(bytes);
    this.blobs.set(digest, bytes);
    return { digest, size: bytes.length };
  }

  /** Answers the manifest's descriptor. */
  put(name: string, tag: string, layers: readonly Layer[], options: PutOptions = {}): Descriptor {
    const config = {
      architecture: 'wasm',
      os: 'wasi',
      config: { Entrypoint: ['/m.wasm'] },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId, bytes }) => diffId ?? sha256(bytes)) },
      ...options.config,
    };
    const mediaType = options.mediaType ?? manifestTypes.oci;
    const manifest = {
      schemaVersion: 2,
      mediaType,
      config: {
        mediaType: options.configType ?? 'application/vnd.oci.image.config.v1+json',
        ...this.putBlob(options.configBytes ?? Buffer.from(JSON.stringify(config))),
      },
      layers: layers.map(({ bytes, mediaType: type, annotations, urls }) => ({
        mediaType: type ?? 'application/vnd.oci.image.layer.v1.tar',
        ...this.putBlob(bytes),
        ...(annotations && { annotations }),
        ...(urls && { urls }),
      })),
      ...(options.annotations && { annotations: options.annotations }),
    };
    return this.putManifest(name, tag, Buffer.from(JSON.stringify(manifest)), mediaType);
  }

  putIndex(
    name: string,
    tag: string,
    entries: readonly (Descriptor & { readonly platform?: PlatformRecord })[],
  ): Descriptor {
    const index = { schemaVersion: 2, mediaType: manifestTypes.ociIndex, manifests: entries };
    return this.putManifest(name, tag, Buffer.from(JSON.stringify(index)), manifestTypes.ociIndex);
  }

  putManifest(name: string, tag: string, bytes: Buffer, mediaType: string): Descriptor {
    const digest = sha256(bytes);
    this.manifests.set(`${name}:${tag}`, { bytes, mediaType });
    this.manifests.set(`${name}:${digest}`, { bytes, mediaType });
    return { mediaType, digest, size: bytes.length };
  }

  async #answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://x');
    const [, name = '', kind = '', reference = ''] =
      /^\/v2\/(.+)\/(manifests|blobs\/uploads|blobs|tags|referrers)\/?([^/]*)$/.exec(path) ?? [];
    const { method } = request;
    if (kind === 'blobs/uploads') return this.#upload(request, response, name, reference, url);
    if (kind === 'manifests' && method === 'PUT') {
      const pieces: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) pieces.push(chunk);
      const { digest } = this.putManifest(
        name,
        reference,
        Buffer.concat(pieces),
        request.headers['content-type'] ?? '',
      );
      return void response.writeHead(201, { 'docker-content-digest': digest }).end();
    }
    request.resume();
    if (path === '/v2/') return void response.end('{}');
    if (kind === 'tags') {
      const tags = [...this.manifests.keys()]
        .filter((key) => key.startsWith(`${name}:`) && !key.includes(':sha256:'))
        .map((key) => key.slice(name.length + 1));
      return void response.end(JSON.stringify({ name, tags }));
    }
    const found = kind === 'manifests' ? this.manifests.get(`${name}:${reference}`) : undefined;
    const bytes = found?.bytes ?? (kind === 'blobs' ? this.blobs.get(reference) : undefined);
    if (!bytes) return fail(response, 404, kind === 'manifests' ? 'MANIFEST_UNKNOWN' : 'BLOB_UNKNOWN');
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
    const from = Number(range ?? 0);
    response.writeHead(range === undefined ? 200 : 206, {
      'content-type': found?.mediaType ?? 'application/octet-stream',
      'content-length': bytes.length - from,
      ...(range !== undefined && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
      'docker-content-digest': sha256(bytes),
    });
    response.end(method === 'HEAD' ? undefined : bytes.subarray(from));
  }

  async #upload(request: IncomingMessage, response: ServerResponse, name: string, id: string, url: URL): Promise<void> {
    const session = id || String(++this.#count);
    const pieces = this.#uploads.get(session) ?? [];
    this.#uploads.set(session, pieces);
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) pieces.push(chunk);
    } catch {
      return;
    }
    const location = `/v2/${name}/blobs/uploads/${session}`;
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const digest = url.searchParams.get('digest');
    if (request.method === 'PUT' && digest !== null) {
      const bytes = Buffer.concat(pieces);
      if (sha256(bytes) !== digest) return fail(response, 400, 'DIGEST_INVALID');
      this.blobs.set(digest, bytes);
      return void response.writeHead(201, { location: `/v2/${name}/blobs/${digest}` }).end();
    }
    const mounted = url.searchParams.get('mount');
    if (mounted !== null && this.blobs.has(mounted))
      return void response.writeHead(201, { location: `/v2/${name}/blobs/${mounted}` }).end();
    response.writeHead(request.method === 'GET' ? 204 : 202, { location, range: `0-${Math.max(0, size - 1)}` }).end();
  }
}

/** A refusal in the distribution spec's shape. */
export function fail(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] }));
}

/** A layer with gzip. */
export const gzipped = (tar: Buffer): Layer => ({
  bytes: gzipSync(tar),
  mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
  diffId: sha256(tar),
});

/** No time passes; what would have been waited for is kept. */
export function countedSleep(): { readonly sleep: Sleep; readonly waits: number[] } {
  const waits: number[] = [];
  return {
    waits,
    sleep: (milliseconds, signal) => {
      waits.push(milliseconds);
      signal?.throwIfAborted();
      return Promise.resolve();
    },
  };
}
