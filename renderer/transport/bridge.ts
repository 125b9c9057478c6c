import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import type { DesktopBridge } from '../../electron/contract/bridge.ts';
import type { ChannelMessage, ChannelRequest } from '../../electron/contract/channels.ts';
import { guard, LinkClosedError } from './guard.ts';
import type { Api, Channel, Session, Transport } from './transport.ts';

/** A port that does not arrive within this time (ms) never will: the main process is gone or reloading. */
const portTimeout = 10_000;

let lastKey = 0;

/** Asks the preload for a port; it arrives as a message of this very window, with the port transferred. */
function requestPort(bridge: DesktopBridge, kind: 'rpc' | 'channel'): Promise<MessagePort> {
  const key = `${kind}-${++lastKey}`;
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer);
      window.removeEventListener('message', receive);
    };
    const receive = (event: MessageEvent<unknown>): void => {
      if (event.source !== window) return;
      const data = event.data as { drydock?: unknown; key?: unknown } | null;
      const port = event.ports[0];
      if (data?.drydock !== 'port' || data.key !== key || !port) return;
      done();
      resolve(port);
    };
    const timer = setTimeout(() => {
      done();
      reject(new LinkClosedError());
    }, portTimeout);
    window.addEventListener('message', receive);
    bridge.requestPort(kind, key);
  });
}

/** The desktop's way: everything over ports that the preload hands out. */
export function bridgeTransport(bridge: DesktopBridge): Transport {
  const connect = async (): Promise<Session> => {
    const port = await requestPort(bridge, 'rpc');
    let end = (): void => undefined;
    const closed = new Promise<void>((resolve) => {
      end = resolve;
    });
    port.addEventListener('close', () => end());
    const api: Api = createORPCClient(guard(new RPCLink({ port }), closed));
    port.start();
    return {
      api,
      closed,
      openChannel: () => portChannel(requestPort(bridge, 'channel')),
      stage: async (file) => {
        const path = bridge.pathOf(file);
        if (path === '')
          throw new Error(`${file.name} has no path on this computer. Save it to a folder first, then drop it again.`);
        return api.modules.stagePath({ path });
      },
      close: () => {
        port.close();
        end();
      },
    };
  };
  return { kind: 'desktop', connect };
}

function portChannel(arriving: Promise<MessagePort>): Channel {
  const waiting: ChannelRequest[] = [];
  let port: MessagePort | undefined;
  let closed = false;
  let listener: ((message: ChannelMessage | undefined) => void) | undefined;
  const ended = (): void => {
    listener?.(undefined);
    listener = undefined;
  };
  arriving.then((arrived) => {
    if (closed) {
      arrived.close();
      return;
    }
    port = arrived;
    port.addEventListener('message', (event: MessageEvent<ChannelMessage>) => listener?.(event.data));
    port.addEventListener('close', ended);
    port.start();
    for (const message of waiting.splice(0)) port.postMessage(message);
  }, ended);
  return {
    send: (message) => {
      if (port) port.postMessage(message);
      else if (!closed) waiting.push(message);
    },
    listen: (next) => {
      listener = next;
    },
    close: () => {
      closed = true;
      listener = undefined;
      port?.close();
    },
  };
}
