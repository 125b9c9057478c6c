import { errno } from '../wasi/errno.ts';
import { anyAddress, unmapped } from '../wasi/ip-address.ts';
import { destination, seenBy } from './address.ts';
import { answer, Answer } from './answer.ts';
import type { Datagram, Errno, GuestSocket, SocketAddress, SocketFamily, SocketOptions } from './guest-net.ts';
import type { Room } from './room.ts';
import type { Bound } from './socket-home.ts';

/** The largest datagram that IPv4 carries, in bytes. */
export const LARGEST_DATAGRAM = 65_507;
/** What a datagram costs beside its bytes. */
export const DATAGRAM_COST = 256;

export interface DatagramHome {
  readonly room: Room;
  /** Claims a port; datagrams arrive from now on. */
  bindDatagram(socket: DatagramSocket, address: SocketAddress): Promise<Bound | Errno>;
  /** Sends, or drops. `done` is called when it is on its way or dropped: with an errno when the guest should hear of it. */
  sendDatagram(socket: DatagramSocket, bytes: Uint8Array, to: SocketAddress, done: (error?: Errno) => void): void;
}

export interface Arrived {
  readonly bytes: Uint8Array;
  readonly from: SocketAddress;
}

/** A datagram socket of a guest, in the thread that owns the sockets. */
export class DatagramSocket implements GuestSocket {
  readonly type = 'dgram';
  readonly family: SocketFamily;
  state: GuestSocket['state'] = 'fresh';
  readonly #home: DatagramHome;
  #changed: (socket: DatagramSocket) => void;
  #bound: Bound | undefined;
  #local: SocketAddress;
  #peer: SocketAddress | undefined;
  #arrived: Arrived[] = [];
  #held = 0;
  /** Bytes that are not on their way yet. */
  #sending = 0;
  #error: Errno = 0;
  #readShut = false;
  #closed = false;

  constructor(family: SocketFamily, home: DatagramHome, changed: (socket: DatagramSocket) => void) {
    this.family = family;
    this.#home = home;
    home.room.enter();
    this.#changed = changed;
    this.#local = { address: anyAddress(family), port: 0 };
  }

  watch(changed: (socket: DatagramSocket) => void): void {
    this.#changed = changed;
  }

  bind(address: SocketAddress): Answer<Errno> {
    return answer(this.#bind(address), () => this.#changed(this));
  }

  listen(): Answer<Errno> {
    return Answer.of<Errno>(errno.notsup);
  }

  connect(address: SocketAddress): Answer<Errno> {
    this.#peer = seenBy(this.family, { address: destination(address.address), port: address.port });
    this.#error = 0;
    return Answer.of<Errno>(errno.success);
  }

  accept(): undefined {
    return undefined;
  }

  backlog(): number {
    return 0;
  }

  receive(into: readonly Uint8Array[], peek: boolean): number {
    return this.receiveFrom(into, peek)?.length ?? 0;
  }

  /** The one that would be received next. */
  get first(): Arrived | undefined {
    return this.#arrived[0];
  }

  receiveFrom(into: readonly Uint8Array[], peek: boolean): Datagram | undefined {
    const first = this.#arrived[0];
    if (!first) return undefined;
    let length = 0;
    for (const part of into) {
      const some = first.bytes.subarray(length, length + part.length);
      part.set(some);
      length += some.length;
    }
    if (!peek) {
      this.#arrived.shift();
      this.#held -= first.bytes.length + DATAGRAM_COST;
    }
    return { length, truncated: length < first.bytes.length, from: first.from };
  }

  available(): number {
    return this.#arrived[0]?.bytes.length ?? 0;
  }

  ended(): boolean {
    return this.#readShut && this.#arrived.length === 0;
  }

  send(): number {
    return 0;
  }

  sendTo(chunks: readonly Uint8Array[], to = this.#peer): Errno | undefined {
    if (!to) return errno.destaddrreq;
    if (to.port === 0) return errno.inval;
    let length = 0;
    for (const chunk of chunks) length += chunk.length;
    if (length > LARGEST_DATAGRAM) return errno.msgsize;
    if (!this.writable()) return undefined;
    const bytes = Buffer.concat(chunks, length);
    const cost = length + DATAGRAM_COST;
    this.#sending += cost;
    this.#home.sendDatagram(this, bytes, to, (error) => {
      const full = !this.writable();
      this.#sending -= cost;
      if (error) this.fail(error);
      if ((full && this.writable()) || this.#sending === 0) this.#changed(this);
    });
    return errno.success;
  }

  writable(): boolean {
    return this.#sending < this.#home.room.window;
  }

  /** Bytes that are not on their way yet. */
  get queued(): number {
    return this.#sending;
  }

  get closed(): boolean {
    return this.#closed;
  }

  shutdown(read: boolean): void {
    if (read) this.#readShut = true;
    this.#changed(this);
  }

  error(take: boolean): Errno {
    const error = this.#error;
    if (take) this.#error = 0;
    return error;
  }

  localAddress(): SocketAddress {
    return this.#local;
  }

  peerAddress(): SocketAddress | undefined {
    return this.#peer;
  }

  setOptions(_options: SocketOptions): void {
    // None of them reaches a socket that exists only when something is sent; the virtual network has no broadcast.
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#home.room.leave();
    this.#bound?.release();
    this.#arrived = [];
  }

  // ---- told by the network

  /** One that has arrived; dropped when there is no room, as in a kernel. */
  deliver(bytes: Uint8Array, from: SocketAddress): void {
    const cost = bytes.length + DATAGRAM_COST;
    if (this.#closed || this.#readShut) return;
    if (this.#held > 0 && this.#held + cost > this.#home.room.window) return;
    const peer = this.#peer;
    if (peer && (peer.port !== from.port || unmapped(peer.address) !== unmapped(from.address))) return;
    this.#held += cost;
    this.#arrived.push({ bytes, from });
    this.#changed(this);
  }

  /** ECONNREFUSED is of interest to nobody but a socket with one peer. */
  fail(error: Errno): void {
    if (this.#closed || (error === errno.connrefused && !this.#peer)) return;
    this.#error = error;
    this.#changed(this);
  }

  async #bind(address: SocketAddress): Promise<Errno> {
    const bound = await this.#home.bindDatagram(this, address);
    if (typeof bound === 'number') return bound;
    if (this.#closed) {
      bound.release();
      return errno.badf;
    }
    this.#bound = bound;
    this.#local = bound.local;
    this.state = 'bound';
    return errno.success;
  }
}
