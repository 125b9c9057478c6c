import type { RecordWriter } from '../../bridge/record-ring.ts';
import { DATAGRAM_COST, DatagramSocket } from '../datagram-socket.ts';
import { PIECE, type Room } from '../room.ts';
import type { StackSocket } from '../stack.ts';
import type { StreamSocket } from '../stream-socket.ts';
import { CHUNK, COST, datagramHead, event, LEAST, packDatagram, TRANSFER, unpackDatagram } from './channel.ts';

/** What `tell` has done, and whether there is more: 'full' = the ring is. */
export interface Told {
  readonly told: boolean;
  readonly more: 'full' | 'later' | undefined;
}

/** Bytes that one socket tells before it is another's turn. */
const SHARE = 1 << 17;

/** A socket of the control thread that belongs to a guest in another. */
export class Served {
  readonly id: number;
  readonly socket: StackSocket;
  /** Bytes that the guest was told and has not taken, and what they cost. */
  #untaken = 0;
  readonly #room: Room;
  /** Connections that the guest was given and has not accepted. */
  transferred = 0;
  /** What the guest has sent and was not given back yet. */
  #owed = 0;
  #endTold = false;

  constructor(id: number, socket: StackSocket, room: Room) {
    this.id = id;
    this.#room = room;
    this.socket = socket;
  }

  /** The guest has taken so much of what it was told. */
  taken(cost: number): void {
    this.#untaken -= cost;
  }

  /** Bytes of a stream have come from the guest. */
  took(length: number): void {
    this.#owed += length + COST;
  }

  /** Sends a datagram of the guest. `port` 0 = to the peer. */
  sendTo(bytes: Uint8Array, port: number): void {
    const { address, data } = unpackDatagram(bytes);
    this.#owed += data.length + DATAGRAM_COST;
    this.socket.sendTo([data], port === 0 ? undefined : { address, port });
  }

  /** Tells the guest what is new. `transfer` hands it a connection; false = no room. */
  tell(events: RecordWriter, transfer: (listener: Served) => boolean): Told {
    const { socket } = this;
    if (socket instanceof DatagramSocket) return this.#tellDatagrams(events, socket);
    return socket.state === 'listening' ? this.#tellBacklog(socket, transfer) : this.#tellStream(events, socket);
  }

  #tellBacklog(socket: StreamSocket, transfer: (listener: Served) => boolean): Told {
    let told = false;
    while (this.transferred < TRANSFER && socket.backlog() > 0) {
      if (!transfer(this)) return { told, more: 'full' };
      this.transferred++;
      told = true;
    }
    return { told, more: undefined };
  }

  #left(): number {
    return this.#room.window - this.#untaken;
  }

  /** Less than a piece may have been taken: a datagram larger than the window gets there all the same. */
  #fits(cost: number): boolean {
    return this.#untaken < PIECE || cost <= this.#left();
  }

  #tellStream(events: RecordWriter, socket: StreamSocket): Told {
    let told = 0;
    for (let room = this.#left(); room > COST && socket.available() > 0; room = this.#left()) {
      if (told >= SHARE) return { told: true, more: 'later' };
      const most = Math.min(room - COST, CHUNK, socket.available());
      const place = events.reserve(Math.min(most, LEAST), most);
      if (!place) return { told: told > 0, more: 'full' };
      const length = socket.receive([place], false);
      events.commit(event.data, this.id, 0, length);
      this.#untaken += length + COST;
      told += length;
    }
    const credit = this.#credit(events);
    if (credit === undefined) return { told: told > 0, more: 'full' };
    // After all that came before.
    const more = socket.available() > 0 ? undefined : this.#tellEnd(events, socket);
    return { told: told > 0 || credit || more !== undefined, more: more === 'full' ? 'full' : undefined };
  }

  /** Undefined when there is nothing to tell. */
  #tellEnd(events: RecordWriter, socket: StreamSocket): 'told' | 'full' | undefined {
    let told: 'told' | undefined;
    // What a connect failed with was its answer.
    const error = socket.state === 'connected' ? socket.error(false) : 0;
    if (error !== 0) {
      if (!events.put(event.error, this.id, error)) return 'full';
      socket.error(true);
      told = 'told';
    }
    if (this.#endTold || !socket.ended()) return told;
    if (!events.put(event.end, this.id, 0)) return 'full';
    this.#endTold = true;
    return 'told';
  }

  #tellDatagrams(events: RecordWriter, socket: DatagramSocket): Told {
    let told = 0;
    for (let first = socket.first; first && this.#fits(first.bytes.length + DATAGRAM_COST); first = socket.first) {
      if (told >= SHARE) return { told: true, more: 'later' };
      const { address, port } = first.from;
      const head = datagramHead(address);
      const length = head + first.bytes.length;
      const place = events.reserve(length, length);
      if (!place) return { told: told > 0, more: 'full' };
      packDatagram(place, address);
      place.set(first.bytes, head);
      events.commit(event.datagram, this.id, port, length);
      socket.receiveFrom([], false);
      this.#untaken += first.bytes.length + DATAGRAM_COST;
      told += length;
    }
    const credit = this.#credit(events);
    if (credit === undefined) return { told: told > 0, more: 'full' };
    const error = socket.error(false);
    if (error === 0) return { told: told > 0 || credit, more: undefined };
    if (!events.put(event.error, this.id, error)) return { told: told > 0 || credit, more: 'full' };
    socket.error(true);
    return { told: true, more: undefined };
  }

  /** Gives room for sending back, in large pieces, once what it was used for is on its way. True when it did, undefined when the ring is full. */
  #credit(events: RecordWriter): boolean | undefined {
    if (this.#owed < PIECE || this.socket.queued > 0) return false;
    if (!events.put(event.room, this.id, this.#owed)) return undefined;
    this.#owed = 0;
    return true;
  }
}
