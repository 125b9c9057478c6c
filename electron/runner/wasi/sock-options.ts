/** sock_getsockopt, sock_setsockopt: SOL_SOCKET only. Numbers are i32; times are a `timeval` of wasi-libc (two i64), lingering is two i32. */
import type { Host } from './host.ts';
import { errno, WasiError } from './errno.ts';
import { progress, type SocketDescriptor, takeError } from './sock-descriptor.ts';
import type { SocketNumbers } from './sock-open.ts';

const SOL_SOCKET = 0;
export const option = {
  reuseaddr: 0,
  type: 1,
  error: 2,
  dontroute: 3,
  broadcast: 4,
  sndbuf: 5,
  rcvbuf: 6,
  keepalive: 7,
  oobinline: 8,
  linger: 9,
  rcvlowat: 10,
  rcvtimeo: 11,
  sndtimeo: 12,
  acceptconn: 13,
  bindtodevice: 14,
} as const;

const MICROSECOND = 1000n;
const SECOND = 1_000_000_000n;
/** Linux' bounds of a buffer, in bytes. */
const SMALLEST_BUFFER = 2048;
const LARGEST_BUFFER = 8 << 20;
/** Seconds; more is for ever. */
const LONGEST = 1n << 31n;

const int = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeInt32LE(value);
  return out;
};
const flag = (value: number): number => (value === 0 ? 0 : 1);

function timeval(nanoseconds: bigint): Buffer {
  const out = Buffer.alloc(16);
  out.writeBigInt64LE(nanoseconds / SECOND, 0);
  out.writeBigInt64LE((nanoseconds % SECOND) / MICROSECOND, 8);
  return out;
}

/** 16 bytes (i64, i64), or the 8 of hosts with 32-bit times. In ns. */
function nanoseconds(bytes: Buffer): bigint {
  if (bytes.length < 8) throw new WasiError(errno.inval);
  const wide = bytes.length >= 16;
  const seconds = wide ? bytes.readBigInt64LE(0) : BigInt(bytes.readInt32LE(0));
  const micros = wide ? bytes.readBigInt64LE(8) : BigInt(bytes.readInt32LE(4));
  if (micros < 0n || micros >= 1_000_000n) throw new WasiError(errno.inval);
  if (seconds < 0n || seconds > LONGEST) return 0n;
  return seconds * SECOND + micros * MICROSECOND;
}

/** Bytes of the option as they are told. */
function get(descriptor: SocketDescriptor, name: number, numbers: SocketNumbers): Buffer {
  const { settings, socket } = descriptor;
  switch (name) {
    case option.reuseaddr:
      return int(settings.reuseAddress);
    case option.type:
      return int(numbers.typeNumber(socket.type));
    case option.error:
      progress(descriptor);
      return int(takeError(descriptor));
    case option.dontroute:
      return int(settings.dontRoute);
    case option.broadcast:
      return int(settings.broadcast);
    case option.sndbuf:
      return int(settings.sendBuffer);
    case option.rcvbuf:
      return int(settings.receiveBuffer);
    case option.keepalive:
      return int(settings.keepAlive);
    case option.oobinline:
      return int(settings.outOfBandInline);
    case option.linger:
      return Buffer.concat([int(settings.linger.on), int(settings.linger.seconds)]);
    case option.rcvlowat:
      return int(settings.receiveLow);
    case option.rcvtimeo:
      return timeval(settings.receiveTimeout);
    case option.sndtimeo:
      return timeval(settings.sendTimeout);
    case option.acceptconn:
      return int(socket.state === 'listening' ? 1 : 0);
    case option.bindtodevice:
      return Buffer.alloc(0);
    default:
      throw new WasiError(errno.inval);
  }
}

function set({ settings, socket }: SocketDescriptor, name: number, bytes: Buffer): number {
  const number = (): number => {
    if (bytes.length < 4) throw new WasiError(errno.inval);
    return bytes.readInt32LE(0);
  };
  // Negative sizes are huge ones, as in Linux.
  const size = (): number => Math.max(SMALLEST_BUFFER, Math.min(number() >>> 0, LARGEST_BUFFER));
  switch (name) {
    case option.reuseaddr:
      settings.reuseAddress = flag(number());
      return errno.success;
    case option.dontroute:
      settings.dontRoute = flag(number());
      return errno.success;
    case option.broadcast:
      settings.broadcast = flag(number());
      socket.setOptions({ broadcast: settings.broadcast === 1 });
      return errno.success;
    case option.sndbuf:
      settings.sendBuffer = size();
      socket.setOptions({ sendBuffer: settings.sendBuffer });
      return errno.success;
    case option.rcvbuf:
      settings.receiveBuffer = size();
      socket.setOptions({ receiveBuffer: settings.receiveBuffer });
      return errno.success;
    case option.keepalive:
      settings.keepAlive = flag(number());
      socket.setOptions({ keepAlive: settings.keepAlive === 1 });
      return errno.success;
    case option.oobinline:
      settings.outOfBandInline = flag(number());
      return errno.success;
    case option.linger:
      if (bytes.length < 8) return errno.inval;
      settings.linger = { on: flag(bytes.readInt32LE(0)), seconds: bytes.readInt32LE(4) };
      return errno.success;
    case option.rcvlowat:
      settings.receiveLow = Math.max(1, number());
      return errno.success;
    case option.rcvtimeo:
      settings.receiveTimeout = nanoseconds(bytes);
      return errno.success;
    case option.sndtimeo:
      settings.sendTimeout = nanoseconds(bytes);
      return errno.success;
    case option.bindtodevice:
      // There are no devices; to be bound to none is what every socket is.
      return bytes.length === 0 || bytes[0] === 0 ? errno.success : errno.nodev;
    case option.type:
    case option.error:
    case option.acceptconn:
      return errno.noprotoopt;
    default:
      return errno.inval;
  }
}

/** Writes what fits and how long it was, as POSIX does; a buffer too short for a number is INVAL. */
export function getOption(
  { memory, descriptors }: Host,
  numbers: SocketNumbers,
  [fd, level, name, pointer, lengthPointer]: readonly [number, number, number, number, number],
): number {
  const descriptor = descriptors.socket(fd, 0);
  const at = memory.at(lengthPointer, 4);
  if (level !== SOL_SOCKET) return errno.inval;
  const room = memory.view.getUint32(at, true);
  const into = memory.slice(pointer, room);
  if (room < 4 && name !== option.bindtodevice) return errno.inval;
  const value = get(descriptor, name, numbers);
  const length = Math.min(value.length, room);
  into.set(value.subarray(0, length));
  memory.view.setUint32(at, length, true);
  return errno.success;
}

export function setOption(
  { memory, descriptors }: Host,
  [fd, level, name, pointer, length]: readonly [number, number, number, number, number],
): number {
  const descriptor = descriptors.socket(fd, 0);
  if (level !== SOL_SOCKET) return errno.inval;
  return set(descriptor, name, memory.slice(pointer, length) as Buffer);
}
