import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createSecureContext, getCACertificates } from 'node:tls';
import { cancelled, invalid } from '../../base/errors.ts';
import type { RegistrySettings } from '../api/registry.ts';
import { connectionFailure, problemLimit } from './failures.ts';

export interface Outgoing {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes at hand, or a stream; its length, when known, is in `headers`. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  /** Certificates are not checked. */
  readonly insecure: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface Incoming {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Must be read to its end or destroyed: the connection is held until then. */
  readonly body: IncomingMessage;
  readonly url: URL;
}

/** One request over HTTP(S): proxies, certificates, time limits. Knows nothing of registries. */
export interface Transport {
  /** Answers once the headers are there. @throws unavailable, cancelled */
  send(outgoing: Outgoing): Promise<Incoming>;
  close(): void;
}

/** Milliseconds without a byte in either direction after which a connection counts as broken. A registry hashes a big blob silently before it answers. */
const idleLimit = 120_000;
/** Milliseconds to get a connection. */
const connectLimit = 30_000;
/** Loopback is never asked through a proxy, as in Go's client. */
const neverProxied = 'localhost,127.0.0.0-127.255.255.255,::1,[::1]';

interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
  readonly unchecked: HttpsAgent;
  destroy(): void;
}

export function createTransport(settings: () => RegistrySettings): Transport {
  let current: { readonly key: string; readonly agents: Agents } | undefined;

  let closed = false;

  const agents = (): Agents => {
    if (closed) throw cancelled('the engine is closing');
    const now = settings();
    const key = JSON.stringify([now.caFile, now.httpProxy, now.httpsProxy, now.noProxy]);
    if (current?.key !== key) {
      const made = makeAgents(now);
      current?.agents.destroy();
      current = { key, agents: made };
    }
    return current.agents;
  };

  return {
    async send({ method, url, headers, body, insecure, signal }) {
      signal?.throwIfAborted();
      const isTls = url.protocol === 'https:';
      const agent = agents()[isTls ? (insecure ? 'unchecked' : 'https') : 'http'];
      const outgoing = (isTls ? httpsRequest : httpRequest)(url, { method, headers, agent, ...(signal && { signal }) });
      const answer = new Promise<IncomingMessage>((resolve, reject) => {
        outgoing.once('response', resolve);
        outgoing.once('error', reject);
        const slow = (): void => void outgoing.destroy(timeout(url.host));
        // Until it is connected only a timer knows how long it takes; afterwards the socket does.
        const connecting = setTimeout(slow, connectLimit);
        outgoing.once('close', () => clearTimeout(connecting));
        outgoing.once('socket', (socket) => {
          const connected = (): void => clearTimeout(connecting);
          if (!socket.connecting) connected();
          else socket.once(isTls ? 'secureConnect' : 'connect', connected);
        });
        outgoing.setTimeout(idleLimit, slow);
      });
      const sent = sendBody(outgoing, body);
      try {
        // A registry may refuse before it has read everything; its answer counts more than our broken pipe.
        const response = await Promise.race([answer, sent.then(() => answer)]).catch(async (error: unknown) =>
          Promise.race([answer, later(error)]),
        );
        // Listeners for errors that come when nobody reads the body any more.
        outgoing.on('error', () => undefined);
        response.on('error', () => undefined);
        sent.catch(() => undefined);
        return { status: response.statusCode ?? 0, headers: response.headers, body: response, url };
      } catch (error) {
        outgoing.destroy();
        signal?.throwIfAborted();
        throw connectionFailure(error, url.host);
      }
    },
    close() {
      closed = true;
      current?.agents.destroy();
      current = undefined;
    },
  };
}

async function sendBody(outgoing: ReturnType<typeof httpRequest>, body: Outgoing['body']): Promise<void> {
  if (body === undefined || body instanceof Uint8Array) return void outgoing.end(body);
  await pipeline(body instanceof Readable ? body : Readable.from(body, { objectMode: false }), outgoing);
}

/** Rejects, after whatever has arrived already was seen. */
const later = (error: unknown): Promise<never> =>
  new Promise((_, reject) => void setTimeout(() => reject(error as Error), 50));

const timeout = (host: string): Error => Object.assign(new Error(`no answer from ${host}`), { code: 'ETIMEDOUT' });

/** @throws invalid when the CA file cannot be used */
function makeAgents(settings: RegistrySettings): Agents {
  const common = { keepAlive: true, maxFreeSockets: 8, scheduling: 'lifo' as const, proxyEnv: proxyOf(settings) };
  const extra = settings.caFile === '' ? [] : [readCertificates(settings.caFile)];
  let https: HttpsAgent | undefined;
  return {
    http: new HttpAgent(common),
    // Made when the first one is needed: reading all authorities takes tens of milliseconds.
    get https() {
      const ca = () => [...new Set([...getCACertificates('default'), ...getCACertificates('system'), ...extra])];
      return (https ??= new HttpsAgent({ ...common, secureContext: createSecureContext({ ca: ca() }) }));
    },
    unchecked: new HttpsAgent({ ...common, rejectUnauthorized: false }),
    destroy() {
      for (const agent of [this.http, https, this.unchecked]) agent?.destroy();
    },
  };
}

function readCertificates(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw invalid(`the CA file ${path} cannot be read: ${(cause as Error).message}`, {
      hint: 'Correct it in the settings.',
      cause,
    });
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----'))
    throw invalid(`the CA file ${path} holds no certificate`, {
      hint: 'It must be in PEM form: -----BEGIN CERTIFICATE-----.',
    });
  return text;
}

/** Node's agents follow the rules of HTTP_PROXY themselves; a setting takes the place of the variable. */
function proxyOf({ httpProxy, httpsProxy, noProxy }: RegistrySettings): NodeJS.ProcessEnv {
  const env = process.env;
  const pick = (setting: string, name: string): string | undefined =>
    setting || env[name.toLowerCase()] || env[name] || undefined;
  const http = pick(httpProxy, 'HTTP_PROXY');
  const https = pick(httpsProxy, 'HTTPS_PROXY');
  const none = pick(noProxy, 'NO_PROXY');
  return {
    ...(http !== undefined && { HTTP_PROXY: http }),
    ...(https !== undefined && { HTTPS_PROXY: https }),
    NO_PROXY: [none, neverProxied].filter(Boolean).join(','),
  };
}

/** The text of an answer that is small; what is beyond the limit is not read. */
export async function textOf({ body }: Incoming, limit = problemLimit): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= limit) break;
    }
  } catch {
    // What came of it has to do.
  }
  return Buffer.concat(chunks).toString('utf8').slice(0, limit);
}
