import type { RegistrySettings } from '../api/registry.ts';
import { internal, unauthorized, unavailable } from '../../base/errors.ts';
import type { Authorizer } from './auth.ts';
import type { Endpoint } from './endpoints.ts';
import { failureOf } from './failures.ts';
import { attempts, backOff, isBroken, isPassing, retryAfter, type Sleep } from './retry.ts';
import { textOf, type Incoming, type Transport } from './transport.ts';

export interface Question {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From "/v2/" on, or an absolute URL that a Location header gave. */
  readonly target: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Made anew for each attempt. Undefined = none. */
  readonly body?: (() => Uint8Array | AsyncIterable<Uint8Array>) | undefined;
  /** Not to be asked again when the connection breaks: the answer to a cut upload is to look how far it came. */
  readonly once?: boolean;
  readonly scopes: readonly string[];
  /** Statuses that are answers and not failures. */
  readonly accept: readonly number[];
  readonly signal?: AbortSignal | undefined;
  /** Told before each wait, in milliseconds. */
  readonly onRetry?: ((after: number) => void) | undefined;
}

/** What all questions to registries share. */
export interface Asking {
  readonly transport: Transport;
  readonly settings: () => RegistrySettings;
  readonly sleep: Sleep;
  /** host → the scheme that worked, for hosts where both may. */
  readonly schemes: Map<string, 'https' | 'http'>;
  readonly userAgent: string;
}

const mostRedirects = 5;

/**
 * Puts one question to one endpoint: logs in when it is asked to, follows redirects, tries again what passes. The answer's body is the caller's to
 * read or to destroy.
 * @throws what `failureOf` makes of a refusal, unavailable, cancelled
 */
export async function ask(
  asking: Asking,
  endpoint: Endpoint,
  authorizer: Authorizer,
  question: Question,
): Promise<Incoming> {
  let failed = 0;
  let refused = 0;
  for (;;) {
    question.signal?.throwIfAborted();
    let sent: string | undefined;
    const attempt = async (): Promise<Incoming> => {
      sent = await authorizer.header(question.scopes, question.signal);
      return follow(asking, endpoint, question, sent);
    };
    let failure: unknown;
    const answer = await attempt().catch((error: unknown) => {
      if (question.signal?.aborted || !isBroken(error)) throw error;
      failure = error;
    });
    if (answer) {
      if (question.accept.includes(answer.status)) return answer;
      const text = await textOf(answer);
      failure = failureOf(answer.status, text, `${question.method} ${answer.url.origin}${answer.url.pathname}`);
      if (answer.status === 401 && answer.url.host === endpoint.host) {
        // The first time teaches the way in, the second that a kept token has ended; a third is an answer.
        const challenge = answer.headers['www-authenticate'];
        if (refused++ < 2 && (await authorizer.learn(challenge, answer.url, question.scopes, sent))) continue;
        throw sent === undefined ? withoutLogin(failure as Error, endpoint) : failure;
      }
      if (!isPassing(answer.status)) throw failure;
    }
    if (++failed >= attempts || question.once) throw failure;
    const after = retryAfter(answer?.headers['retry-after']) ?? backOff(failed);
    question.onRetry?.(after);
    await asking.sleep(after, question.signal);
  }
}

const withoutLogin = ({ message }: Error, endpoint: Endpoint) =>
  unauthorized(message, {
    hint: `Log in first: docker login ${endpoint.host}`,
    data: { status: 401, host: endpoint.host, codes: ['UNAUTHORIZED'] },
  });

/** Sends and follows. What proves who we are goes to the registry alone, never to where it sends us (containers love S3 for that). */
async function follow(
  asking: Asking,
  endpoint: Endpoint,
  question: Question,
  authorization: string | undefined,
): Promise<Incoming> {
  let url = await addressOf(asking, endpoint, question);
  const home = url.host;
  for (let hop = 0; ; hop++) {
    const answer = await asking.transport.send({
      method: question.method,
      url,
      headers: {
        'user-agent': asking.userAgent,
        ...question.headers,
        ...(authorization !== undefined && url.host === home && { authorization }),
      },
      body: question.body?.(),
      insecure: endpoint.insecure && url.host === home,
      signal: question.signal,
    });
    const isRedirect = [301, 302, 303, 307, 308].includes(answer.status);
    if (!isRedirect || question.accept.includes(answer.status)) return answer;
    const location = answer.headers.location;
    answer.body.resume();
    const next = location === undefined ? undefined : URL.parse(location, url);
    if (!next || !/^https?:$/.test(next.protocol))
      throw unavailable(`${url.host} redirects to nowhere: ${location ?? 'it names no place'}`);
    if (hop >= mostRedirects) throw unavailable(`${url.host} redirects in circles: more than ${mostRedirects} times`);
    if (url.protocol === 'https:' && next.protocol === 'http:' && !endpoint.insecure)
      throw unavailable(`${url.host} redirects to ${next.origin}, which is not encrypted`, {
        hint: 'This is refused, since anybody on the way could change it.',
      });
    url = next;
  }
}

/** With the scheme that works: for insecure hosts that nobody has asked yet, found out by asking. */
async function addressOf(asking: Asking, endpoint: Endpoint, { target, signal }: Question): Promise<URL> {
  if (target instanceof URL) return target;
  const scheme = endpoint.scheme ?? asking.schemes.get(endpoint.host) ?? (await probe(asking, endpoint, signal));
  const url = URL.parse(`${scheme}://${endpoint.host}${endpoint.prefix}${target}`);
  if (!url) throw internal(`no URL: ${endpoint.host}${target}`);
  return url;
}

/** As dockerd does for insecure registries: https first, then http. @throws unavailable with the reason of the last */
async function probe(
  asking: Asking,
  { host, prefix }: Endpoint,
  signal: AbortSignal | undefined,
): Promise<'https' | 'http'> {
  for (const scheme of ['https', 'http'] as const) {
    try {
      const { body } = await asking.transport.send({
        method: 'GET',
        url: new URL(`${scheme}://${host}${prefix}/v2/`),
        headers: { 'user-agent': asking.userAgent },
        insecure: true,
        signal,
      });
      body.resume();
      asking.schemes.set(host, scheme);
      return scheme;
    } catch (error) {
      if (scheme === 'http' || signal?.aborted) throw error;
    }
  }
  throw internal('unreachable');
}
