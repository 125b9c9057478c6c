/** ADD of a file of the web. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  cancelled,
  damaged,
  DrydockError,
  invalid,
  toDrydockError,
  unavailable,
  unsupported,
} from '../../base/errors.ts';
import type { Incoming, Transport } from '../registry/transport.ts';
import type { Tree, TreeEntry } from './tree.ts';

/** A tree of one file; `name` is its path there and the last part of the address, '' when that ends in a slash. */
export interface RemoteFile {
  readonly tree: Tree;
  readonly name: string;
}

/** @param checksum sha256 in hex @throws unavailable, damaged, invalid, unsupported, cancelled */
export type Download = (url: string, checksum: string | undefined) => Promise<RemoteFile>;

/** Redirects that are followed, as by Go's client. */
const REDIRECTS = 10;

/** @throws unsupported for what BuildKit would clone */
export function isRemote(source: string): boolean {
  if (/^(git@|git:|ssh:)/.test(source) || /^https?:\/\/.*\.git(#.*)?$/.test(source))
    throw unsupported(`ADD failed: ${source}: Drydock does not clone git repositories`, {
      hint: 'Clone it into the build context first.',
    });
  return /^https?:\/\//i.test(source);
}

/** `sha256:…` → the hex. @throws invalid */
export function parseChecksum(text: string): string {
  const match = /^sha256:([0-9a-f]{64})$/.exec(text);
  if (!match?.[1])
    throw invalid(`invalid checksum: ${JSON.stringify(text)}`, {
      hint: 'Write it as sha256: and 64 hexadecimal digits.',
    });
  return match[1];
}

/** Downloads into `directory`, which the caller removes, under a name of its own; nothing of the answer's names touches the disk. */
export function downloader(
  transport: Transport | undefined,
  directory: string,
  signal: AbortSignal | undefined,
): Download {
  let count = 0;
  return async (source, checksum) => {
    if (!transport)
      throw unsupported('ADD failed: this store of images was opened without a way to download', {
        hint: 'Download the file into the build context first.',
      });
    let url: URL;
    try {
      url = new URL(source);
    } catch {
      throw invalid(`ADD failed: ${source} is not an address`);
    }
    const path = join(directory, `download-${++count}`);
    try {
      const { digest, size, modified } = await fetchTo(path, url, transport, signal);
      if (checksum !== undefined && digest !== checksum)
        throw damaged(`ADD failed: ${source} has not the checksum that the Dockerfile names`, {
          hint: 'Nothing of it was used. If the file was meant to change, correct --checksum.',
          data: { expected: `sha256:${checksum}`, received: `sha256:${digest}` },
        });
      const entry: TreeEntry = { type: 'file', mode: 0o600, mtime: modified, size };
      const name = decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf('/') + 1)).replace(/[/\0]/g, '_');
      return { name: name === '.' || name === '..' ? '' : name, tree: oneFile(path, entry, digest) };
    } catch (error) {
      if (signal?.aborted) throw cancelled('the build was cancelled');
      const { kind, message, hint: said, data } = toDrydockError(error);
      if (message.startsWith('ADD failed')) throw error;
      // The transport speaks of registries.
      const hint = kind === 'unavailable' ? 'Is the address right, and the server reachable from here?' : said;
      throw new DrydockError(kind, `ADD failed: ${source}: ${message}`, { hint, data, cause: error });
    }
  };
}

async function fetchTo(
  path: string,
  from: URL,
  transport: Transport,
  signal: AbortSignal | undefined,
): Promise<{ readonly digest: string; readonly size: number; readonly modified: Date }> {
  const answer = await follow(transport, from, signal);
  if (answer.status !== 200) {
    answer.body.destroy();
    throw unavailable(`the server answered ${answer.status}`, { data: { status: answer.status } });
  }
  const hash = createHash('sha256');
  let size = 0;
  await pipeline(
    answer.body,
    async function* (source: AsyncIterable<Uint8Array>) {
      for await (const chunk of source) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    },
    createWriteStream(path, { flags: 'wx', mode: 0o600 }),
    ...(signal ? [{ signal }] : []),
  );
  const length = answer.headers['content-length'];
  if (length !== undefined && Number(length) !== size)
    throw unavailable(`the connection ended after ${size} of ${length} bytes`);
  const modified = new Date(answer.headers['last-modified'] ?? 0);
  return { digest: hash.digest('hex'), size, modified: Number.isNaN(modified.getTime()) ? new Date(0) : modified };
}

async function follow(transport: Transport, from: URL, signal: AbortSignal | undefined): Promise<Incoming> {
  let url = from;
  for (let step = 0; step <= REDIRECTS; step++) {
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw invalid(`${url.host || url.protocol} is not an address of the web`);
    const headers = { Accept: '*/*', 'Accept-Encoding': 'identity', 'User-Agent': 'drydock' };
    const answer = await transport.send({ method: 'GET', url, headers, insecure: false, signal });
    const { location } = answer.headers;
    if (answer.status < 300 || answer.status > 399 || location === undefined) return answer;
    answer.body.destroy();
    url = new URL(location, url);
  }
  throw unavailable(`${from.host} redirects in circles`);
}

const oneFile = (path: string, entry: TreeEntry, digest: string): Tree => ({
  lstat: () => Promise.resolve(entry),
  list: () => Promise.resolve([]),
  read: () => createReadStream(path, { highWaterMark: 256 * 1024 }),
  digest: () => Promise.resolve(digest),
});
