import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { conflict, denied, kindOf, toDrydockError } from '../base/errors.ts';
import type { Staging } from '../rpc/staging.ts';
import { sendFile } from './files.ts';
import { Gate } from './gate.ts';
import { pageHeaders } from '../platform/page-headers.ts';
import { sendAgain, sendLogin, sendText } from './pages.ts';
import { Sockets, type SocketOptions } from './sockets.ts';
import { upload } from './upload.ts';

export interface WebOptions extends SocketOptions {
  /** 0 = a free one. */
  readonly port: number;
  /** Absolute path of the built renderer (dist/renderer). */
  readonly rendererDirectory: string;
  readonly staging: Staging;
  /** Called with the next link when one has been used. */
  readonly onLink?: (url: string) => void;
  /** Told why a window could not be served; its page only sees that it cannot connect. */
  readonly log?: (line: string) => void;
}

export interface Web {
  /** The link that lets a browser in, once: http://127.0.0.1:PORT/?token=… */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves the window on 127.0.0.1.
 * @throws conflict when the port is taken, denied when it may not be opened
 */
export async function serveWeb(options: WebOptions): Promise<Web> {
  const sockets = new Sockets(options);
  const server = createServer({ requestTimeout: 0 });
  const port = await listen(server, options.port);
  // The gate knows its port, so it comes after listening; no connection is handled before this turn ends.
  const gate = new Gate(port);
  server.on('request', (request, response) => void answer(gate, options, request, response));
  server.on('upgrade', (request, socket, head) => void upgrade(gate, sockets, options.log, request, socket, head));
  const { url } = gate;
  return {
    url,
    port,
    async close() {
      sockets.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        reject(conflict(`Port ${port} is in use`, { hint: 'Choose another one with --port, or leave it out.' }));
      } else if (error.code === 'EACCES') {
        reject(denied(`Port ${port} may not be opened`, { hint: 'Choose one above 1023 with --port.' }));
      } else reject(error);
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

const addressOf = (request: IncomingMessage): URL | undefined => {
  // A path, never an absolute URL of a proxy request.
  if (!request.url?.startsWith('/')) return undefined;
  return URL.parse(request.url.replace(/^\/+/, '/'), 'http://127.0.0.1') ?? undefined;
};

async function answer(gate: Gate, options: WebOptions, request: IncomingMessage, response: ServerResponse) {
  try {
    const url = addressOf(request);
    if (!url) return sendText(response, 400, 'This is not an address.');
    if (!gate.knowsHost(request.headers)) {
      return sendText(response, 403, 'Drydock answers only to its own name, http://127.0.0.1.');
    }
    if (request.method === 'POST' && !gate.allowsOrigin(request.headers)) {
      return sendText(response, 403, 'Another page may not do this.');
    }
    if (request.headers.origin !== undefined && !gate.allowsOrigin(request.headers)) {
      return sendText(response, 403, 'Another page may not read this.');
    }
    const token = url.searchParams.get('token');
    if (request.method === 'GET' && url.pathname === '/' && token !== null) {
      return logIn(gate, options, token, request, response);
    }
    if (!gate.admits(request.headers)) return refuse(url, request, response);
    if (request.method === 'POST' && url.pathname === '/stage') {
      return await upload(options.staging, url, request, response);
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return sendText(response, 405, `${request.method} means nothing here.`);
    }
    await sendFile(options.rendererDirectory, url.pathname, request, response);
  } catch (error) {
    if (response.headersSent || kindOf(error) === 'cancelled') response.destroy();
    else sendText(response, 500, toDrydockError(error).message);
  }
}

/** The token in the address becomes a cookie, and leaves the address (and so the history) by a redirect. */
function logIn(gate: Gate, options: WebOptions, token: string, request: IncomingMessage, response: ServerResponse) {
  const cookie = gate.exchange(token);
  if (cookie === undefined && !gate.admits(request.headers)) return sendLogin(response, true);
  response.writeHead(303, {
    ...pageHeaders,
    Location: '/',
    'Cache-Control': 'no-store',
    ...(cookie === undefined ? {} : { 'Set-Cookie': cookie }),
  });
  response.end();
  if (cookie !== undefined) options.onLink?.(gate.url);
}

function refuse(url: URL, request: IncomingMessage, response: ServerResponse): void {
  // Nobody unknown keeps a connection busy with a body.
  if (request.method !== 'GET') response.setHeader('Connection', 'close');
  if (url.pathname !== '/') return sendText(response, 401, 'Open the link that Drydock printed first.');
  const crossSite = request.headers['sec-fetch-site'] === 'cross-site';
  if (crossSite && request.headers['sec-fetch-mode'] === 'navigate' && !url.searchParams.has('again')) {
    return sendAgain(response);
  }
  sendLogin(response, false);
}

async function upgrade(
  gate: Gate,
  sockets: Sockets,
  log: WebOptions['log'],
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
) {
  socket.on('error', () => socket.destroy());
  const { headers } = request;
  const url = addressOf(request);
  const status = !url
    ? '400 Bad Request'
    : !gate.knowsHost(headers) || !gate.allowsOrigin(headers)
      ? '403 Forbidden'
      : !gate.admits(headers)
        ? '401 Unauthorized'
        : undefined;
  if (!url || status !== undefined) {
    socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    return;
  }
  try {
    await sockets.take(url.pathname, request, socket, head);
  } catch (error) {
    log?.(`the window cannot be served: ${toDrydockError(error).message}`);
    socket.end('HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  }
}
