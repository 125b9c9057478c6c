import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { cancelled, damaged, notFound, unavailable } from '../../base/errors.ts';
import type { Incoming, Transport } from '../registry/transport.ts';
import type { Recipe } from './recipe.ts';

export interface FetchOptions {
  readonly transport: Transport;
  /** Base URL of the npm registry. */
  readonly registry: string;
  readonly received: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Redirects that are followed: registries hand tarballs to their storage. */
const REDIRECTS = 5;
const ATTEMPTS = 3;

/** Where npm keeps a tarball: `@scope/name` → …/@scope/name/-/name-1.0.0.tgz */
export function tarballUrl(
  registry: string,
  { package: name, version }: { readonly package: string; readonly version: string },
): URL {
  const base = registry.endsWith('/') ? registry : `${registry}/`;
  return new URL(`${name}/-/${name.replace(/^@[^/]+\//, '')}-${version}.tgz`, base);
}

/**
 * Gets the package into `path`, verified while it comes; nothing is left there when it throws.
 * @throws unavailable, notFound, damaged when it is not the package that the recipe pins, cancelled
 */
export async function fetchPackage(
  npm: NonNullable<Recipe['npm']>,
  path: string,
  options: FetchOptions,
): Promise<void> {
  const url = tarballUrl(options.registry, npm);
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetchOnce(npm, url, path, options);
    } catch (error) {
      await rm(path, { force: true });
      if (options.signal?.aborted) throw cancelled('the build was cancelled');
      const { kind } = error as { kind?: string };
      // A connection that broke is worth another try; an answer is an answer.
      if (attempt >= ATTEMPTS || (kind !== undefined && kind !== 'unavailable')) throw withHint(error, url);
    }
  }
}

async function fetchOnce(
  { package: name, version, integrity }: NonNullable<Recipe['npm']>,
  url: URL,
  path: string,
  { transport, received, signal }: FetchOptions,
): Promise<void> {
  const answer = await follow(transport, url, signal);
  if (answer.status !== 200) {
    answer.body.destroy();
    const said = `${name}@${version}: ${url.host} answered ${answer.status}`;
    throw answer.status === 404 ? notFound(said) : unavailable(said);
  }
  const hash = createHash('sha512');
  let size = 0;
  await pipeline(
    answer.body,
    async function* (source: AsyncIterable<Uint8Array>) {
      for await (const chunk of source) {
        hash.update(chunk);
        received((size += chunk.length));
        yield chunk;
      }
    },
    createWriteStream(path, { flags: 'w' }),
    ...(signal ? [{ signal }] : []),
  );
  const digest = `sha512-${hash.digest('base64')}`;
  if (digest !== integrity)
    throw damaged(`${name}@${version} from ${url.host} is not the package that the recipe pins`, {
      hint: 'Nothing of it was used. A proxy or mirror in between may have changed it.',
      data: { expected: integrity, received: digest },
    });
}

async function follow(transport: Transport, from: URL, signal: AbortSignal | undefined): Promise<Incoming> {
  let url = from;
  for (let step = 0; step <= REDIRECTS; step++) {
    const answer = await transport.send({
      method: 'GET',
      url,
      headers: { Accept: '*/*', 'User-Agent': 'drydock' },
      insecure: false,
      signal,
    });
    const { location } = answer.headers;
    if (answer.status < 300 || answer.status > 399 || location === undefined) return answer;
    answer.body.destroy();
    url = new URL(location, url);
  }
  throw unavailable(`${from.host} redirects in circles`);
}

function withHint(error: unknown, url: URL): unknown {
  const { kind, hint, message } = error as { kind?: string; hint?: string; message?: string };
  if (kind !== undefined && kind !== 'unavailable') return error;
  return unavailable(`cannot fetch ${url.pathname.slice(1)} from ${url.host}: ${message ?? String(error)}`, {
    hint: hint ?? 'Is there a network? Another npm registry or a proxy can be set in the settings.',
    cause: error,
  });
}
