/** Receiving: sock_recv, sock_recv_from, fd_read. */
import type { SocketAddress } from '../net/guest-net.ts';
import { errno } from './errno.ts';
import type { Host } from './host.ts';
import { progress, type SocketDescriptor, takeError } from './sock-descriptor.ts';
import { fdflag, riflag } from './types.ts';
import { waitFor } from './waiting.ts';
import type { Wait } from './world.ts';

export interface Received {
  readonly length: number;
  readonly truncated: boolean;
  readonly from: SocketAddress | undefined;
}

/** Writes the answer where the guest wants it; the places were checked before anything was taken. */
type Finish = (received: Received) => void;

const AT_END: Received = { length: 0, truncated: false, from: undefined };

export const deadlineOf = (timeout: bigint): bigint | undefined =>
  timeout === 0n ? undefined : process.hrtime.bigint() + timeout;

/** What is left of the buffers after the first `skip` bytes. */
export function rest(vectors: readonly Uint8Array[], skip: number): readonly Uint8Array[] {
  if (skip === 0) return vectors;
  const left: Uint8Array[] = [];
  for (const vector of vectors) {
    if (skip >= vector.length) skip -= vector.length;
    else {
      left.push(skip === 0 ? vector : vector.subarray(skip));
      skip = 0;
    }
  }
  return left;
}

export const sizeOf = (vectors: readonly Uint8Array[]): number =>
  vectors.reduce((sum, vector) => sum + vector.length, 0);

/**
 * Receives into an iovec array. A socket without NONBLOCK waits for the first byte (for all with WAITALL), at most SO_RCVTIMEO.
 * @throws WasiError FAULT
 */
export function receive(
  host: Host,
  descriptor: SocketDescriptor,
  [iovs, count, flags]: readonly [number, number, number],
  finish: Finish,
): number | Wait {
  if ((flags & ~(riflag.peek | riflag.waitall)) !== 0) return errno.inval;
  return descriptor.socket.type === 'dgram'
    ? receiveDatagram(host, descriptor, [iovs, count, flags], finish)
    : receiveStream(host, descriptor, [iovs, count, flags], finish);
}

/** There may be something to take, or something to say. */
function isReadable(descriptor: SocketDescriptor): boolean {
  if (descriptor.closed) return true;
  progress(descriptor);
  const { socket } = descriptor;
  if (socket.state === 'connecting') return false;
  return socket.state !== 'connected' || socket.available() > 0 || socket.ended() || socket.error(false) !== 0;
}

function receiveStream(
  { memory }: Host,
  descriptor: SocketDescriptor,
  [iovs, count, flags]: readonly [number, number, number],
  finish: Finish,
): number | Wait {
  const { socket, settings, edges } = descriptor;
  const peek = (flags & riflag.peek) !== 0;
  const blocks = (descriptor.flags & fdflag.nonblock) === 0;
  const deadline = blocks ? deadlineOf(settings.receiveTimeout) : undefined;
  let done = 0;

  const answer = (): number => {
    finish(done === 0 ? AT_END : { length: done, truncated: false, from: socket.peerAddress() });
    return errno.success;
  };
  const attempt = (): number | Wait => {
    if (descriptor.closed) return errno.badf;
    progress(descriptor);
    const vectors = memory.vectors(iovs, count);
    const total = sizeOf(vectors);
    const { state } = socket;
    if (state === 'connected') {
      const taken = total > done ? socket.receive(rest(vectors, done), peek) : 0;
      if (!peek) edges.taken += taken;
      done += taken;
      const wanted = blocks && !peek ? ((flags & riflag.waitall) !== 0 ? total : settings.receiveLow) : 1;
      if (done >= Math.min(wanted, total)) return answer();
      if (socket.error(false) !== 0 && socket.available() === 0) return done > 0 ? answer() : takeError(descriptor);
      if (socket.ended() || descriptor.broken) return answer();
    } else if (state !== 'connecting') {
      if (done > 0) return answer();
      const error = takeError(descriptor);
      if (error !== 0) return error;
      return descriptor.broken ? answer() : errno.notconn;
    }
    if (!blocks) return done > 0 ? answer() : errno.again;
    return waitFor(
      memory,
      () => isReadable(descriptor),
      attempt,
      deadline,
      () => (done > 0 ? answer() : errno.again),
    );
  };
  return attempt();
}

function receiveDatagram(
  { memory }: Host,
  descriptor: SocketDescriptor,
  [iovs, count, flags]: readonly [number, number, number],
  finish: Finish,
): number | Wait {
  const { socket, settings, edges } = descriptor;
  const peek = (flags & riflag.peek) !== 0;
  const blocks = (descriptor.flags & fdflag.nonblock) === 0;
  const deadline = blocks ? deadlineOf(settings.receiveTimeout) : undefined;
  const attempt = (): number | Wait => {
    if (descriptor.closed) return errno.badf;
    const error = takeError(descriptor);
    if (error !== 0) return error;
    const datagram = socket.receiveFrom(memory.vectors(iovs, count), peek);
    if (datagram) {
      if (!peek) edges.taken += 1;
      finish(datagram);
      return errno.success;
    }
    if (descriptor.readShut) {
      finish(AT_END);
      return errno.success;
    }
    if (!blocks) return errno.again;
    return waitFor(
      memory,
      () => descriptor.closed || hasDatagram(descriptor) || descriptor.readShut || socket.error(false) !== 0,
      attempt,
      deadline,
      () => errno.again,
    );
  };
  return attempt();
}

/** An empty datagram is one too. */
export function hasDatagram({ socket }: SocketDescriptor): boolean {
  return socket.available() > 0 || socket.receiveFrom([], true) !== undefined;
}
