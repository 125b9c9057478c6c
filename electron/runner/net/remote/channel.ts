/**
 * The shared memory between a guest in its own thread and the control thread, which has its sockets: `requests` to it, `events` back. Made when a guest
 * uses its network for the first time; most never do.
 */
import type { RingPlace } from '../../bridge/record-ring.ts';
import type { SocketAddress } from '../guest-net.ts';

/** Bytes of each ring. */
export const RING = 1 << 19;
/** Bytes of the rings that data leaves to everything else. */
export const RESERVE = 1 << 14;
/** Bytes of one record of data at most. */
export const CHUNK = 1 << 16;
/** Bytes that are worth a record: where the ring's end has fewer it is skipped. */
export const LEAST = 1 << 12;
/** What a record of data costs of the room that one side grants the other, beside its bytes. */
export const COST = 256;
/** Connections that wait in the guest's thread to be accepted. */
export const TRANSFER = 64;

/** Indexes into `words`. */
export const netWord = {
  requestsHead: 0,
  requestsTail: 1,
  eventsHead: 2,
  eventsTail: 3,
  /** 1 = the control thread sleeps and wants a message when there is a request. */
  controlSleeps: 4,
  /** 1 = the control thread has events that did not fit and wants a message when there is room. */
  eventsWait: 5,
  /** 1 = the guest waits for room for requests and wants to be woken. */
  requestsWait: 6,
} as const;

/** Guest → control. `id` is the socket's; bytes are text as JSON where nothing else is said. */
export const request = {
  /** argument: family * 2 + (stream ? 1 : 0). */
  open: 1,
  /** argument: number of the call. */
  bind: 2,
  listen: 3,
  connect: 4,
  lookup: 5,
  /** bytes: those to send. */
  data: 6,
  /** argument: port, 0 = to the peer. bytes: see `packDatagram`. */
  datagram: 7,
  /** argument: read * 1 + write * 2. */
  shutdown: 8,
  options: 9,
  close: 10,
  /** argument: bytes of the room for data that were taken. */
  room: 11,
  /** argument: connections accepted. */
  taken: 12,
} as const;

/** Control → guest. */
export const event = {
  /** argument: number of the call. */
  answer: 1,
  /** argument: id of the new socket. */
  accepted: 2,
  data: 3,
  datagram: 4,
  /** The peer has closed its direction. */
  end: 5,
  /** argument: errno. */
  error: 6,
  /** argument: as in `request`. */
  room: 7,
} as const;

/** The bytes of an `answer`. */
export interface Reply {
  readonly error?: number;
  readonly addresses?: readonly string[];
  readonly local?: SocketAddress;
  readonly peer?: SocketAddress;
}

/** The bytes of `accepted`. */
export interface Accepted {
  readonly local: SocketAddress;
  readonly peer: SocketAddress;
}

export interface Channel {
  readonly shared: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly requests: RingPlace;
  readonly events: RingPlace;
}

const WORDS = 16;

/** A channel over new shared memory, or over what the other thread has sent. */
export function openChannel(shared = new SharedArrayBuffer(WORDS * 4 + 2 * RING)): Channel {
  const words = new Int32Array(shared, 0, WORDS);
  return {
    shared,
    words,
    requests: {
      words,
      head: netWord.requestsHead,
      tail: netWord.requestsTail,
      bytes: new Uint8Array(shared, WORDS * 4, RING),
    },
    events: {
      words,
      head: netWord.eventsHead,
      tail: netWord.eventsTail,
      bytes: new Uint8Array(shared, WORDS * 4 + RING, RING),
    },
  };
}

const encoder = new TextEncoder();

export const pack = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value));

/** `bytes` may lie in shared memory, which TextDecoder does not take. */
export const unpack = (bytes: Uint8Array): unknown =>
  JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));

/** Bytes before a datagram: the length of the address, and the address. */
export const datagramHead = (address: string): number => 1 + address.length;

/** Writes the head of a datagram; its bytes follow. */
export function packDatagram(into: Uint8Array, address: string): void {
  into[0] = address.length;
  for (let at = 0; at < address.length; at++) into[at + 1] = address.charCodeAt(at);
}

export function unpackDatagram(bytes: Uint8Array): { readonly address: string; readonly data: Uint8Array } {
  const end = 1 + (bytes[0] as number);
  const address = Buffer.from(bytes.buffer, bytes.byteOffset + 1, end - 1).toString('latin1');
  return { address, data: bytes.subarray(end) };
}
