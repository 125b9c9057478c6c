/** Ports of the host that lead to the guest. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { PublishedPort } from '../../supervisor/protocol.ts';
import { codeOf } from '../../fs/error.ts';
import { engineFault, type NotRunnable } from '../not-runnable.ts';
import type { SocketAddress } from './guest-net.ts';

/** Attempts to find a number that is free for IPv4 and IPv6. */
const TRIES = 8;

export interface PublishedListener {
  /** A connection, which is paused. */
  connection(socket: Socket, port: number): void;
  /** A datagram; `back` sends an answer. */
  datagram(
    bytes: Uint8Array,
    port: number,
    from: SocketAddress,
    back: (bytes: Uint8Array, done: () => void) => void,
  ): void;
}

interface Opened {
  readonly port: number;
  close(): void;
}

/**
 * Opens all or none. Returns the ports as they were opened, in order; the same free one for 0.0.0.0 and :: where that can be had.
 * @throws NotRunnable
 */
export async function openPorts(
  ports: readonly PublishedPort[],
  listener: PublishedListener,
): Promise<{ readonly ports: readonly number[]; close(): void }> {
  const opened: Opened[] = [];
  const close = (): void => {
    for (const one of opened) one.close();
  };
  try {
    for (let at = 0; at < ports.length; at++) {
      const port = ports[at] as PublishedPort;
      const next = ports[at + 1];
      if (next && isTwin(port, next)) {
        opened.push(...(await openTwins(port, next, listener)));
        at++;
      } else opened.push(await open(port, port.hostPort, listener));
    }
  } catch (error) {
    close();
    throw error;
  }
  return { ports: opened.map(({ port }) => port), close };
}

const isTwin = (one: PublishedPort, other: PublishedPort): boolean =>
  one.hostPort === 0 &&
  other.hostPort === 0 &&
  one.port === other.port &&
  one.protocol === other.protocol &&
  one.hostIp !== other.hostIp;

async function openTwins(one: PublishedPort, other: PublishedPort, listener: PublishedListener): Promise<Opened[]> {
  for (let tries = TRIES; ; tries--) {
    const first = await open(one, 0, listener);
    try {
      return [first, await open(other, tries > 0 ? first.port : 0, listener)];
    } catch (error) {
      first.close();
      if (tries === 0 || (error as NotRunnable).kind !== 'conflict') throw error;
    }
  }
}

async function open(port: PublishedPort, hostPort: number, listener: PublishedListener): Promise<Opened> {
  try {
    return port.protocol === 'tcp' ? await openTcp(port, hostPort, listener) : await openUdp(port, hostPort, listener);
  } catch (error) {
    throw asFailure(error, `${isV6(port) ? `[${port.hostIp}]` : port.hostIp}:${hostPort}`);
  }
}

/** The docker CLI takes the words "permission denied" for a program that cannot be run (exit code 126). */
function asFailure(error: unknown, where: string): NotRunnable {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return engineFault('conflict', `Bind for ${where} failed: port is already allocated`);
    case 'EACCES':
    case 'EPERM':
      return engineFault(
        'denied',
        `Bind for ${where} failed: this user may not open that port of the host; publish one from 1024 on`,
      );
    case 'EADDRNOTAVAIL':
      return engineFault('invalid', `Bind for ${where} failed: no such address on this host`);
    default:
      return engineFault('unavailable', `Bind for ${where} failed: ${(error as Error).message}`);
  }
}

const isV6 = ({ hostIp }: PublishedPort): boolean => hostIp.includes(':');

function openTcp(published: PublishedPort, hostPort: number, listener: PublishedListener): Promise<Opened> {
  const server: Server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) =>
    listener.connection(socket, published.port),
  );
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(
      { host: published.hostIp, port: hostPort, ipv6Only: isV6(published), exclusive: true, backlog: 4096 },
      () => resolve({ port: (server.address() as AddressInfo).port, close: () => void server.close() }),
    );
  });
}

function openUdp(published: PublishedPort, hostPort: number, listener: PublishedListener): Promise<Opened> {
  const socket: UdpSocket = isV6(published)
    ? createSocket({ type: 'udp6', ipv6Only: true })
    : createSocket({ type: 'udp4' });
  let closed = false;
  const close = (): void => {
    if (!closed) socket.close();
    closed = true;
  };
  socket.on('message', (bytes, { address, port }) =>
    listener.datagram(bytes, published.port, { address: address.replace(/%.*/, ''), port }, (answer, done) => {
      if (closed) return done();
      socket.send(answer, port, address, done);
    }),
  );
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      close();
      reject(error);
    };
    socket.once('error', failed);
    socket.bind({ address: published.hostIp, port: hostPort, exclusive: true }, () => {
      // What a peer's host says of a datagram that we have sent is nothing that closes a port.
      socket.off('error', failed).on('error', () => undefined);
      resolve({ port: socket.address().port, close });
    });
  });
}
