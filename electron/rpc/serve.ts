import { RPCHandler } from '@orpc/server/ws';
import type { DrydockRouter } from './router.ts';
import type { RpcLink } from './link.ts';

/** Client messages that oRPC would answer with a stack on stderr are refused here. */
function isFrame(message: string | Uint8Array): boolean {
  if (typeof message !== 'string') return true;
  try {
    const value: unknown = JSON.parse(message);
    // A request has a payload; the end of a stream has a type and none.
    return typeof value === 'object' && value !== null && 'i' in value && ('p' in value || 't' in value);
  } catch {
    return false;
  }
}

/**
 * Serves a router on one link until either side closes it. oRPC waits for `send`, so a stream's generator is asked for its next value only when the
 * last one is on its way: a slow reader makes the watch merge more, never the queue grow.
 */
export function serveRpc(router: DrydockRouter, link: RpcLink): void {
  const handler = new RPCHandler(router);
  const listeners: { message?: (event: { data: unknown }) => void; close?: () => void } = {};
  // What the ws adapter asks of a socket; the frames are the same as those of the message-port adapter.
  const socket = {
    send: (message: string | Uint8Array) => link.send(message),
    addEventListener(type: 'message' | 'close', listener: (event: { data: unknown }) => void) {
      if (type === 'message') listeners.message = listener;
      else listeners.close = listener as () => void;
    },
  };
  void handler.upgrade(socket as unknown as Parameters<typeof handler.upgrade>[0]);
  link.onMessage((message) => {
    if (isFrame(message)) listeners.message?.({ data: message });
    else link.close();
  });
  link.onClose(() => listeners.close?.());
}
