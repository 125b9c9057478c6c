import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { denied, kindOf, notFound } from '../base/errors.ts';
import { sendJson } from './call.ts';
import { findRoute } from './router.ts';
import type { Route } from './router.ts';
import { messageOf, statusOf } from './status.ts';
import { atLeast, MAX_API_VERSION, splitVersion } from './versions.ts';

export interface Dispatcher {
  /** Answers one request. Never rejects. */
  (request: IncomingMessage, response: ServerResponse, upgrade?: { socket: Duplex; head: Buffer }): Promise<void>;
}

export interface DispatchOptions {
  readonly routes: readonly Route[];
  /** Drydock's version, for the Server header. */
  readonly version: string;
  /** Aborts when the door closes. */
  readonly closing: AbortSignal;
  readonly log: (line: string) => void;
}

/** True when the request is for a route that may take the socket over; every other Upgrade header is ignored (HTTP/1.1 allows that). */
export function mayHijack(routes: readonly Route[], request: IncomingMessage): boolean {
  try {
    const { path } = splitVersion(pathOf(request));
    return findRoute(routes, request.method ?? '', path)?.route.hijacks ?? false;
  } catch {
    return false;
  }
}

/** Takes a request to its handler: headers of every answer, version, route; and turns what is thrown into an answer. */
export function dispatcher({ routes, version, closing, log }: DispatchOptions): Dispatcher {
  return async (request, response, upgrade) => {
    response.setHeader('Api-Version', MAX_API_VERSION);
    response.setHeader('Docker-Experimental', 'false');
    response.setHeader('Ostype', 'linux');
    response.setHeader('Server', `Drydock/${version} (linux)`);
    const gone = new AbortController();
    const leave = (): void => gone.abort();
    closing.addEventListener('abort', leave, { once: true });
    (upgrade?.socket ?? response).once('close', () => {
      closing.removeEventListener('abort', leave);
      if (upgrade || !response.writableFinished) leave();
    });
    if (closing.aborted) leave();
    try {
      if (request.headers.origin !== undefined)
        throw denied(
          `requests from web pages are refused: this one has the Origin ${request.headers.origin}, and a page must not drive the engine`,
        );
      const split = splitVersion(pathOf(request));
      const match = findRoute(routes, request.method ?? '', split.path);
      if (!match) throw notFound('page not found');
      if (!atLeast(split.version, match.route.since))
        throw notFound(
          `${match.route.method} ${match.route.pattern} needs API version ${match.route.since}, the client asked for ${split.version}`,
        );
      await match.route.handler({
        request,
        response,
        params: match.params,
        query: new URLSearchParams(queryOf(request)),
        version: split.version,
        gone: gone.signal,
        upgrade,
      });
    } catch (error) {
      answerError(response, error, gone.signal, (text) => log(`${request.method} ${request.url}: ${text}`));
    }
  };
}

function answerError(response: ServerResponse, error: unknown, gone: AbortSignal, log: (text: string) => void): void {
  if (gone.aborted && kindOf(error) === 'cancelled') return void response.destroy();
  const status = statusOf(error);
  if (status === 500) log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  // After the first byte the status cannot change: a cut connection is the only honest sign left.
  if (response.headersSent || response.destroyed) return void response.destroy();
  if (status === 304) return void response.writeHead(304).end();
  sendJson({ response }, status, { message: messageOf(error) });
}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const at = url.indexOf('?');
  return at < 0 ? url : url.slice(0, at);
}

function queryOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at + 1);
}
