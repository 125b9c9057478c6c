import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { familyOf } from '../wasi/ip-address.ts';
import { BoundedMap } from './bounded-map.ts';
import { errnoOfNet } from './errors.ts';
import type { Errno, SocketAddress, SocketFamily } from './guest-net.ts';
import type { Traffic } from './kernel-carrier.ts';

/** Peers whose answers are let in. */
const PEERS = 1024;

const keyOf = (address: string, port: number): string => `${address} ${port}`;

/** The sockets of the host through which one datagram socket of a guest reaches the world: at most one for each family, made when it is needed. */
export class HostDatagrams {
  readonly #traffic: Traffic;
  readonly #deliver: (bytes: Uint8Array, from: SocketAddress) => void;
  readonly #sockets = new Map<SocketFamily, Socket>();
  /** By real address: the one that the guest has used for it. */
  readonly #peers = new BoundedMap<string, SocketAddress>(PEERS);
  /** Anybody may send here: the guest has bound a port of the host itself. */
  #open = false;
  #closed = false;

  constructor(traffic: Traffic, deliver: (bytes: Uint8Array, from: SocketAddress) => void) {
    this.#traffic = traffic;
    this.#deliver = deliver;
  }

  /** Binds a port of the host (`--network host`). The port, or why not. */
  bind({ address, port }: SocketAddress): Promise<{ readonly port: number } | Errno> {
    const family = familyOf(address) ?? 4;
    this.#open = true;
    const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6' });
    this.#sockets.set(family, socket);
    return new Promise((resolve) => {
      const failed = (error: Error): void => {
        this.#sockets.delete(family);
        socket.close();
        resolve(errnoOfNet(error));
      };
      socket.once('error', failed);
      socket.bind({ address, port, exclusive: true }, () => {
        socket.off('error', failed);
        this.#serve(socket);
        resolve({ port: socket.address().port });
      });
    });
  }

  /** Sends to an address of the host's network that the guest knows as `known`. */
  send(bytes: Uint8Array, to: SocketAddress, known: SocketAddress, done: (error?: Errno) => void): void {
    if (this.#closed) return done();
    this.#peers.set(keyOf(to.address, to.port), known);
    this.#traffic.sent += bytes.length;
    const socket = this.#socket(familyOf(to.address) ?? 4);
    try {
      socket.send(bytes, to.port, to.address, (error) => done(error ? errnoOfNet(error) : undefined));
    } catch (error) {
      done(errnoOfNet(error));
    }
  }

  close(): void {
    this.#closed = true;
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #socket(family: SocketFamily): Socket {
    const known = this.#sockets.get(family);
    if (known) return known;
    const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
    this.#sockets.set(family, socket);
    this.#serve(socket);
    return socket;
  }

  #serve(socket: Socket): void {
    socket.on('error', () => undefined);
    socket.on('message', (bytes: Buffer, { address, port }: RemoteInfo) => {
      const known = this.#peers.get(keyOf(address, port));
      if (!known && !this.#open) return;
      this.#traffic.received += bytes.length;
      this.#deliver(bytes, known ?? { address, port });
    });
  }
}
