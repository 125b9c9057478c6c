/** Sending: sock_send, sock_send_to, fd_write. */
import type { SocketAddress } from '../net/guest-net.ts';
import { errno } from './errno.ts';
import { MAX_VECTORS } from './guest-memory.ts';
import type { Host } from './host.ts';
import { anyAddress } from './ip-address.ts';
import { progress, type SocketDescriptor, takeError } from './sock-descriptor.ts';
import { deadlineOf, rest, sizeOf } from './sock-receive.ts';
import { fdflag } from './types.ts';
import { answered, waitFor } from './waiting.ts';
import type { Wait } from './world.ts';

/** The most that one datagram of IPv4 carries, in bytes. */
const LARGEST_DATAGRAM = 65_507;

/**
 * Sends an iovec array and writes the number of bytes sent to `sizeOut`. A socket without NONBLOCK takes all of them before it answers, or as many as
 * went within SO_SNDTIMEO. `to`: the destination of a datagram; a stream has its own.
 * @throws WasiError FAULT
 */
export function send(
  host: Host,
  descriptor: SocketDescriptor,
  [iovs, count, sizeOut]: readonly [number, number, number],
  to?: SocketAddress,
): number | Wait {
  return descriptor.socket.type === 'dgram'
    ? sendDatagram(host, descriptor, [iovs, count, sizeOut], to)
    : sendStream(host, descriptor, [iovs, count, sizeOut]);
}

function isWritable(descriptor: SocketDescriptor): boolean {
  if (descriptor.closed) return true;
  progress(descriptor);
  const { socket } = descriptor;
  if (socket.state === 'connecting') return false;
  return socket.state !== 'connected' || socket.error(false) !== 0 || socket.writable();
}

function sendStream(
  { memory }: Host,
  descriptor: SocketDescriptor,
  [iovs, count, sizeOut]: readonly [number, number, number],
): number | Wait {
  const { socket, settings, edges } = descriptor;
  const blocks = (descriptor.flags & fdflag.nonblock) === 0;
  const deadline = blocks ? deadlineOf(settings.sendTimeout) : undefined;
  memory.at(sizeOut, 4);
  let done = 0;

  const answer = (): number => {
    memory.u32(sizeOut, done);
    return errno.success;
  };
  const attempt = (): number | Wait => {
    if (descriptor.closed) return errno.badf;
    progress(descriptor);
    const vectors = memory.vectors(iovs, count);
    const total = sizeOf(vectors);
    if (socket.state !== 'connecting') {
      if (done > 0 && socket.error(false) !== 0) return answer();
      const error = takeError(descriptor);
      if (error !== 0) return error;
      if (descriptor.broken || descriptor.writeShut) return done > 0 ? answer() : errno.pipe;
      if (socket.state !== 'connected') return errno.notconn;
      if (total > done) done += socket.send(rest(vectors, done));
      if (done >= total) return answer();
    }
    edges.stalled += 1;
    if (!blocks) return done > 0 ? answer() : errno.again;
    return waitFor(
      memory,
      () => isWritable(descriptor),
      attempt,
      deadline,
      () => (done > 0 ? answer() : errno.again),
    );
  };
  return attempt();
}

function sendDatagram(
  { memory }: Host,
  descriptor: SocketDescriptor,
  [iovs, count, sizeOut]: readonly [number, number, number],
  to: SocketAddress | undefined,
): number | Wait {
  const { socket, settings, edges } = descriptor;
  const blocks = (descriptor.flags & fdflag.nonblock) === 0;
  const deadline = blocks ? deadlineOf(settings.sendTimeout) : undefined;
  memory.at(sizeOut, 4);
  const attempt = (): number | Wait => {
    if (descriptor.closed) return errno.badf;
    const error = takeError(descriptor);
    if (error !== 0) return error;
    if (descriptor.writeShut) return errno.pipe;
    if (to === undefined && socket.peerAddress() === undefined) return errno.destaddrreq;
    const vectors = memory.vectors(iovs, count);
    const total = sizeOf(vectors);
    if (total > LARGEST_DATAGRAM || vectors.length === MAX_VECTORS) return errno.msgsize;
    // As the kernel does: who sends has an address, so that answers find it.
    if (socket.state === 'fresh')
      return answered(memory, socket.bind({ address: anyAddress(socket.family), port: 0 }), (failed) =>
        failed === 0 ? attempt() : failed,
      );
    const sent = socket.sendTo(vectors, to);
    if (sent === 0) memory.u32(sizeOut, total);
    if (sent !== undefined) return sent;
    edges.stalled += 1;
    if (!blocks) return errno.again;
    return waitFor(
      memory,
      () => descriptor.closed || socket.writable() || socket.error(false) !== 0,
      attempt,
      deadline,
      () => errno.again,
    );
  };
  return attempt();
}
