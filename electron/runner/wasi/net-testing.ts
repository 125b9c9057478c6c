/** For tests only: a network within one test, whose requests are answered when the test says so. */
import type {
  Datagram,
  Errno,
  GuestNet,
  GuestSocket,
  Pending,
  SocketAddress,
  SocketFamily,
  SocketOptions,
  SocketType,
} from '../net/guest-net.ts';
import { errno } from './errno.ts';

/** Bytes that one end of a stream holds. */
const CAPACITY = 1000;

export class FakeNet implements GuestNet {
  readonly sockets: FakeSocket[] = [];
  readonly names = new Map<string, readonly string[] | Errno>();
  readonly asked: (readonly [string, number])[] = [];
  /** While true, requests stay under way. */
  held = false;
  #port = 40_000;

  socket(family: SocketFamily, type: SocketType): FakeSocket {
    const socket = new FakeSocket(this, family, type);
    this.sockets.push(socket);
    return socket;
  }

  lookup(name: string, family: 0 | SocketFamily): Pending<readonly string[] | Errno> {
    this.asked.push([name, family]);
    return this.later(() => this.names.get(name) ?? errno.noent);
  }

  /** Answers once nothing is held back. */
  later<T>(act: () => T): Pending<T> {
    let value: T | undefined;
    return { poll: () => (this.held ? undefined : (value ??= act())) };
  }

  freePort(): number {
    return this.#port++;
  }

  bound(type: SocketType, port: number): FakeSocket | undefined {
    return this.sockets.find((one) => one.type === type && !one.closed && one.local.port === port && !one.accepted);
  }

  /** A peer outside of the guest that connects to a port where the guest listens. */
  connectTo(port: number): FakeSocket {
    const peer = new FakeSocket(this, 4, 'stream');
    this.sockets.push(peer);
    peer.connect({ address: '127.0.0.1', port }).poll();
    return peer;
  }
}

export class FakeSocket implements GuestSocket {
  readonly family: SocketFamily;
  readonly type: SocketType;
  readonly #net: FakeNet;
  state: GuestSocket['state'] = 'fresh';
  local: SocketAddress;
  peer: SocketAddress | undefined;
  other: FakeSocket | undefined;
  accepted = false;
  closed = false;
  pending = 0;
  queue: FakeSocket[] = [];
  bytes = Buffer.alloc(0);
  datagrams: { readonly bytes: Buffer; readonly from: SocketAddress }[] = [];
  capacity = CAPACITY;
  shut = { read: false, write: false };
  readonly options: SocketOptions[] = [];

  constructor(net: FakeNet, family: SocketFamily, type: SocketType) {
    this.#net = net;
    this.family = family;
    this.type = type;
    this.local = { address: family === 4 ? '0.0.0.0' : '::', port: 0 };
  }

  bind({ address, port }: SocketAddress): Pending<Errno> {
    return this.#net.later(() => {
      if (port !== 0 && this.#net.bound(this.type, port)) return errno.addrinuse;
      this.local = { address, port: port === 0 ? this.#net.freePort() : port };
      this.state = 'bound';
      return errno.success;
    });
  }

  listen(): Pending<Errno> {
    return this.#net.later(() => {
      if (this.local.port === 0) this.local = { ...this.local, port: this.#net.freePort() };
      this.state = 'listening';
      return errno.success;
    });
  }

  connect(address: SocketAddress): Pending<Errno> {
    if (this.type === 'dgram') {
      this.peer = address;
      return this.#net.later(() => errno.success);
    }
    this.state = 'connecting';
    return this.#net.later(() => {
      const listener = this.#net.bound('stream', address.port);
      if (listener?.state !== 'listening') {
        this.state = 'failed';
        this.pending = errno.connrefused;
        return errno.connrefused;
      }
      if (this.local.port === 0) this.local = { address: '127.0.0.1', port: this.#net.freePort() };
      this.peer = address;
      const end = this.#net.socket(listener.family, 'stream');
      Object.assign(end, { state: 'connected', accepted: true, local: listener.local, peer: this.local, other: this });
      this.other = end;
      this.state = 'connected';
      listener.queue.push(end);
      return errno.success;
    });
  }

  accept(): GuestSocket | undefined {
    return this.queue.shift();
  }
  backlog(): number {
    return this.queue.length;
  }

  receive(into: readonly Uint8Array[], peek: boolean): number {
    const taken = copy(this.bytes, into);
    if (!peek) this.bytes = this.bytes.subarray(taken);
    return taken;
  }

  receiveFrom(into: readonly Uint8Array[], peek: boolean): Datagram | undefined {
    const first = this.datagrams[0];
    if (!first) return undefined;
    const length = copy(first.bytes, into);
    if (!peek) this.datagrams.shift();
    return { length, truncated: length < first.bytes.length, from: first.from };
  }

  available(): number {
    return this.type === 'dgram' ? (this.datagrams[0]?.bytes.length ?? 0) : this.bytes.length;
  }
  ended(): boolean {
    if (this.bytes.length > 0 || this.state !== 'connected') return false;
    return this.shut.read || this.pending !== 0 || !this.other || this.other.closed || this.other.shut.write;
  }

  send(chunks: readonly Uint8Array[]): number {
    const { other } = this;
    if (!other) return 0;
    const taken = Buffer.concat(chunks).subarray(0, other.capacity - other.bytes.length);
    other.bytes = Buffer.concat([other.bytes, taken]);
    return taken.length;
  }

  sendTo(chunks: readonly Uint8Array[], to = this.peer): Errno | undefined {
    if (!to) return errno.destaddrreq;
    const target = this.#net.bound('dgram', to.port);
    if (!target) return errno.success; // as the network does
    if (target.datagrams.length >= 10) return undefined;
    target.datagrams.push({ bytes: Buffer.concat(chunks), from: this.local });
    return errno.success;
  }

  writable(): boolean {
    if (this.type === 'dgram') return true;
    return this.other !== undefined && this.other.bytes.length < this.other.capacity;
  }

  shutdown(read: boolean, write: boolean): void {
    this.shut = { read: this.shut.read || read, write: this.shut.write || write };
  }

  error(take: boolean): Errno {
    const { pending } = this;
    if (take) this.pending = 0;
    return pending;
  }

  localAddress(): SocketAddress {
    return this.local;
  }
  peerAddress(): SocketAddress | undefined {
    return this.peer;
  }
  setOptions(options: SocketOptions): void {
    this.options.push(options);
  }
  close(): void {
    this.closed = true;
    for (const waiting of this.queue) waiting.close();
  }

  /** What the peer would say. */
  say(text: string): void {
    this.send([Buffer.from(text)]);
  }
}

function copy(from: Buffer, into: readonly Uint8Array[]): number {
  let at = 0;
  for (const part of into) {
    const some = from.subarray(at, at + part.length);
    part.set(some);
    at += some.length;
  }
  return at;
}
