import { createHash, type Hash } from 'node:crypto';
import { unavailable } from '../../base/errors.ts';
import type { Authorizer } from './auth.ts';
import type { Endpoint } from './endpoints.ts';
import { ask, type Asking, type Question } from './request.ts';
import { attempts, backOff, isBroken } from './retry.ts';
import type { Incoming } from './transport.ts';

/** A blob whose digest is known. */
export interface KnownBlob {
  readonly digest: string;
  readonly size: number;
  /** Its bytes from an offset on. */
  read(start: number): AsyncIterable<Uint8Array>;
}

/** Bytes whose digest is known only when they have all been read. */
export interface BlobSource {
  /** From the start; anew for each attempt. */
  read(): AsyncIterable<Uint8Array>;
}

/** Where uploads go. */
export interface UploadTarget {
  readonly asking: Asking;
  readonly endpoint: Endpoint;
  readonly authorizer: Authorizer;
  /** "/v2/NAME" */
  readonly base: string;
  readonly scopes: readonly string[];
}

export interface UploadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes of this blob that were sent so far; falls when some have to be sent again. */
  readonly onProgress?: ((sent: number) => void) | undefined;
  readonly onRetry?: ((after: number) => void) | undefined;
}

/** Bytes a chunk when an upload goes on after a cut: what is lost at the next cut. */
const chunkSize = 16 << 20;

/**
 * Sends a blob: in one piece, and when that breaks, in chunks that go on where the registry says it stands (distribution spec, "Pushing blobs").
 * @throws what `ask` throws, unavailable when it breaks too often
 */
export async function uploadKnown(target: UploadTarget, blob: KnownBlob, options: UploadOptions = {}): Promise<void> {
  const { signal, onRetry } = options;
  for (let failed = 0; ;) {
    try {
      if (failed === 0) await sendWhole(target, blob, options);
      else await sendChunks(target, blob, options);
      return;
    } catch (error) {
      if (signal?.aborted || !isBroken(error) || ++failed >= attempts) throw error;
      const after = backOff(failed);
      onRetry?.(after);
      await target.asking.sleep(after, signal);
    }
  }
}

/** Sends what is made on the way (compressed, say). A cut means to begin again: nobody keeps what was made. Answers the digest. */
export async function uploadSource(
  target: UploadTarget,
  source: BlobSource,
  options: UploadOptions = {},
): Promise<string> {
  const { signal, onRetry } = options;
  for (let failed = 0; ;) {
    try {
      const session = await begin(target, options);
      let hash = createHash('sha256');
      const answer = await put(target, session, 'PATCH', options, () => {
        hash = createHash('sha256');
        return hashed(counted(source.read(), 0, options), hash);
      });
      const digest = `sha256:${hash.digest('hex')}`;
      await finish(target, locationOf(answer, session), digest, options);
      return digest;
    } catch (error) {
      if (signal?.aborted || !isBroken(error) || ++failed >= attempts) throw error;
      const after = backOff(failed);
      onRetry?.(after);
      await target.asking.sleep(after, signal);
    }
  }
}

/** Asks the registry to take a blob from another of its repositories. False when it does not. */
export async function mount(
  target: UploadTarget,
  digest: string,
  from: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const answer = await question(target, {
    method: 'POST',
    target: `${target.base}/blobs/uploads/?${new URLSearchParams({ mount: digest, from })}`,
    headers: { 'content-length': '0' },
    scopes: [...target.scopes, `repository:${from}:pull`],
    accept: [201, 202],
    signal,
  });
  answer.body.resume();
  if (answer.status === 201) return true;
  // It has opened an upload instead; nobody will use it.
  const session = locationOf(answer, undefined);
  await question(target, {
    method: 'DELETE',
    target: session,
    scopes: target.scopes,
    accept: [202, 204, 404, 405],
    signal,
  }).then(
    (gone) => void gone.body.resume(),
    () => undefined,
  );
  return false;
}

async function sendWhole(target: UploadTarget, blob: KnownBlob, options: UploadOptions): Promise<void> {
  const session = await begin(target, options);
  session.searchParams.set('digest', blob.digest);
  await put(target, session, 'PUT', options, () => counted(blob.read(0), 0, options), {
    'content-length': String(blob.size),
  });
}

async function sendChunks(target: UploadTarget, blob: KnownBlob, options: UploadOptions): Promise<void> {
  let session = await begin(target, options);
  let at = 0;
  for (let failed = 0; at < blob.size;) {
    const end = Math.min(blob.size, at + chunkSize);
    const start = at;
    try {
      const body = () => counted(limited(blob.read(start), end - start), start, options);
      const answer = await put(target, session, 'PATCH', options, body, {
        'content-range': `${start}-${end - 1}`,
        'content-length': String(end - start),
      });
      session = locationOf(answer, session);
      at = end;
      failed = 0;
    } catch (error) {
      if (options.signal?.aborted || !isBroken(error) || ++failed >= attempts) throw error;
      const after = backOff(failed);
      options.onRetry?.(after);
      await target.asking.sleep(after, options.signal);
      ({ session, at } = await standing(target, session, options));
    }
  }
  await finish(target, session, blob.digest, options);
}

/** How much of an upload has arrived. */
async function standing(
  target: UploadTarget,
  session: URL,
  { signal }: UploadOptions,
): Promise<{ session: URL; at: number }> {
  const answer = await question(target, {
    method: 'GET',
    target: session,
    scopes: target.scopes,
    accept: [204],
    signal,
  });
  answer.body.resume();
  const end = /-(\d+)$/.exec(answer.headers.range ?? '')?.[1];
  // "0-0" is how registries say that nothing has come, though it means one byte.
  return { session: locationOf(answer, session), at: end === undefined || end === '0' ? 0 : Number(end) + 1 };
}

async function begin(target: UploadTarget, { signal, onRetry }: UploadOptions): Promise<URL> {
  const answer = await question(target, {
    method: 'POST',
    target: `${target.base}/blobs/uploads/`,
    headers: { 'content-length': '0' },
    scopes: target.scopes,
    accept: [202],
    signal,
    onRetry,
  });
  answer.body.resume();
  return locationOf(answer, undefined);
}

async function finish(target: UploadTarget, session: URL, digest: string, { signal }: UploadOptions): Promise<void> {
  session.searchParams.set('digest', digest);
  const answer = await question(target, {
    method: 'PUT',
    target: session,
    headers: { 'content-length': '0' },
    scopes: target.scopes,
    accept: [201, 204],
    signal,
  });
  answer.body.resume();
}

async function put(
  target: UploadTarget,
  session: URL,
  method: 'PUT' | 'PATCH',
  { signal }: UploadOptions,
  body: () => AsyncIterable<Uint8Array>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Incoming> {
  const answer = await question(target, {
    method,
    target: session,
    headers: { 'content-type': 'application/octet-stream', ...headers },
    body,
    once: true,
    scopes: target.scopes,
    accept: method === 'PUT' ? [201, 204] : [202, 201, 204],
    signal,
  });
  answer.body.resume();
  return answer;
}

const question = ({ asking, endpoint, authorizer }: UploadTarget, asked: Question): Promise<Incoming> =>
  ask(asking, endpoint, authorizer, asked);

/** A session moves with each answer. @throws unavailable when there is none */
function locationOf({ headers, url }: Incoming, before: URL | undefined): URL {
  const location = headers.location === undefined ? before : URL.parse(headers.location, url);
  if (!location) throw unavailable(`${url.host} opened no upload: its answer has no Location`);
  return location;
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  start: number,
  { onProgress }: UploadOptions,
): AsyncGenerator<Uint8Array> {
  let sent = start;
  for await (const chunk of source) {
    yield chunk;
    sent += chunk.length;
    onProgress?.(sent);
  }
}

async function* hashed(source: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}

async function* limited(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let left = size;
  for await (const chunk of source) {
    yield chunk.subarray(0, left);
    left -= Math.min(left, chunk.length);
    if (left === 0) return;
  }
}
