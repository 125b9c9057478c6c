import type { WebSocket } from 'ws';
import type { ChannelMessage } from '../contract/channels.ts';
import type { EngineApi } from '../engine/api/index.ts';
import { serveChannel } from './channels.ts';
import type { Link, RpcLink } from './link.ts';
import type { DrydockRouter } from './router.ts';
import { serveRpc } from './serve.ts';

/** Bytes that may wait in the socket before `send` makes the sender wait. */
const highWater = 256 * 1024;

/** A WebSocket of `ws` as a link, with back-pressure both ways. */
function linkOf(socket: WebSocket): RpcLink {
  const waiting = new Set<() => void>();
  const release = (): void => {
    for (const done of waiting) done();
    waiting.clear();
  };
  socket.once('close', release);
  socket.on('error', () => socket.terminate());
  return {
    async send(message) {
      if (socket.readyState !== socket.OPEN) return;
      socket.send(message, () => {
        if (socket.bufferedAmount < highWater) release();
      });
      if (socket.bufferedAmount < highWater) return;
      await new Promise<void>((resolve) => waiting.add(resolve));
    },
    onMessage(listener) {
      socket.on('message', (data, binary) => {
        const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer);
        listener(binary ? new Uint8Array(bytes) : bytes.toString('utf8'));
      });
    },
    onClose: (listener) => void socket.once('close', listener),
    close: () => socket.close(1000),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  };
}

/** The RPC socket of a browser. Ends with the socket. */
export const serveRpcSocket = (router: DrydockRouter, socket: WebSocket): void => serveRpc(router, linkOf(socket));

/** A log or terminal of a browser. Ends with the socket. */
export function serveChannelSocket(engine: EngineApi, socket: WebSocket): void {
  const link = linkOf(socket);
  const json: Link<unknown, ChannelMessage> = { ...link, send: (message) => link.send(JSON.stringify(message)) };
  serveChannel(engine, json);
}
