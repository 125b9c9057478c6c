/** What poll_oneoff and epoll_oneoff tell about a descriptor. */
import type { Descriptor } from './descriptors.ts';
import { errno, errnoOf } from './errno.ts';
import { progress, type SocketDescriptor } from './sock-descriptor.ts';
import { hasDatagram } from './sock-receive.ts';
import { EVENT_HANGUP, eventtype } from './types.ts';

export interface Readiness {
  readonly error: number;
  readonly bytes: bigint;
  readonly flags: number;
}

/** Bytes that a writable pipe takes at once (PIPE_BUF). */
const PIPE_BUFFER = 4096n;

export const failed = (error: number): Readiness => ({ error, bytes: 0n, flags: 0 });
const WRITABLE: Readiness = { error: 0, bytes: PIPE_BUFFER, flags: 0 };
const HANGUP: Readiness = { error: 0, bytes: 0n, flags: EVENT_HANGUP };
/** Readable, but how much is not told: a listener, an empty datagram, an error that the next call gives. */
const SOMETHING: Readiness = { error: 0, bytes: 1n, flags: 0 };

/** Undefined = not ready. */
export function readiness(descriptor: Descriptor | undefined, type: number): Readiness | undefined {
  if (!descriptor) return failed(errno.badf);
  const writing = type === eventtype.fdWrite;
  switch (descriptor.kind) {
    case 'directory':
      return failed(errno.isdir);
    case 'socket':
      return writing ? writableSocket(descriptor) : readableSocket(descriptor);
    case 'file':
      if (writing) return WRITABLE;
      try {
        const left = descriptor.file.stat().size - BigInt(descriptor.position);
        return { error: 0, bytes: left > 0n ? left : 0n, flags: 0 };
      } catch (error) {
        return failed(errnoOf(error));
      }
    case 'stream':
      if (writing) {
        if (!descriptor.output) return failed(errno.badf);
        return descriptor.output.writable() ? WRITABLE : undefined;
      }
      if (!descriptor.input) return failed(errno.badf);
      return readableBytes(descriptor.input.available()) ?? (descriptor.input.ended() ? HANGUP : undefined);
  }
}

const readableBytes = (bytes: number): Readiness | undefined =>
  bytes > 0 ? { error: 0, bytes: BigInt(bytes), flags: 0 } : undefined;

/** As Linux' POLLIN; a stream that is not connected is a hang-up. */
function readableSocket(descriptor: SocketDescriptor): Readiness | undefined {
  if (descriptor.closed) return failed(errno.badf);
  progress(descriptor);
  const { socket } = descriptor;
  if (socket.type === 'dgram') {
    if (hasDatagram(descriptor)) return readableBytes(socket.available()) ?? SOMETHING;
    if (descriptor.readShut) return HANGUP;
    return socket.error(false) === 0 ? undefined : SOMETHING;
  }
  if (socket.state === 'listening') return socket.backlog() > 0 ? SOMETHING : undefined;
  if (socket.state === 'connecting') return undefined;
  if (socket.state !== 'connected') return HANGUP;
  const bytes = readableBytes(socket.available());
  if (bytes) return bytes;
  return socket.ended() || descriptor.broken || socket.error(false) !== 0 ? HANGUP : undefined;
}

/** As Linux' POLLOUT: a connect that is over, however it ended, is writable, and SO_ERROR tells how. */
function writableSocket(descriptor: SocketDescriptor): Readiness | undefined {
  if (descriptor.closed) return failed(errno.badf);
  progress(descriptor);
  const { socket } = descriptor;
  if (socket.type === 'dgram') return socket.writable() || socket.error(false) !== 0 ? WRITABLE : undefined;
  if (socket.state === 'connecting' || socket.state === 'listening') return undefined;
  if (socket.state !== 'connected' || descriptor.broken || descriptor.writeShut) return HANGUP;
  if (socket.error(false) !== 0) return HANGUP;
  return socket.writable() ? WRITABLE : undefined;
}

/**
 * A number that changes whenever a socket that is ready becomes ready anew, as an edge-triggered poll would tell it: bytes, datagrams or connections
 * arrived; there was no room and now there is; the other end is gone. What was told and not taken is not told again.
 */
export function edgeOf({ socket, edges }: SocketDescriptor, type: number, state: Readiness): number {
  const gone = (state.flags & EVENT_HANGUP) === 0 ? 0 : 1;
  if (type === eventtype.fdWrite) return edges.stalled * 2 + gone;
  if (socket.type === 'dgram') return edges.taken * 2 + gone;
  const waiting = socket.state === 'listening' ? socket.backlog() : socket.available();
  return (edges.taken + waiting) * 2 + gone;
}
