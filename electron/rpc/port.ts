import type { ChannelMessage } from '../contract/channels.ts';
import type { EngineApi } from '../engine/api/index.ts';
import { serveChannel } from './channels.ts';
import type { Frame, Link } from './link.ts';
import type { DrydockRouter } from './router.ts';
import { serveRpc } from './serve.ts';

/** What Electron's MessagePortMain and Node's worker_threads MessagePort have in common. */
export interface PortLike {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  start(): void;
  close(): void;
}

/** MessagePortMain hands over an event, a worker's port the value itself. */
const valueOf = (message: unknown): unknown =>
  typeof message === 'object' && message !== null && 'data' in message && 'ports' in message ? message.data : message;

/** oRPC's own port adapter sends text or bytes, or an object when it transfers; the rest of the house speaks text and bytes. */
function frameOf(value: unknown): Frame {
  if (typeof value === 'string' || value instanceof Uint8Array) return value as Frame;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return JSON.stringify(value) ?? '';
}

/** A port as a link. It has no back-pressure: what needs some has credits (channels.ts) or merges (watch.ts). */
function linkOf<In, Out>(port: PortLike, decode: (value: unknown) => In): Link<In, Out> {
  let onClose: (() => void) | undefined;
  let closed = false;
  // MessagePortMain tells of the other side's close only, a worker's port of both.
  const ended = (): void => {
    if (closed) return;
    closed = true;
    onClose?.();
  };
  port.on('close', ended);
  return {
    send(message) {
      if (!closed) port.postMessage(message);
      return Promise.resolve();
    },
    onMessage(listener) {
      port.on('message', (message) => listener(decode(valueOf(message))));
      port.start();
    },
    onClose(listener) {
      onClose = listener;
    },
    close() {
      port.close();
      ended();
    },
    pause() {},
    resume() {},
  };
}

/** The RPC port of a desktop window. Ends with the port. */
export const serveRpcPort = (router: DrydockRouter, port: PortLike): void => serveRpc(router, linkOf(port, frameOf));

/** A log or terminal of a desktop window. Ends with the port. */
export const serveChannelPort = (engine: EngineApi, port: PortLike): void =>
  serveChannel(
    engine,
    linkOf<unknown, ChannelMessage>(port, (value) => value),
  );
