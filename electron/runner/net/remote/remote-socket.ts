import { errno } from '../../wasi/errno.ts';
import { anyAddress } from '../../wasi/ip-address.ts';
import { destination, seenBy } from '../address.ts';
import { Answer } from '../answer.ts';
import { DATAGRAM_COST, LARGEST_DATAGRAM } from '../datagram-socket.ts';
import type {
  Datagram,
  Errno,
  GuestSocket,
  Pending,
  SocketAddress,
  SocketFamily,
  SocketOptions,
  SocketType,
} from '../guest-net.ts';
import { PIECE } from '../room.ts';
import { type Accepted, COST, request, type Reply, TRANSFER, unpackDatagram } from './channel.ts';
import type { Segment } from './inbox.ts';

/** What sockets need from their net. */
export interface Line {
  /** Bytes of each direction of a socket that may wait. */
  readonly window: number;
  /** Takes in what has come from the control thread. */
  drain(): void;
  /** A segment was taken: its place may be given back. */
  freed(): void;
  /** Sends, now or as soon as there is room. */
  tell(type: number, id: number, argument: number, value?: unknown): void;
  /** Sends and expects an answer. */
  call(type: number, id: number, value: unknown, then: (reply: Reply) => Errno): Pending<Errno>;
  /** Sends bytes as far as there is room in the ring; what was taken. */
  data(id: number, chunks: readonly Uint8Array[], length: number): number;
  /** Sends a datagram; false = no room in the ring. */
  datagram(id: number, to: SocketAddress | undefined, chunks: readonly Uint8Array[], length: number): boolean;
  /** There is room for data in the ring. */
  hasRoom(): boolean;
  forget(id: number): void;
}

interface ArrivedDatagram {
  readonly segment: Segment;
  readonly cost: number;
  readonly from: SocketAddress;
}

/** A socket of a guest in a thread of its own: the real one is in the control thread. */
export class RemoteSocket implements GuestSocket {
  readonly family: SocketFamily;
  readonly type: SocketType;
  readonly #id: number;
  readonly #line: Line;
  #state: GuestSocket['state'];
  #local: SocketAddress;
  #peer: SocketAddress | undefined;
  #error: Errno = 0;
  #ended = false;
  #broken = false;
  #readShut = false;
  #writeShut = false;

  #segments: Segment[] = [];
  #available = 0;
  #datagrams: ArrivedDatagram[] = [];
  /** Room for data that the control thread has to be told of. */
  #owed = 0;
  /** Bytes that the control thread was given and has not sent, and what they cost. */
  #unsent = 0;

  #accepted: RemoteSocket[] = [];
  #taken = 0;

  /** `accepted`: it is connected already. */
  constructor(line: Line, id: number, family: SocketFamily, type: SocketType, accepted?: Accepted) {
    this.#line = line;
    this.#id = id;
    this.family = family;
    this.type = type;
    this.#state = accepted ? 'connected' : 'fresh';
    this.#local = accepted?.local ?? { address: anyAddress(family), port: 0 };
    this.#peer = accepted?.peer;
  }

  get state(): GuestSocket['state'] {
    if (this.#state === 'connecting') this.#line.drain();
    return this.#state;
  }

  bind(address: SocketAddress): Pending<Errno> {
    return this.#line.call(request.bind, this.#id, address, (reply) => this.#bound(reply, 'bound'));
  }

  listen(backlog: number): Pending<Errno> {
    if (this.type === 'dgram') return Answer.of<Errno>(errno.notsup);
    return this.#line.call(request.listen, this.#id, backlog, (reply) => this.#bound(reply, 'listening'));
  }

  connect(address: SocketAddress): Pending<Errno> {
    if (this.type === 'dgram') {
      this.#peer = seenBy(this.family, { address: destination(address.address), port: address.port });
      return this.#line.call(request.connect, this.#id, address, ({ error = 0 }) => error);
    }
    this.#state = 'connecting';
    return this.#line.call(request.connect, this.#id, address, ({ error = 0, local, peer }) => {
      this.#state = error === 0 ? 'connected' : 'failed';
      if (local) this.#local = local;
      if (error === 0) this.#peer = peer;
      else this.#error = error;
      return error;
    });
  }

  accept(): RemoteSocket | undefined {
    if (this.#accepted.length === 0) this.#line.drain();
    const accepted = this.#accepted.shift();
    if (accepted && ++this.#taken >= TRANSFER / 4) {
      this.#line.tell(request.taken, this.#id, this.#taken);
      this.#taken = 0;
    }
    return accepted;
  }

  backlog(): number {
    this.#line.drain();
    return this.#accepted.length;
  }

  receive(into: readonly Uint8Array[], peek: boolean): number {
    if (this.#available === 0) this.#line.drain();
    let done = 0;
    let index = 0;
    let segment = this.#segments[0];
    let at = segment?.at ?? 0;
    for (const target of into) {
      let filled = 0;
      while (segment && filled < target.length) {
        const count = Math.min(segment.bytes.length - at, target.length - filled);
        const { bytes } = segment;
        target.set(count === bytes.length ? bytes : bytes.subarray(at, at + count), filled);
        filled += count;
        at += count;
        if (at < segment.bytes.length) continue;
        if (!peek) this.#finish(segment);
        segment = this.#segments[++index];
        at = segment?.at ?? 0;
      }
      done += filled;
    }
    if (peek) return done;
    if (segment) segment.at = at;
    this.#available -= done;
    if (index > 0) {
      if (index === this.#segments.length) this.#segments = [];
      else this.#segments.splice(0, index);
      this.#line.freed();
    }
    return done;
  }

  receiveFrom(into: readonly Uint8Array[], peek: boolean): Datagram | undefined {
    if (this.#datagrams.length === 0) this.#line.drain();
    const first = this.#datagrams[0];
    if (!first) return undefined;
    const { segment, from, cost } = first;
    let length = 0;
    for (const part of into) {
      const some = segment.bytes.subarray(segment.at + length, segment.at + length + part.length);
      part.set(some);
      length += some.length;
    }
    const truncated = length < segment.left;
    if (!peek) {
      this.#datagrams.shift();
      segment.done = true;
      this.#owe(cost);
      this.#line.freed();
    }
    return { length, truncated, from };
  }

  available(): number {
    if (this.type === 'dgram') {
      if (this.#datagrams.length === 0) this.#line.drain();
      return this.#datagrams[0]?.segment.left ?? 0;
    }
    if (this.#available === 0) this.#line.drain();
    return this.#available;
  }

  ended(): boolean {
    if (this.#available > 0) return false;
    this.#line.drain();
    return this.#available === 0 && this.#datagrams.length === 0 && (this.#ended || this.#readShut);
  }

  send(chunks: readonly Uint8Array[]): number {
    if (!this.#canSend()) return 0;
    if (this.#left() <= COST) this.#line.drain();
    let length = 0;
    for (const chunk of chunks) length += chunk.length;
    let done = 0;
    for (let left = this.#left(); done < length && left > COST; left = this.#left()) {
      const most = Math.min(length - done, left - COST);
      const taken = this.#line.data(this.#id, done === 0 ? chunks : rest(chunks, done), most);
      if (taken === 0) break;
      this.#unsent += taken + COST;
      done += taken;
    }
    return done;
  }

  sendTo(chunks: readonly Uint8Array[], to?: SocketAddress): Errno | undefined {
    if (!to && !this.#peer) return errno.destaddrreq;
    if (to?.port === 0) return errno.inval;
    let length = 0;
    for (const chunk of chunks) length += chunk.length;
    if (length > LARGEST_DATAGRAM) return errno.msgsize;
    if (!this.writable() || !this.#line.datagram(this.#id, to, chunks, length)) return undefined;
    this.#unsent += length + DATAGRAM_COST;
    return errno.success;
  }

  writable(): boolean {
    const least = this.type === 'dgram' ? 0 : COST;
    if (this.#left() <= least) this.#line.drain();
    if (this.type === 'stream' && !this.#canSend()) return false;
    return this.#left() > least && this.#line.hasRoom();
  }

  shutdown(read: boolean, write: boolean): void {
    this.#readShut ||= read;
    this.#writeShut ||= write;
    this.#line.tell(request.shutdown, this.#id, (read ? 1 : 0) + (write ? 2 : 0));
  }

  error(take: boolean): Errno {
    if (this.#error === 0) this.#line.drain();
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
    this.#line.tell(request.options, this.#id, 0, options);
  }

  close(): void {
    for (const socket of this.#accepted.splice(0)) socket.close();
    for (const segment of this.#segments) segment.done = true;
    for (const { segment } of this.#datagrams) segment.done = true;
    this.#line.freed();
    this.#line.forget(this.#id);
    this.#line.tell(request.close, this.#id, 0);
  }

  // ---- told by the net

  arrived(segment: Segment): void {
    if (this.#readShut) return this.#finish(segment);
    this.#segments.push(segment);
    this.#available += segment.bytes.length;
  }

  arrivedDatagram(segment: Segment, port: number): void {
    const { address, data } = unpackDatagram(segment.bytes);
    const cost = data.length + DATAGRAM_COST;
    segment.at = segment.bytes.length - data.length;
    if (this.#readShut) {
      segment.done = true;
      return this.#owe(cost);
    }
    this.#datagrams.push({ segment, cost, from: { address, port } });
  }

  acceptedOne(socket: RemoteSocket): void {
    this.#accepted.push(socket);
  }

  endOfData(): void {
    this.#ended = true;
  }

  failed(error: Errno): void {
    this.#error = error;
    this.#broken = true;
  }

  moreRoom(bytes: number): void {
    this.#unsent -= bytes;
  }

  /** What the control thread has room for. */
  #left(): number {
    return this.#line.window - this.#unsent;
  }

  #canSend(): boolean {
    return this.#state === 'connected' && !this.#writeShut && !this.#broken;
  }

  /** All bytes of a segment are taken. */
  #finish(segment: Segment): void {
    segment.done = true;
    this.#owe(segment.size + COST);
  }

  #owe(cost: number): void {
    this.#owed += cost;
    if (this.#owed < PIECE) return;
    this.#line.tell(request.room, this.#id, this.#owed);
    this.#owed = 0;
  }

  #bound({ error = 0, local }: Reply, state: 'bound' | 'listening'): Errno {
    if (error !== 0) return error;
    this.#state = state;
    if (local) this.#local = local;
    return error;
  }
}

/** What is left of the chunks after the first `skip` bytes. */
function rest(chunks: readonly Uint8Array[], skip: number): readonly Uint8Array[] {
  const left: Uint8Array[] = [];
  for (const chunk of chunks) {
    if (skip < chunk.length) left.push(chunk.subarray(skip));
    skip = Math.max(0, skip - chunk.length);
  }
  return left;
}
