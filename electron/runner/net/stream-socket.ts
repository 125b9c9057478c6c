import { errno } from '../wasi/errno.ts';
import { anyAddress } from '../wasi/ip-address.ts';
import { answer, type Answer } from './answer.ts';
import { ByteQueue } from './byte-queue.ts';
import type { Carrier, CarrierOwner } from './carrier.ts';
import type { Errno, GuestSocket, SocketAddress, SocketFamily, SocketOptions } from './guest-net.ts';
import type { Bound, Connection, Incoming, Listener, StreamHome } from './socket-home.ts';

/** Connections that may wait to be accepted, as net.core.somaxconn; and those that wait for a place among them. */
const MOST_BACKLOG = 4096;
const MOST_WAITING = 4096;

const isErrno = <T extends object>(value: T | Errno): value is Errno => typeof value === 'number';

/** A stream socket of a guest, in the thread that owns the sockets. */
export class StreamSocket implements GuestSocket, Listener, CarrierOwner {
  readonly type = 'stream';
  readonly family: SocketFamily;
  state: GuestSocket['state'] = 'fresh';
  readonly #home: StreamHome;
  /** Called whenever something that a guest may wait for has changed. */
  #changed: (socket: StreamSocket) => void;
  #bound: Bound | undefined;
  #local: SocketAddress;
  #peer: SocketAddress | undefined;
  #options: SocketOptions = {};
  #closed = false;
  /** Ends a connect that is under way. */
  #giveUp: (() => void) | undefined;

  #carrier: Carrier | undefined;
  readonly #received = new ByteQueue();
  #paused = false;
  #ended = false;
  #readShut = false;
  #writeShut = false;
  #error: Errno = 0;

  #limit = 0;
  #accepting: StreamSocket[] = [];
  #waiting: Incoming[] = [];

  constructor(family: SocketFamily, home: StreamHome, changed: (socket: StreamSocket) => void) {
    this.family = family;
    this.#home = home;
    home.room.enter();
    this.#changed = changed;
    this.#local = { address: anyAddress(family), port: 0 };
  }

  /** Another one is to be told of changes from now on. */
  watch(changed: (socket: StreamSocket) => void): void {
    this.#changed = changed;
  }

  bind(address: SocketAddress): Answer<Errno> {
    return this.#answer(this.#bind(address));
  }

  listen(backlog: number): Answer<Errno> {
    return this.#answer(this.#listen(backlog));
  }

  connect(address: SocketAddress): Answer<Errno> {
    this.state = 'connecting';
    return this.#answer(this.#connect(address));
  }

  // ---- listening

  offer(incoming: Incoming): void {
    if (this.state !== 'listening' || this.#closed) return incoming.refuse();
    if (this.#accepting.length < this.#limit) this.#welcome(incoming);
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push(incoming);
    else incoming.refuse();
  }

  accept(): StreamSocket | undefined {
    const accepted = this.#accepting.shift();
    while (this.#accepting.length < this.#limit) {
      const next = this.#waiting.shift();
      if (!next) break;
      this.#welcome(next);
    }
    return accepted;
  }

  backlog(): number {
    return this.#accepting.length;
  }

  #welcome(incoming: Incoming): void {
    const carrier = incoming.take();
    if (!carrier) return;
    const socket = new StreamSocket(this.family, this.#home, this.#changed);
    // Before the carrier can tell of data, which is of no interest before it is accepted.
    this.#accepting.push(socket);
    socket.#connected({ carrier, local: incoming.local, peer: incoming.peer });
    this.#changed(this);
  }

  // ---- connected

  receive(into: readonly Uint8Array[], peek: boolean): number {
    const count = this.#received.take(into, peek);
    if (this.#paused && this.#received.length <= this.#home.room.window / 2) {
      this.#paused = false;
      this.#carrier?.resume();
    }
    return count;
  }

  receiveFrom(): undefined {
    return undefined;
  }

  available(): number {
    return this.#received.length;
  }

  ended(): boolean {
    return this.#received.length === 0 && (this.#ended || this.#readShut);
  }

  send(chunks: readonly Uint8Array[]): number {
    const room = this.#room();
    if (room <= 0) return 0;
    let length = 0;
    for (const chunk of chunks) length += chunk.length;
    if (length > room) length = room;
    if (length > 0) this.write(chunks, length);
    return length;
  }

  /** Sends the first `length` bytes of the chunks, whether or not there is room: for those who keep count themselves. */
  write(chunks: readonly Uint8Array[], length: number): void {
    const carrier = this.#carrier;
    if (!carrier || this.#writeShut || length === 0) return;
    const bytes = Buffer.allocUnsafe(length);
    let at = 0;
    for (const chunk of chunks) {
      const left = length - at;
      if (left === 0) break;
      const part = chunk.length <= left ? chunk : chunk.subarray(0, left);
      bytes.set(part, at);
      at += part.length;
    }
    carrier.write(bytes);
  }

  sendTo(): Errno {
    return errno.notsup;
  }

  writable(): boolean {
    return this.#room() > 0;
  }

  /** Bytes sent that are not on their way yet. */
  get queued(): number {
    return this.#carrier?.queued ?? 0;
  }

  #room(): number {
    return this.#carrier && !this.#writeShut ? this.#home.room.window - this.#carrier.queued : 0;
  }

  shutdown(read: boolean, write: boolean): void {
    if (read) {
      this.#readShut = true;
      // What comes from now on is dropped, so nobody needs to be held back.
      if (this.#paused) this.#carrier?.resume();
      this.#paused = false;
    }
    if (write && !this.#writeShut) {
      this.#writeShut = true;
      this.#carrier?.end();
    }
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

  setOptions(options: SocketOptions): void {
    this.#options = { ...this.#options, ...options };
    this.#carrier?.setOptions(options);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#home.room.leave();
    this.#bound?.release();
    this.#giveUp?.();
    for (const socket of this.#accepting.splice(0)) socket.#discard();
    for (const incoming of this.#waiting.splice(0)) incoming.refuse();
    this.#received.clear();
    this.#carrier?.close();
    this.#carrier = undefined;
  }

  /** Nobody has accepted it. */
  #discard(): void {
    this.#closed = true;
    this.#home.room.leave();
    this.#received.clear();
    this.#carrier?.destroy(true);
    this.#carrier = undefined;
  }

  // ---- told by the carrier

  data(bytes: Uint8Array): void {
    if (this.#readShut || this.#closed) return;
    this.#received.push(bytes);
    if (!this.#paused && this.#received.length >= this.#home.room.window) {
      this.#paused = true;
      this.#carrier?.pause();
    }
    this.#changed(this);
  }

  drained(): void {
    this.#changed(this);
  }

  failed(error: Errno): void {
    this.#error = error;
    this.#carrier = undefined;
    this.ending();
  }

  /** The peer has closed its direction. */
  ending(): void {
    this.#ended = true;
    this.#changed(this);
  }

  // ----

  #answer(promise: Promise<Errno>): Answer<Errno> {
    return answer(promise, () => this.#changed(this));
  }

  async #bind(address: SocketAddress): Promise<Errno> {
    const bound = await this.#home.bindStream(this, address);
    if (isErrno(bound)) return bound;
    if (this.#closed) {
      bound.release();
      return errno.badf;
    }
    this.#bound = bound;
    this.#local = bound.local;
    this.state = 'bound';
    return errno.success;
  }

  async #listen(backlog: number): Promise<Errno> {
    if (!this.#bound) {
      const error = await this.#bind({ address: anyAddress(this.family), port: 0 });
      if (error !== 0) return error;
    }
    this.#limit = Math.max(1, Math.min(backlog, MOST_BACKLOG));
    this.state = 'listening';
    return errno.success;
  }

  async #connect(to: SocketAddress): Promise<Errno> {
    const connection = await this.#home.connectStream(this.family, this.#local, to, (giveUp) => {
      if (this.#closed) giveUp();
      else this.#giveUp = giveUp;
    });
    this.#giveUp = undefined;
    if (this.#closed) {
      if (!isErrno(connection)) connection.carrier.destroy();
      return errno.badf;
    }
    if (isErrno(connection)) {
      this.state = 'failed';
      this.#error = connection;
      this.#changed(this);
      return connection;
    }
    this.#connected(connection);
    this.#changed(this);
    return errno.success;
  }

  #connected({ carrier, local, peer }: Connection): void {
    this.state = 'connected';
    this.#local = local;
    this.#peer = peer;
    this.#carrier = carrier;
    carrier.setOptions(this.#options);
    carrier.attach(this);
  }
}
