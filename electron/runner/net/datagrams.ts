import { connect, type Socket } from 'node:net';
import type { NetAnswer, NetSpec } from '../../supervisor/protocol.ts';
import { errno } from '../wasi/errno.ts';
import { anyAddress, unmapped } from '../wasi/ip-address.ts';
import { destination, fromOutside, hears, isLoopback, maySpeak, seenBy } from './address.ts';
import type { Ask } from './asker.ts';
import { BoundedMap } from './bounded-map.ts';
import { DatagramLink } from './datagram-link.ts';
import type { DatagramHome, DatagramSocket } from './datagram-socket.ts';
import { errnoOfRefusal } from './errors.ts';
import { encodeGreeting, type Frame } from './gate-protocol.ts';
import type { Errno, SocketAddress } from './guest-net.ts';
import { HostDatagrams } from './host-datagrams.ts';
import type { Traffic } from './kernel-carrier.ts';
import type { Room } from './room.ts';
import type { Bound } from './socket-home.ts';

/** Milliseconds that the engine's answer for a destination is believed. */
const FRESH = 1000;
const ROUTES = 1024;
/** Links to other runs at once, and peers of published ports that are remembered. */
const LINKS = 256;
const PEERS = 4096;

interface Route {
  readonly answer: Promise<NetAnswer>;
  readonly until: number;
}

/** Sends a datagram back on the way on which one has come. */
type Back = (bytes: Uint8Array, done: () => void) => void;

const keyOf = (port: number, peer: SocketAddress): string => `${port} ${unmapped(peer.address)} ${peer.port}`;

export interface DatagramsOptions {
  readonly ask: Ask;
  readonly traffic: Traffic;
  /** Of this run; undefined when it has none. */
  readonly gate: string | undefined;
  /** How datagrams to published ports look from inside. */
  readonly published: NetSpec['published'];
  readonly room: Room;
  /** Before a port is claimed: others may send from that moment on. */
  openGate(): Promise<void>;
}

/** Datagrams of one guest: to itself, to other runs, to the world, and from ports that are published on the host. */
export class Datagrams implements DatagramHome {
  readonly room: Room;
  readonly #options: DatagramsOptions;
  /** By port. */
  readonly #sockets = new Map<number, { readonly socket: DatagramSocket; readonly address: string }>();
  readonly #hosts = new Map<DatagramSocket, HostDatagrams>();
  readonly #routes = new BoundedMap<string, Route>(ROUTES);
  readonly #links = new Map<string, DatagramLink>();
  readonly #callers = new Set<DatagramLink>();
  readonly #back = new BoundedMap<string, Back>(PEERS);
  #closed = false;
  /** Sent by the guest and not on their way yet. */
  #leaving = 0;

  constructor(options: DatagramsOptions) {
    this.room = options.room;
    this.#options = options;
  }

  async bindDatagram(socket: DatagramSocket, wanted: SocketAddress): Promise<Bound | Errno> {
    const { ask, openGate } = this.#options;
    await openGate();
    const address = unmapped(wanted.address);
    const answer = await ask({ ask: 'listen', protocol: 'udp', address, port: wanted.port });
    if ('error' in answer) return errnoOfRefusal(answer.error);
    if (!('port' in answer) || this.#closed) return errno.netdown;
    if ('host' in answer) {
      const bound = await this.#host(socket).bind({ address, port: wanted.port });
      if (typeof bound === 'number') return bound;
      const { port } = bound;
      void ask({ ask: 'listen', protocol: 'udp', address, port, bound: true });
      return {
        local: { address: wanted.address, port },
        release: () => {
          this.#forget(socket);
          void ask({ ask: 'unlisten', protocol: 'udp', port });
        },
      };
    }
    const { port } = answer;
    this.#sockets.set(port, { socket, address });
    return {
      local: { address: wanted.address, port },
      release: () => {
        this.#sockets.delete(port);
        this.#forget(socket);
        void ask({ ask: 'unlisten', protocol: 'udp', port });
      },
    };
  }

  sendDatagram(socket: DatagramSocket, bytes: Uint8Array, wanted: SocketAddress, sent: (error?: Errno) => void): void {
    this.#leaving += 1;
    const done = (error?: Errno): void => {
      this.#leaving -= 1;
      sent(error);
      // It was closed before all was on its way.
      if (socket.closed) this.#forget(socket);
    };
    const to = { address: destination(wanted.address), port: wanted.port };
    const { port } = socket.localAddress();
    const back = this.#back.get(keyOf(port, to));
    if (back) return back(bytes, done);
    // Later, as everything that goes further: who sends to itself does not hear of it within the call.
    const route = this.#isOwn(to) ? Promise.resolve(undefined) : this.#route(to);
    void route.then((answer) => {
      if (this.#closed) return done();
      this.#transmit(socket, bytes, to, wanted, answer, done);
    });
  }

  /** A datagram that came to a port published on the host, for whoever in the guest's network has `port`. */
  async forward(bytes: Uint8Array, port: number, outside: SocketAddress, back: Back): Promise<void> {
    const { published, gate } = this.#options;
    const from = { address: fromOutside(outside.address, published), port: outside.port };
    const own = this.#sockets.get(port);
    if (own && !isLoopback(own.address)) {
      this.#back.set(keyOf(port, from), back);
      return own.socket.deliver(bytes, seenBy(own.socket.family, from));
    }
    // By the guest's address: its loopback is not for others.
    const to = { address: published?.guest ?? '127.0.0.1', port };
    const answer = await this.#route(to);
    if (this.#closed || !('gate' in answer) || answer.gate === gate) return;
    this.#back.set(keyOf(port, from), back);
    this.#link(answer.gate)?.send({ to: { ...to, port: answer.port }, from, forwarded: true, bytes });
  }

  /** Another run sends datagrams. */
  called(socket: Socket, first: Buffer): void {
    if (this.#callers.size >= LINKS) return void socket.destroy();
    const link = new DatagramLink(
      socket,
      (frame, from) => this.#heard(frame, from),
      (gone) => this.#callers.delete(gone),
      first,
    );
    this.#callers.add(link);
  }

  /** Resolves when what the guest has sent is on its way, as it would be in a kernel after the program has ended; at the latest after `limit` ms. */
  async flushed(limit: number): Promise<void> {
    const deadline = performance.now() + limit;
    const busy = (): boolean =>
      this.#leaving > 0 || [...this.#links.values(), ...this.#callers].some((link) => link.busy);
    while (busy() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  close(): void {
    this.#closed = true;
    for (const host of this.#hosts.values()) host.close();
    for (const link of [...this.#links.values(), ...this.#callers]) link.close();
  }

  #isOwn(to: SocketAddress): boolean {
    const own = this.#sockets.get(to.port);
    return own !== undefined && isLoopback(to.address) && hears(own.address, to.address);
  }

  #route({ address, port }: SocketAddress): Promise<NetAnswer> {
    const key = `${address} ${port}`;
    const known = this.#routes.get(key);
    const now = performance.now();
    if (known && known.until > now) return known.answer;
    const answer = this.#options.ask({ ask: 'route', protocol: 'udp', address, port });
    this.#routes.set(key, { answer, until: now + FRESH });
    return answer;
  }

  #transmit(
    socket: DatagramSocket,
    bytes: Uint8Array,
    to: SocketAddress,
    wanted: SocketAddress,
    answer: NetAnswer | undefined,
    done: (error?: Errno) => void,
  ): void {
    const local = socket.localAddress();
    const source = (otherwise: string): SocketAddress => ({
      address: unmapped(local.address) === anyAddress(4) || local.address === anyAddress(6) ? otherwise : local.address,
      port: local.port,
    });
    if (!answer) {
      this.#deliver(to, source(to.address), bytes);
    } else if ('error' in answer) {
      return done(errnoOfRefusal(answer.error));
    } else if ('source' in answer && !maySpeak(local.address, to.address, answer.source)) {
      return done(errno.inval);
    } else if ('gate' in answer) {
      const from = source(answer.source);
      if (answer.gate === this.#options.gate) this.#deliver({ address: to.address, port: answer.port }, from, bytes);
      else {
        this.#options.traffic.sent += bytes.length;
        const frame = { to: { address: to.address, port: answer.port }, from, forwarded: false, bytes };
        this.#link(answer.gate)?.send(frame);
      }
    } else if ('address' in answer) {
      return this.#host(socket).send(bytes, answer, wanted, done);
    }
    done();
  }

  #deliver(to: SocketAddress, from: SocketAddress, bytes: Uint8Array): DatagramSocket | undefined {
    const own = this.#sockets.get(to.port);
    if (!own || !hears(own.address, to.address)) return undefined;
    own.socket.deliver(bytes, seenBy(own.socket.family, from));
    return own.socket;
  }

  #heard({ to, from, forwarded, bytes }: Frame, link: DatagramLink): void {
    if (this.#closed) return;
    this.#options.traffic.received += bytes.length;
    // The answer of another run to somebody who came to a port that is published here.
    const back = forwarded ? this.#back.get(keyOf(from.port, to)) : undefined;
    if (back) return back(bytes, () => undefined);
    if (forwarded)
      this.#back.set(keyOf(to.port, from), (answer, done) => {
        this.#options.traffic.sent += answer.length;
        link.send({ to: from, from: to, forwarded: true, bytes: answer });
        done();
      });
    this.#deliver(to, from, bytes);
  }

  #link(gate: string): DatagramLink | undefined {
    const known = this.#links.get(gate);
    if (known) return known;
    if (this.#links.size >= LINKS) return undefined;
    const socket = connect({ path: gate });
    // The ends are those of each datagram.
    const nobody = { address: '0.0.0.0', port: 0 };
    socket.write(encodeGreeting({ protocol: 'udp', to: nobody, from: nobody }));
    const link = new DatagramLink(
      socket,
      (frame, from) => this.#heard(frame, from),
      () => this.#links.delete(gate),
    );
    this.#links.set(gate, link);
    return link;
  }

  #host(socket: DatagramSocket): HostDatagrams {
    const known = this.#hosts.get(socket);
    if (known) return known;
    const host = new HostDatagrams(this.#options.traffic, (bytes, from) =>
      socket.deliver(bytes, seenBy(socket.family, from)),
    );
    this.#hosts.set(socket, host);
    return host;
  }

  /** Unless something is on its way still. */
  #forget(socket: DatagramSocket): void {
    if (socket.queued > 0) return;
    this.#hosts.get(socket)?.close();
    this.#hosts.delete(socket);
  }
}
