import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { NetSpec } from '../../supervisor/protocol.ts';
import { errno } from '../wasi/errno.ts';
import { unmapped } from '../wasi/ip-address.ts';
import { destination, fromOutside, hears, isAny, isLoopback, maySpeak, seenBy } from './address.ts';
import type { Ask } from './asker.ts';
import { dialGate, dialHost, reset } from './dial.ts';
import { errnoOfNet, errnoOfRefusal } from './errors.ts';
import { ACCEPTED, type Greeting, REFUSED } from './gate-protocol.ts';
import type { Errno, SocketAddress, SocketFamily } from './guest-net.ts';
import { type CarrierKeeper, KernelCarrier, type Traffic } from './kernel-carrier.ts';
import { localPair } from './local-carrier.ts';
import type { Room } from './room.ts';
import type { Bound, Connection, Incoming, Listener, StreamHome } from './socket-home.ts';

/** Milliseconds that connections have at the end of a run for what its guest has sent. */
const FAREWELL = 1000;

/** Closed connections that may wait for peers which do not read; beyond, the oldest are given up, as a kernel gives up orphans. */
const MOST_LINGERING = 256;

/** Ports of the near end of connections, which nobody else knows. */
const FIRST_FREE = 32_768;
const FREE = 28_232;

interface Listening {
  readonly listener: Listener;
  readonly address: string;
}

export interface StreamsOptions {
  readonly ask: Ask;
  readonly traffic: Traffic;
  /** Of this run; undefined when it has none. */
  readonly gate: string | undefined;
  /** How connections to published ports look from inside. */
  readonly published: NetSpec['published'];
  readonly room: Room;
  /** Before a port is claimed: others may come from that moment on. */
  openGate(): Promise<void>;
}

/** Stream connections of one guest: within itself, with other runs, with the world, and from ports that are published on the host. */
export class Streams implements StreamHome, CarrierKeeper {
  readonly room: Room;
  readonly #options: StreamsOptions;
  /** By port. */
  readonly #listening = new Map<number, Listening>();
  readonly #carriers = new Set<KernelCarrier>();
  /** Those whose sockets are closed, the oldest first. */
  readonly #lingering = new Set<KernelCarrier>();
  /** Sockets of the host that no carrier has yet, or that none will have. */
  readonly #loose = new Set<Socket>();
  readonly #servers = new Set<{ close(): void }>();
  #nextPort = 0;
  #closed = false;

  constructor(options: StreamsOptions) {
    this.room = options.room;
    this.#options = options;
  }

  async bindStream(listener: Listener, wanted: SocketAddress): Promise<Bound | Errno> {
    const { ask, openGate } = this.#options;
    await openGate();
    const address = unmapped(wanted.address);
    const answer = await ask({ ask: 'listen', protocol: 'tcp', address, port: wanted.port });
    if ('error' in answer) return errnoOfRefusal(answer.error);
    if (!('port' in answer) || this.#closed) return errno.netdown;
    if ('host' in answer) return this.#bindHost(listener, { address: wanted.address, port: wanted.port });
    const { port } = answer;
    this.#listening.set(port, { listener, address });
    return {
      local: { address: wanted.address, port },
      release: () => {
        this.#listening.delete(port);
        void ask({ ask: 'unlisten', protocol: 'tcp', port });
      },
    };
  }

  async connectStream(
    family: SocketFamily,
    from: SocketAddress,
    wanted: SocketAddress,
    dialling: (giveUp: () => void) => void,
  ): Promise<Connection | Errno> {
    const to = { address: destination(wanted.address), port: wanted.port };
    if (to.port === 0) return errno.connrefused;
    const { ask, gate: own } = this.#options;
    const source = (address: string): SocketAddress => ({
      address: isAny(from.address) ? address : unmapped(from.address),
      port: from.port === 0 ? this.#freePort() : from.port,
    });
    const seen = (carrier: Connection['carrier'], local: SocketAddress): Connection => ({
      carrier,
      local: seenBy(family, local),
      peer: seenBy(family, to),
    });
    if (isLoopback(to.address) && this.#find(to)) return this.#connectOwn(to, source(to.address), seen);
    const answer = await ask({ ask: 'route', protocol: 'tcp', ...to });
    if (this.#closed) return errno.netdown;
    if ('error' in answer) return errnoOfRefusal(answer.error);
    const track = (socket: Socket): void => {
      this.#track(socket);
      dialling(() => void socket.destroy());
    };
    if ('source' in answer && !maySpeak(from.address, to.address, answer.source)) return errno.inval;
    if ('gate' in answer) {
      const there = { address: to.address, port: answer.port };
      const here = source(answer.source);
      if (answer.gate === own) return this.#connectOwn(there, here, seen);
      const dialled = await dialGate(answer.gate, there, here, track);
      if (typeof dialled === 'number') return dialled;
      return seen(this.#carrier(dialled.socket, dialled.first), here);
    }
    if (!('address' in answer)) return errno.netunreach;
    const dialled = await dialHost(answer, track);
    if (typeof dialled === 'number') return dialled;
    const { localAddress = answer.source, localPort = 0 } = dialled.socket;
    return seen(this.#carrier(dialled.socket, dialled.first), {
      address: isAny(answer.source) ? localAddress : answer.source,
      port: localPort,
    });
  }

  /** Another run at the gate. */
  called(socket: Socket, { to, from }: Greeting, first: Buffer): void {
    this.#track(socket);
    const refuse = (): void => void socket.end(Uint8Array.of(REFUSED));
    const found = this.#find(to);
    if (!found) return refuse();
    found.listener.offer(
      this.#incoming(found.listener, to, from, refuse, () => {
        if (!socket.writable) return undefined;
        socket.write(Uint8Array.of(ACCEPTED));
        return this.#carrier(socket, first);
      }),
    );
  }

  /** A connection to a port published on the host, for whoever in the guest's network listens on `port`. */
  async forward(socket: Socket, port: number): Promise<void> {
    this.#track(socket);
    socket.on('error', () => socket.destroy());
    const { remoteAddress, remotePort, localAddress = '0.0.0.0' } = socket;
    // Gone already.
    if (remoteAddress === undefined || remotePort === undefined) return void socket.destroy();
    const { published } = this.#options;
    const from = { address: fromOutside(remoteAddress, published), port: remotePort };
    const own = this.#listening.get(port);
    if (own && !isLoopback(own.address)) {
      const inside = published?.guest ?? unmapped(localAddress).replace(/%.*/, '');
      const local = { address: isAny(own.address) ? inside : own.address, port };
      const refuse = (): void => reset(socket);
      const take = () => (socket.destroyed ? undefined : this.#carrier(socket));
      return own.listener.offer(this.#incoming(own.listener, local, from, refuse, take));
    }
    // By the guest's address: its loopback is not for others.
    const to = { address: published?.guest ?? '127.0.0.1', port };
    const answer = await this.#options.ask({ ask: 'route', protocol: 'tcp', ...to });
    if (!('gate' in answer) || answer.gate === this.#options.gate || this.#closed) return reset(socket);
    const dialled = await dialGate(answer.gate, { ...to, port: answer.port }, from, this.#track);
    if (typeof dialled === 'number') return reset(socket);
    this.#join(socket, dialled.socket, dialled.first);
  }

  /** Ends all. With `graceful`, what the guest has sent gets a moment to be delivered. Resolves when every socket of the host is closed. */
  async close(graceful: boolean): Promise<void> {
    this.#closed = true;
    for (const server of this.#servers) server.close();
    for (const socket of this.#loose) socket.destroy();
    if (graceful) await this.#farewell();
    for (const carrier of this.#carriers) carrier.destroy();
  }

  #farewell(): Promise<void> {
    const deadline = performance.now() + FAREWELL;
    return new Promise((resolve) => {
      const look = (): void => {
        const busy = [...this.#carriers].some((carrier) => carrier.queued > 0);
        if (!busy || performance.now() > deadline) resolve();
        else setTimeout(look, 2);
      };
      look();
    });
  }

  async #bindHost(listener: Listener, wanted: SocketAddress): Promise<Bound | Errno> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      this.#track(socket);
      socket.on('error', () => socket.destroy());
      const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = socket;
      const take = () => (socket.destroyed ? undefined : this.#carrier(socket));
      const [local, peer] = [
        { address: localAddress, port: localPort },
        { address: remoteAddress, port: remotePort },
      ];
      listener.offer(this.#incoming(listener, local, peer, () => reset(socket), take));
    });
    return new Promise((resolve) => {
      server.on('error', (error) => resolve(errnoOfNet(error)));
      server.listen({ host: wanted.address, port: wanted.port, exclusive: true, backlog: 4096 }, () => {
        this.#servers.add(server);
        if (this.#closed) server.close();
        const { port } = server.address() as AddressInfo;
        // Only now it is known whether the host has the port to give, and which.
        const address = unmapped(wanted.address);
        void this.#options.ask({ ask: 'listen', protocol: 'tcp', address, port, bound: true });
        resolve({
          local: { address: wanted.address, port },
          release: () => {
            this.#servers.delete(server);
            server.close();
            void this.#options.ask({ ask: 'unlisten', protocol: 'tcp', port });
          },
        });
      });
    });
  }

  #connectOwn(
    to: SocketAddress,
    from: SocketAddress,
    seen: (carrier: Connection['carrier'], local: SocketAddress) => Connection,
  ): Promise<Connection | Errno> | Errno {
    const found = this.#find(to);
    if (!found) return errno.connrefused;
    return new Promise((resolve) => {
      found.listener.offer(
        this.#incoming(
          found.listener,
          to,
          from,
          () => resolve(errno.connrefused),
          () => {
            const [near, far] = localPair();
            resolve(seen(near, from));
            return far;
          },
        ),
      );
    });
  }

  #incoming(
    { family }: Listener,
    local: SocketAddress,
    peer: SocketAddress,
    refuse: () => void,
    take: Incoming['take'],
  ): Incoming {
    return { local: seenBy(family, local), peer: seenBy(family, peer), refuse, take };
  }

  #find({ address, port }: SocketAddress): Listening | undefined {
    const found = this.#listening.get(port);
    return found && hears(found.address, address) ? found : undefined;
  }

  #freePort(): number {
    const first = this.#nextPort;
    do {
      this.#nextPort = (this.#nextPort + 1) % FREE;
      if (!this.#listening.has(FIRST_FREE + this.#nextPort)) break;
    } while (this.#nextPort !== first);
    return FIRST_FREE + this.#nextPort;
  }

  readonly #track = (socket: Socket): void => {
    this.#loose.add(socket);
    socket.once('close', () => this.#loose.delete(socket));
    if (this.#closed) socket.destroy();
  };

  #carrier(socket: Socket, first?: Uint8Array): KernelCarrier {
    this.#loose.delete(socket);
    const carrier = new KernelCarrier(socket, this.#options.traffic, this, first);
    this.#carriers.add(carrier);
    return carrier;
  }

  gone(carrier: KernelCarrier): void {
    this.#carriers.delete(carrier);
    this.#lingering.delete(carrier);
  }

  lingers(carrier: KernelCarrier): void {
    this.#lingering.add(carrier);
    if (this.#lingering.size > MOST_LINGERING) (this.#lingering.keys().next().value as KernelCarrier).destroy(true);
  }

  /** Passes bytes both ways, for a member of the guest's network that listens in another run. */
  #join(one: Socket, other: Socket, first: Buffer): void {
    const count = (bytes: Buffer): void => void (this.#options.traffic.received += bytes.length);
    one.on('data', count);
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      from.on('error', () => to.destroy());
      from.on('close', (broken) => broken && to.destroy());
      from.pipe(to);
    }
    if (first.length > 0) one.write(first);
    one.resume();
    other.resume();
  }
}
