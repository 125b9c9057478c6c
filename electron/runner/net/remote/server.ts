import { wake } from '../../bridge/layout.ts';
import { RecordReader, RecordWriter } from '../../bridge/record-ring.ts';
import type { Answer } from '../answer.ts';
import { DatagramSocket } from '../datagram-socket.ts';
import type { Errno, SocketAddress, SocketFamily, SocketOptions } from '../guest-net.ts';
import type { NetStack, StackSocket } from '../stack.ts';
import type { StreamSocket } from '../stream-socket.ts';
import { Patience } from '../../bridge/patience.ts';
import { type Channel, CHUNK, event, netWord, pack, type Reply, request, unpack } from './channel.ts';
import { Served } from './served.ts';

/** Bytes of requests that are read in one turn: an endless sender must not keep the control thread from hearing "terminate". */
const TURN = 1 << 19;
/** What a request costs of that at least: most of them mean more work than their bytes. */
const LEAST_COST = 1 << 9;
/** Bytes of one socket that are put together before they are sent. */
const GATHER = 1 << 17;

/** Bytes that are rather a message, whose sender waits for an answer, than a part of a stream. */
const SMALL = 1 << 13;

/** The control thread's end of a guest's network: carries out its requests on the real sockets, and tells it what happens to them. */
export class NetServer {
  readonly #stack: NetStack;
  readonly #words: Int32Array;
  readonly #requests: RecordReader;
  readonly #events: RecordWriter;
  readonly #channelWords: Int32Array;
  readonly #sockets = new Map<number, Served>();
  readonly #served = new Map<StackSocket, Served>();
  /** Those that may have something to tell. */
  readonly #dirty = new Set<Served>();
  /** Answers that found no room. */
  #answers: (readonly [call: number, bytes: Uint8Array])[] = [];
  #nextId = 0;
  /** In the midst of requests or of telling: what they bring about is told at the end. */
  #busy = false;
  /** The guest has no room for more events; it rings when it has. */
  #full = false;
  #published = false;
  /** The last `#tell` has woken the guest. */
  #told = false;
  readonly #patience = new Patience();
  #turn: NodeJS.Immediate | NodeJS.Timeout | undefined;
  #closed = false;

  /** Bytes to send that are being put together. */
  readonly #chunks: Uint8Array[] = [];
  #gathered = 0;
  #target: Served | undefined;

  /** `words`: the bridge's, to wake the guest. */
  constructor(stack: NetStack, channel: Channel, words: Int32Array) {
    this.#stack = stack;
    this.#words = words;
    this.#channelWords = channel.words;
    this.#requests = new RecordReader(channel.requests);
    this.#events = new RecordWriter(channel.events);
    this.bell();
  }

  /** The guest has rung: there are requests, or room for events. */
  bell(): void {
    if (this.#closed) return;
    this.#full = false;
    this.#serve();
  }

  /** Something has happened to a socket of the stack. */
  changed(socket: StackSocket | undefined): void {
    const served = socket && this.#served.get(socket);
    if (!served || this.#closed) return;
    this.#dirty.add(served);
    if (this.#busy) return;
    const small = socket.available() <= SMALL;
    this.#tell();
    if (small && this.#told && this.#patience.worth()) this.#linger();
  }

  /** The guest runs no more: carries out what it has asked for. */
  finish(): void {
    if (this.#closed) return;
    this.#busy = true;
    while (this.#take(Infinity) > 0);
    this.#closed = true;
  }

  /** Waits for the guest's answer a moment before the event loop does: a ring and a wake-up cost more than most answers take. */
  #linger(): void {
    if (this.#turn) return;
    Atomics.store(this.#channelWords, netWord.controlSleeps, 0);
    this.#patience.wait(() => this.#requests.waiting);
    this.#serve();
  }

  #serve(): void {
    if (this.#turn) return;
    this.#busy = true;
    let taken = 0;
    let asleep = false;
    // The engine has enough to answer: who asks without end is heard again when it has less, or a guest would fill our memory.
    const crowded = this.#stack.crowded;
    while (!asleep && !crowded && taken < TURN) {
      const some = this.#take(TURN - taken);
      taken += some;
      if (some === 0) asleep = this.#sleep();
    }
    this.#busy = false;
    if (taken > 0 && Atomics.load(this.#channelWords, netWord.requestsWait) === 1) {
      Atomics.store(this.#channelWords, netWord.requestsWait, 0);
      this.#published = true;
    }
    this.#tell();
    if (asleep) return;
    this.#turn = crowded ? setTimeout(this.#again, 1) : setImmediate(this.#again);
  }

  readonly #again = (): void => {
    this.#turn = undefined;
    if (!this.#closed) this.#serve();
  };

  /** Asks for a message at the next request. False when there is one already. */
  #sleep(): boolean {
    Atomics.store(this.#channelWords, netWord.controlSleeps, 1);
    if (!this.#requests.waiting) return true;
    Atomics.store(this.#channelWords, netWord.controlSleeps, 0);
    return false;
  }

  /** Carries out requests of about `limit` bytes of ring. Returns the bytes that were there. */
  #take(limit: number): number {
    const reader = this.#requests;
    let taken = 0;
    while (taken < limit && reader.next()) {
      if (reader.type === request.data) this.#gather(this.#sockets.get(reader.id), reader.bytes);
      else {
        this.#send();
        this.#carryOut(reader);
      }
      // What is being put together lies in the ring until it is sent.
      if (!this.#target) {
        taken += Math.max(reader.held, LEAST_COST);
        reader.release();
      }
    }
    this.#send();
    taken += reader.held;
    reader.release();
    return taken;
  }

  /** Records of one socket that follow each other are sent at once. */
  #gather(served: Served | undefined, bytes: Uint8Array): void {
    if (served !== this.#target || this.#gathered + bytes.length > GATHER) this.#send();
    if (!served) return;
    this.#target = served;
    this.#chunks.push(bytes);
    this.#gathered += bytes.length;
    served.took(bytes.length);
  }

  #send(): void {
    const served = this.#target;
    if (!served) return;
    (served.socket as StreamSocket).write(this.#chunks, this.#gathered);
    this.#dirty.add(served);
    this.#chunks.length = 0;
    this.#gathered = 0;
    this.#target = undefined;
  }

  #carryOut({ type, id, argument, bytes }: RecordReader): void {
    if (type === request.open)
      return this.#add(id, this.#stack.socket((argument >> 1) as SocketFamily, argument & 1 ? 'stream' : 'dgram'));
    if (type === request.lookup) {
      const { name, family } = unpack(bytes) as { name: string; family: 0 | SocketFamily };
      return this.#stack.lookup(name, family).then((found) => {
        this.#answer(argument, typeof found === 'number' ? { error: found } : { addresses: found });
      });
    }
    const served = this.#sockets.get(id);
    if (!served) return;
    const { socket } = served;
    switch (type) {
      case request.bind:
        return this.#call(argument, socket, socket.bind(unpack(bytes) as SocketAddress));
      case request.listen:
        return this.#call(argument, socket, socket.listen(unpack(bytes) as number));
      case request.connect:
        return this.#call(argument, socket, socket.connect(unpack(bytes) as SocketAddress));
      case request.datagram:
        served.sendTo(bytes, argument);
        this.#dirty.add(served);
        return;
      case request.shutdown:
        return socket.shutdown((argument & 1) !== 0, (argument & 2) !== 0);
      case request.options:
        return socket.setOptions(unpack(bytes) as SocketOptions);
      case request.room:
        served.taken(argument);
        this.#dirty.add(served);
        return;
      case request.taken:
        served.transferred -= argument;
        this.#dirty.add(served);
        return;
      case request.close:
        this.#sockets.delete(id);
        this.#served.delete(socket);
        this.#dirty.delete(served);
        return socket.close();
    }
  }

  #add(id: number, socket: StackSocket): void {
    const served = new Served(id, socket, this.#stack.room);
    this.#sockets.set(id, served);
    this.#served.set(socket, served);
  }

  #call(call: number, socket: StackSocket, answer: Answer<Errno>): void {
    answer.then((error) => {
      const peer = socket.peerAddress();
      this.#answer(call, { error, local: socket.localAddress(), ...(peer ? { peer } : {}) });
    });
  }

  #answer(call: number, reply: Reply): void {
    if (this.#closed) return;
    this.#answers.push([call, pack(reply)]);
    if (!this.#busy) this.#tell();
  }

  /** Brings to the guest what it has room for, and wakes it. */
  #tell(): void {
    // What is told may bring about more (a peer that was held back goes on), which must not be told in the midst of a record.
    this.#busy = true;
    while (!this.#full && (this.#answers.length > 0 || this.#dirty.size > 0)) {
      // Say so first, then look again.
      if (!this.#tellAll() && Atomics.exchange(this.#channelWords, netWord.eventsWait, 1) === 1) this.#full = true;
    }
    this.#busy = false;
    this.#told = this.#published;
    if (!this.#published) return;
    this.#published = false;
    wake(this.#words);
  }

  /** False when there is no room for all. */
  #tellAll(): boolean {
    const events = this.#events;
    for (let first = this.#answers[0]; first; first = this.#answers[0]) {
      if (!events.put(event.answer, 0, ...first)) return false;
      this.#published = true;
      this.#answers.shift();
    }
    for (const served of this.#dirty) {
      // After the others: one that has much to tell must not keep them silent.
      this.#dirty.delete(served);
      const { told, more } = served.tell(events, (listener) => this.#transfer(listener));
      this.#published ||= told;
      if (more === 'full') {
        this.#dirty.add(served);
        return false;
      }
      if (more === 'later') this.#dirty.add(served);
    }
    return true;
  }

  /** Hands the next connection of a listener to the guest. False = no room. */
  #transfer(listener: Served): boolean {
    // Before it is taken out of the backlog.
    if (this.#events.free < CHUNK) return false;
    const socket = listener.socket instanceof DatagramSocket ? undefined : listener.socket.accept();
    if (!socket) return true;
    const id = this.#freeId();
    const peer = socket.peerAddress();
    this.#add(id, socket);
    this.#events.put(event.accepted, listener.id, id, pack({ local: socket.localAddress(), peer }));
    this.#dirty.add(this.#served.get(socket) as Served);
    return true;
  }

  #freeId(): number {
    do this.#nextId = (this.#nextId + 2) & 0x7fff_fffe;
    while (this.#nextId === 0 || this.#sockets.has(this.#nextId));
    return this.#nextId;
  }
}
