import { once } from 'node:events';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import type { ContractRouterClient } from '@orpc/contract';
import { WebSocket } from 'ws';
import type { ChannelMessage, ChannelRequest } from '../../electron/contract/channels.ts';
import type { Failure } from '../../electron/contract/errors.ts';
import type { Contract } from '../../electron/contract/index.ts';
import type { StagedModule } from '../../electron/contract/modules.ts';

export type Client = ContractRouterClient<Contract>;

/** What a browser at the printed link can do, without a browser. */
export interface TestWindow {
  /** "http://127.0.0.1:PORT" */
  readonly origin: string;
  /** "drydock-PORT=…" */
  readonly cookie: string;
  readonly client: Client;
  /** Uploads a file; the answer is a StagedModule or a Failure. */
  stage(name: string, bytes: Uint8Array): Promise<StagedModule | Failure>;
  /** Opens a log or terminal, grants `credits` and gathers its messages until it closes. */
  channel(request: ChannelRequest, credits?: number): TestChannel;
  close(): void;
}

export interface TestChannel {
  readonly messages: readonly ChannelMessage[];
  readonly closed: Promise<unknown>;
  send(request: ChannelRequest): void;
  close(): void;
}

/** Exchanges the link's token for a cookie. @throws when it is not taken */
export async function logIn(url: string): Promise<string> {
  const answer = await fetch(url, { redirect: 'manual' });
  const cookie = answer.headers.get('set-cookie')?.split(';')[0];
  if (answer.status !== 303 || cookie === undefined) throw new Error(`the link was answered with ${answer.status}`);
  return cookie;
}

/** Opens a window at an engine's link. */
export async function openWindow(url: string): Promise<TestWindow> {
  const { origin } = new URL(url);
  const cookie = await logIn(url);
  const headers = { Cookie: cookie, Origin: origin };
  const connect = (path: string): WebSocket => new WebSocket(`${origin.replace('http', 'ws')}${path}`, { headers });
  const websocket = connect('/rpc');
  websocket.binaryType = 'arraybuffer';
  await once(websocket, 'open');
  const channels = new Set<WebSocket>();
  return {
    origin,
    cookie,
    client: createORPCClient(new RPCLink({ websocket: websocket as unknown as globalThis.WebSocket })),
    async stage(name, bytes) {
      const answer = await fetch(`${origin}/stage?name=${encodeURIComponent(name)}`, {
        method: 'POST',
        headers,
        body: new Uint8Array(bytes),
      });
      return (await answer.json()) as StagedModule | Failure;
    },
    channel(request, credits = 1000) {
      const socket = connect('/channel');
      channels.add(socket);
      const messages: ChannelMessage[] = [];
      socket.on('message', (data) => messages.push(JSON.parse(String(data)) as ChannelMessage));
      // What is said before the socket is open goes after the request.
      const early: ChannelRequest[] = [request, ...(credits > 0 ? [{ t: 'credit', n: credits } as const] : [])];
      const send = (message: ChannelRequest): void => {
        if (socket.readyState === WebSocket.CONNECTING) early.push(message);
        else socket.send(JSON.stringify(message));
      };
      socket.once('open', () => early.forEach((message) => socket.send(JSON.stringify(message))));
      return { messages, closed: once(socket, 'close'), send, close: () => socket.close() };
    },
    close() {
      websocket.terminate();
      for (const socket of channels) socket.terminate();
    },
  };
}
