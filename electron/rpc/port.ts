import type { EngineApi } from '../engine/api/index.ts';
import { serveChannel } from './channels.ts';
import type { DrydockRouter } from './router.ts';
import { serveRpc } from './serve.ts';
import type { TextPort } from './text-port.ts';

/** What Electron's MessagePortMain and Node's worker_threads MessagePort have in common. */
export interface PortLike {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  start(): void;
  close(): void;
}

/** MessagePortMain hands over an event, a worker's port the value itself. */
function valueOf(message: unknown): string | Uint8Array<ArrayBuffer> | undefined {
  const value =
    typeof message === 'object' && message !== null && 'data' in message && 'ports' in message ? message.data : message;
  if (typeof value === 'string' || value instanceof Uint8Array) return value as string | Uint8Array<ArrayBuffer>;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  // Objects are welcome on a port; the rest of the house speaks JSON text.
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : undefined;
}

/** A port as a TextPort. It has no back-pressure: what needs some has credits (channels.ts) or merges (watch.ts). */
export function fromMessagePort(port: PortLike): TextPort {
  let closed = false;
  return {
    send(message) {
      if (!closed) port.postMessage(message);
      return Promise.resolve();
    },
    onMessage(listener) {
      port.on('message', (message) => {
        const value = valueOf(message);
        if (value !== undefined) listener(value);
      });
      port.start();
    },
    onClose(listener) {
      port.on('close', () => {
        if (closed) return;
        closed = true;
        listener();
      });
    },
    close: () => port.close(),
    pause() {},
    resume() {},
  };
}

/** The RPC port of a desktop window. */
export const serveRpcPort = (router: DrydockRouter, port: PortLike): void => serveRpc(router, fromMessagePort(port));

/** A log or terminal of a desktop window. */
export const serveChannelPort = (engine: EngineApi, port: PortLike): void =>
  serveChannel(engine, fromMessagePort(port));
