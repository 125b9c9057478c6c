import type { GuestNet, GuestSocket, Pending } from '../net/guest-net.ts';
import { errno, WasiError } from './errno.ts';
import { SOCKET_RIGHTS } from './types.ts';

/** Milliseconds of SO_LINGER are whole seconds in every host. */
export interface Linger {
  readonly on: number;
  readonly seconds: number;
}

/** Options that the host keeps: those that only it heeds, and those that it passes on and has to tell again. Times in ns, 0 = for ever. */
export interface SocketSettings {
  reuseAddress: number;
  dontRoute: number;
  broadcast: number;
  sendBuffer: number;
  receiveBuffer: number;
  keepAlive: number;
  outOfBandInline: number;
  linger: Linger;
  /** Bytes that a blocking receive waits for. */
  receiveLow: number;
  receiveTimeout: bigint;
  sendTimeout: bigint;
}

/** What edge-triggered polling has told, and what has happened since: see poll-readiness.ts. */
export interface SocketEdges {
  /** Bytes of a stream, datagrams, or connections that the guest has taken. */
  taken: number;
  /** Times that the guest found no room, or began to connect. */
  stalled: number;
  toldRead: number;
  toldWrite: number;
  /** The call of epoll_oneoff that last had a subscription of this kind. */
  readCall: number;
  writeCall: number;
}

export interface SocketDescriptor {
  readonly kind: 'socket';
  readonly socket: GuestSocket;
  /** Bits of `right`. */
  rights: number;
  inheriting: number;
  /** Bits of `fdflag`; only NONBLOCK means anything. */
  flags: number;
  readonly settings: SocketSettings;
  /** A connect that the guest does not wait for. */
  connecting: Pending<number> | undefined;
  readShut: boolean;
  writeShut: boolean;
  /** The connection broke and the guest knows why: what it sends from now on is EPIPE, what it reads is the end. */
  broken: boolean;
  /** Closed while another thread of the guest waits on it. */
  closed: boolean;
  readonly edges: SocketEdges;
}

/** What Linux gives a new socket, in bytes. */
const DEFAULT_BUFFER = 212_992;

export function socketDescriptor(socket: GuestSocket, flags = 0): SocketDescriptor {
  return {
    kind: 'socket',
    socket,
    rights: SOCKET_RIGHTS,
    inheriting: SOCKET_RIGHTS,
    flags,
    settings: {
      reuseAddress: 0,
      dontRoute: 0,
      broadcast: 0,
      sendBuffer: DEFAULT_BUFFER,
      receiveBuffer: DEFAULT_BUFFER,
      keepAlive: 0,
      outOfBandInline: 0,
      linger: { on: 0, seconds: 0 },
      receiveLow: 1,
      receiveTimeout: 0n,
      sendTimeout: 0n,
    },
    connecting: undefined,
    readShut: false,
    writeShut: false,
    broken: false,
    closed: false,
    edges: { taken: 0, stalled: 0, toldRead: -1, toldWrite: -1, readCall: -1, writeCall: -1 },
  };
}

/** Lets a connect that nobody waits for go on. To be called before the state is looked at. */
export function progress(descriptor: SocketDescriptor): void {
  if (descriptor.connecting?.poll() !== undefined) descriptor.connecting = undefined;
}

/** The pending error, which is taken; 0 = none. */
export function takeError(descriptor: SocketDescriptor): number {
  const error = descriptor.socket.error(true);
  if (error !== 0 && descriptor.socket.type === 'stream') descriptor.broken = true;
  return error;
}

/** The network, for those who cannot go on without. @throws WasiError NOTSUP */
export function needNet(net: GuestNet | undefined): GuestNet {
  if (!net) throw new WasiError(errno.notsup);
  return net;
}
