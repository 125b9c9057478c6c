import { RecordWriter } from '../../bridge/record-ring.ts';
import { Answer } from '../answer.ts';
import { windowOf } from '../room.ts';
import type { Errno, GuestNet, Pending, SocketAddress, SocketFamily, SocketType } from '../guest-net.ts';
import {
  type Accepted,
  type Channel,
  CHUNK,
  datagramHead,
  event,
  LEAST,
  netWord,
  pack,
  packDatagram,
  type Reply,
  request,
  RESERVE,
  unpack,
} from './channel.ts';
import { Inbox } from './inbox.ts';
import { type Line, RemoteSocket } from './remote-socket.ts';

/** Requests without room that are kept, before the guest is held up: it need not be quicker than the other thread for ever. */
const MOST_WAITING = 1024;

/** A request that finds no room. */
type Waiting = readonly [type: number, id: number, argument: number, bytes: Uint8Array | undefined];

interface Open {
  readonly words: Int32Array;
  readonly requests: RecordWriter;
  readonly inbox: Inbox;
}

/** The network of a guest in a thread of its own, whose sockets are in the control thread (server.ts). Nothing is made before it is used. */
export class RemoteNet implements GuestNet, Line {
  readonly #openChannel: () => Channel;
  readonly #ring: () => void;
  readonly #hold: ((words: Int32Array) => void) | undefined;
  #channel: Open | undefined;
  readonly #sockets = new Map<number, RemoteSocket>();
  readonly #calls = new Map<number, (reply: Reply) => void>();
  #waiting: Waiting[] = [];
  #nextId = 1;
  #nextCall = 0;

  /**
   * `open` makes the channel and tells the control thread of it; `ring` sends it the doorbell; `hold` lets this thread stand still a moment, in which
   * the other one takes requests (absent: both are one).
   */
  constructor(open: () => Channel, ring: () => void, hold?: (words: Int32Array) => void) {
    this.#openChannel = open;
    this.#ring = ring;
    this.#hold = hold;
  }

  // ---- GuestNet

  socket(family: SocketFamily, type: SocketType): RemoteSocket {
    const id = this.#freeId();
    const socket = new RemoteSocket(this, id, family, type);
    this.#sockets.set(id, socket);
    this.tell(request.open, id, family * 2 + (type === 'stream' ? 1 : 0));
    return socket;
  }

  lookup(name: string, family: 0 | SocketFamily): Pending<readonly string[] | Errno> {
    return this.#ask<readonly string[] | Errno>(
      request.lookup,
      0,
      { name, family },
      ({ error = 0, addresses }) => addresses ?? error,
    );
  }

  /** True when everything has been said; to be waited for at the end of a run. */
  settled(): boolean {
    if (this.#channel) this.#pump();
    return this.#waiting.length === 0;
  }

  // ---- for the sockets

  get window(): number {
    return windowOf(this.#sockets.size);
  }

  drain(): void {
    const channel = this.#channel;
    if (!channel) return;
    const { inbox } = channel;
    if (this.#waiting.length > 0) this.#pump();
    let any = false;
    while (inbox.reader.next()) {
      any = true;
      this.#take(inbox);
    }
    if (any) this.freed();
  }

  freed(): void {
    const channel = this.#channel;
    if (!channel?.inbox.release()) return;
    if (Atomics.load(channel.words, netWord.eventsWait) === 1) {
      Atomics.store(channel.words, netWord.eventsWait, 0);
      this.#ring();
    }
  }

  tell(type: number, id: number, argument: number, value?: unknown): void {
    const bytes = value === undefined ? undefined : pack(value);
    const { requests, words } = this.#open();
    if (this.#waiting.length === 0 && requests.put(type, id, argument, bytes)) return this.#published();
    this.#waiting.push([type, id, argument, bytes]);
    this.#pump();
    if (!this.#hold || this.#waiting.length < MOST_WAITING) return;
    for (; this.#waiting.length > MOST_WAITING / 2; this.#pump()) this.#hold(words);
  }

  call(type: number, id: number, value: unknown, then: (reply: Reply) => Errno): Pending<Errno> {
    return this.#ask(type, id, value, then);
  }

  data(id: number, chunks: readonly Uint8Array[], length: number): number {
    const { requests } = this.#open();
    if (!this.hasRoom()) return 0;
    const place = requests.reserve(Math.min(length, LEAST), Math.min(length, CHUNK), RESERVE);
    if (!place) return 0;
    const count = gather(place, chunks);
    requests.commit(request.data, id, 0, count);
    this.#published();
    return count;
  }

  datagram(id: number, to: SocketAddress | undefined, chunks: readonly Uint8Array[], length: number): boolean {
    const { requests } = this.#open();
    const address = to?.address ?? '';
    const head = datagramHead(address);
    const place = this.hasRoom() ? requests.reserve(head + length, head + length, RESERVE) : undefined;
    if (!place) return false;
    packDatagram(place, address);
    gather(place.subarray(head), chunks);
    requests.commit(request.datagram, id, to?.port ?? 0, head + length);
    this.#published();
    return true;
  }

  hasRoom(): boolean {
    const { requests, words } = this.#open();
    const enough = (): boolean => this.#waiting.length === 0 && requests.free >= ROOM;
    if (enough()) return true;
    // Say so first, then look again.
    Atomics.store(words, netWord.requestsWait, 1);
    this.#pump();
    if (!enough()) return false;
    Atomics.store(words, netWord.requestsWait, 0);
    return true;
  }

  forget(id: number): void {
    this.#sockets.delete(id);
  }

  // ----

  #open(): Open {
    if (this.#channel) return this.#channel;
    const { words, requests, events } = this.#openChannel();
    return (this.#channel = { words, requests: new RecordWriter(requests), inbox: new Inbox(events) });
  }

  #ask<T>(type: number, id: number, value: unknown, then: (reply: Reply) => T): Pending<T> {
    const call = (this.#nextCall = (this.#nextCall + 1) | 0);
    const answer = new Answer<T>();
    this.#calls.set(call, (reply) => answer.settle(then(reply)));
    this.tell(type, id, call, value);
    return {
      poll: () => {
        if (answer.poll() === undefined) this.drain();
        return answer.poll();
      },
    };
  }

  #pump(): void {
    const { requests, words } = this.#open();
    for (;;) {
      const [first] = this.#waiting;
      if (!first) return;
      if (requests.put(...first)) {
        this.#waiting.shift();
        this.#published();
      } else if (Atomics.exchange(words, netWord.requestsWait, 1) === 1) return;
    }
  }

  #published(): void {
    const { words } = this.#channel as Open;
    if (Atomics.exchange(words, netWord.controlSleeps, 0) === 1) this.#ring();
  }

  #take(inbox: Inbox): void {
    const { reader } = inbox;
    const { type, id, argument } = reader;
    if (type === event.answer) {
      const then = this.#calls.get(argument);
      this.#calls.delete(argument);
      then?.(unpack(reader.bytes) as Reply);
      return;
    }
    const socket = this.#sockets.get(id);
    if (type === event.accepted) {
      const accepted = new RemoteSocket(
        this,
        argument,
        socket?.family ?? 4,
        'stream',
        unpack(reader.bytes) as Accepted,
      );
      // Its listener is closed.
      if (!socket) return this.tell(request.close, argument, 0);
      this.#sockets.set(argument, accepted);
      return socket.acceptedOne(accepted);
    }
    // It is closed.
    if (!socket) return;
    switch (type) {
      case event.data:
        return socket.arrived(inbox.keep());
      case event.datagram:
        return socket.arrivedDatagram(inbox.keep(), argument);
      case event.end:
        return socket.endOfData();
      case event.error:
        return socket.failed(argument);
      case event.room:
        return socket.moreRoom(argument);
    }
  }

  /** Odd ones; the even ones are the control thread's, for accepted connections. */
  #freeId(): number {
    do this.#nextId = nextOdd(this.#nextId);
    while (this.#sockets.has(this.#nextId));
    return this.#nextId;
  }
}

/** The one after `id`, within the 31 bits of a record: a guest may open sockets for ever. */
export const nextOdd = (id: number): number => ((id + 2) & 0x7fff_ffff) | 1;

/** Bytes of the ring that are free when it is said to have room: a datagram fits, even if it has to skip the ring's end. */
const ROOM = RESERVE + 2 * (CHUNK + 256);

/** Copies as much as fits; the bytes copied. */
function gather(into: Uint8Array, chunks: readonly Uint8Array[]): number {
  let at = 0;
  for (const chunk of chunks) {
    const left = into.length - at;
    if (left === 0) break;
    const part = chunk.length <= left ? chunk : chunk.subarray(0, left);
    into.set(part, at);
    at += part.length;
  }
  return at;
}
