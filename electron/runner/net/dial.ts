/** Connections to others: to a gate, and to an address of the host's network. */
import { connect, type Socket } from 'node:net';
import { errno } from '../wasi/errno.ts';
import { errnoOfNet } from './errors.ts';
import { ACCEPTED, encodeGreeting } from './gate-protocol.ts';
import type { Errno, SocketAddress } from './guest-net.ts';

/** Milliseconds that a peer has to accept; its backlog may be full. */
const PATIENCE = 60_000;

export interface Dialled {
  readonly socket: Socket;
  /** Bytes read already. */
  readonly first: Buffer;
}

const NOTHING = Buffer.alloc(0);

/** A stream to a port behind a gate. `track` learns of the socket before it is connected. */
export function dialGate(
  path: string,
  to: SocketAddress,
  from: SocketAddress,
  track: (socket: Socket) => void,
): Promise<Dialled | Errno> {
  return new Promise((resolve) => {
    const socket = connect({ path, allowHalfOpen: true });
    track(socket);
    let settled = false;
    const settle = (result: Dialled | Errno): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      socket.off('data', verdict).off('end', refused);
      if (typeof result === 'number') socket.destroy();
      resolve(result);
    };
    const refused = (): void => settle(errno.connrefused);
    const verdict = (chunk: Buffer): void => {
      socket.pause();
      settle(chunk[0] === ACCEPTED ? { socket, first: chunk.subarray(1) } : errno.connrefused);
    };
    const timer = setTimeout(() => settle(errno.timedout), PATIENCE);
    // A gate that is gone has nobody behind it: whatever the reason, the peer does not listen.
    socket.on('error', refused).on('close', refused).on('end', refused).on('data', verdict);
    socket.write(encodeGreeting({ protocol: 'tcp', to, from }));
  });
}

/** A stream to an address as the host sees it. */
export function dialHost({ address, port }: SocketAddress, track: (socket: Socket) => void): Promise<Dialled | Errno> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, allowHalfOpen: true });
    track(socket);
    socket.once('connect', () => resolve({ socket, first: NOTHING }));
    socket.on('error', (error) => resolve(errnoOfNet(error)));
    socket.on('close', () => resolve(errno.connaborted));
  });
}

/** Ends a connection so that the peer reads an error; a unix socket has no such thing, there it is the end. */
export function reset(socket: Socket): void {
  if (socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
