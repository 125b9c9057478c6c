import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import type { ChannelMessage, ChannelRequest } from '../../electron/contract/channels.ts';
import type { Failure } from '../../electron/contract/errors.ts';
import type { StagedModule } from '../../electron/contract/modules.ts';
import { guard, LinkClosedError } from './guard.ts';
import type { Api, Channel, Session, Transport } from './transport.ts';

/**
 * The browser's way: oRPC over a WebSocket at /rpc, one WebSocket at /channel for each log or terminal, uploads to POST /stage. The cookie that the
 * printed address was exchanged for (electron/web/gate.ts) goes along by itself.
 */
export function webTransport(origin: string): Transport {
  const address = (path: string): URL => new URL(path, origin);
  const socket = (path: string): WebSocket => {
    const url = address(path);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return new WebSocket(url);
  };

  const connect = async (): Promise<Session> => {
    const websocket = socket('/rpc');
    websocket.binaryType = 'arraybuffer';
    const closed = new Promise<void>((resolve) => {
      websocket.addEventListener('close', () => resolve(), { once: true });
    });
    const client: Api = createORPCClient(guard(new RPCLink({ websocket }), closed));
    await Promise.race([
      new Promise<void>((resolve) => websocket.addEventListener('open', () => resolve(), { once: true })),
      closed.then(() => {
        throw new LinkClosedError();
      }),
    ]);
    return {
      api: client,
      closed,
      openChannel: () => socketChannel(socket('/channel')),
      stage: (file, progress) => upload(address(`/stage?name=${encodeURIComponent(file.name)}`), file, progress),
      close: () => websocket.close(),
    };
  };
  return { kind: 'web', connect };
}

function socketChannel(websocket: WebSocket): Channel {
  const waiting: ChannelRequest[] = [];
  let listener: ((message: ChannelMessage | undefined) => void) | undefined;
  websocket.addEventListener('open', () => {
    for (const message of waiting.splice(0)) websocket.send(JSON.stringify(message));
  });
  websocket.addEventListener('message', (event: MessageEvent<string>) => {
    listener?.(JSON.parse(event.data) as ChannelMessage);
  });
  websocket.addEventListener('close', () => {
    listener?.(undefined);
    listener = undefined;
  });
  return {
    send: (message) => {
      if (websocket.readyState === WebSocket.CONNECTING) waiting.push(message);
      else if (websocket.readyState === WebSocket.OPEN) websocket.send(JSON.stringify(message));
    },
    listen: (next) => {
      listener = next;
    },
    close: () => {
      listener = undefined;
      websocket.close();
    },
  };
}

/** XMLHttpRequest, because fetch cannot tell how much of an upload has gone. Rejects with the engine's Failure. */
function upload(url: URL, file: File, progress: (share: number) => void): Promise<StagedModule> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url);
    request.setRequestHeader('content-type', 'application/wasm');
    request.responseType = 'text';
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    };
    request.onerror = () => reject(new LinkClosedError());
    request.onload = () => {
      try {
        const answer = JSON.parse(request.responseText) as StagedModule | Failure;
        if (request.status === 200) resolve(answer as StagedModule);
        else reject(answer);
      } catch {
        reject(new Error(`The engine answered ${request.status} ${request.statusText} to the upload of ${file.name}.`));
      }
    };
    request.send(file);
  });
}
