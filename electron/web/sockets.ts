import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import type { EngineApi } from '../engine/api/index.ts';
import type { DrydockRouter } from '../rpc/router.ts';

/** Bytes of one message from a page: arguments and pasted text, never files (POST /stage). */
const maxMessage = 16 << 20;

export interface SocketOptions {
  readonly engine: EngineApi;
  /** Loads the router when the first window connects: schemas and oRPC are not in memory before. */
  readonly router: () => Promise<DrydockRouter>;
}

/** The WebSockets of all windows: /rpc carries the contract, /channel one log or terminal each. */
export class Sockets {
  readonly #options: SocketOptions;
  #server: WebSocketServer | undefined;

  constructor(options: SocketOptions) {
    this.#options = options;
  }

  /** Upgrades a request that the gate has let in. */
  async take(pathname: string, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { engine, router } = this.#options;
    const [{ serveChannelSocket, serveRpcSocket }, server] = await Promise.all([
      import('../rpc/socket.ts'),
      this.#loaded(),
    ]);
    if (pathname === '/rpc') {
      const routes = await router();
      server.handleUpgrade(request, socket, head, (webSocket) => serveRpcSocket(routes, webSocket));
    } else if (pathname === '/channel') {
      server.handleUpgrade(request, socket, head, (webSocket) => serveChannelSocket(engine, webSocket));
    } else {
      socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    }
  }

  /** Closes them all ("going away"); what does not answer is cut off. */
  close(): void {
    for (const socket of this.#server?.clients ?? []) {
      socket.close(1001);
      setTimeout(() => socket.terminate(), 500).unref();
    }
  }

  async #loaded(): Promise<WebSocketServer> {
    if (!this.#server) {
      const { WebSocketServer } = await import('ws');
      // Loopback is faster than deflate.
      this.#server ??= new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: maxMessage });
    }
    return this.#server;
  }
}
