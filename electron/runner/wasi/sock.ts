/**
 * Sockets in preview 1: the four functions of the standard, and WasmEdge's dialect (its V1, its V2 and the `_v2` names). One name may have two shapes;
 * the module's declared type picks one, by its number of parameters (`bySignature`).
 */
import type { GuestSocket } from '../net/guest-net.ts';
import { errno } from './errno.ts';
import { guard, guarded, type Family, type Host } from './host.ts';
import { anyAddress } from './ip-address.ts';
import { addressBuffer, aligned, needsRoom, readAddress, writeAddress } from './sock-address.ts';
import { getAddrinfo } from './sock-addrinfo.ts';
import { needNet, progress, type SocketDescriptor, socketDescriptor, takeError } from './sock-descriptor.ts';
import { SocketNumbers } from './sock-open.ts';
import { getOption, setOption } from './sock-options.ts';
import { deadlineOf, receive } from './sock-receive.ts';
import { send } from './sock-send.ts';
import { fdflag, right, roflag, sdflag } from './types.ts';
import { answered, waitFor } from './waiting.ts';
import type { HostFunction, Wait } from './world.ts';

type Answer = number | Wait;

/** Imports whose shape hangs on the number of parameters that the module declares: by name, then by that number. */
export type BySignature = Readonly<Record<string, Readonly<Record<number, HostFunction>>>>;

export interface SockFunctions {
  /** By name, in the shape that a module means which declares no type that is known: the standard's, else WasmEdge's V1. */
  readonly family: Family;
  readonly bySignature: BySignature;
}

/** The names that the V2 shapes have besides. */
const V2_NAMES = [
  'open',
  'bind',
  'connect',
  'listen',
  'accept',
  'recv',
  'recv_from',
  'send',
  'send_to',
  'getlocaladdr',
  'getpeeraddr',
] as const;

export function sockFunctions(host: Host): SockFunctions {
  const { world, memory, descriptors } = host;
  const numbers = new SocketNumbers();
  const blocks = (descriptor: SocketDescriptor): boolean => (descriptor.flags & fdflag.nonblock) === 0;
  const adopt = (socket: GuestSocket, flags: number): number => descriptors.add(socketDescriptor(socket, flags));

  const open = (familyNumber: number, type: number, out: number): number => {
    memory.at(aligned(out), 4);
    const kind = numbers.kind(familyNumber, type);
    const net = needNet(world.net);
    descriptors.needRoom();
    memory.u32(out, adopt(net.socket(kind.family, kind.type), 0));
    return errno.success;
  };

  const bind = (fd: number, handle: number, port: number): Answer => {
    const { socket } = descriptors.socket(fd, 0);
    const address = readAddress(memory, handle, port, socket.family);
    if (socket.state !== 'fresh') return errno.inval;
    return answered(memory, socket.bind(address), (error) => error);
  };

  const listen = (fd: number, backlog: number): Answer => {
    const { socket } = descriptors.socket(fd, 0);
    if (socket.type !== 'stream') return errno.notsup;
    if (socket.state === 'listening') return errno.success;
    if (socket.state !== 'fresh' && socket.state !== 'bound') return errno.inval;
    return answered(memory, socket.listen(Math.max(0, backlog)), (error) => error);
  };

  const connect = (fd: number, handle: number, port: number): Answer => {
    const descriptor = descriptors.socket(fd, 0);
    const { socket } = descriptor;
    const address = readAddress(memory, handle, port, socket.family);
    if (socket.type === 'dgram') {
      const go = (): Answer => answered(memory, socket.connect(address), (error) => error);
      if (socket.state !== 'fresh') return go();
      return answered(memory, socket.bind({ address: anyAddress(socket.family), port: 0 }), (error) =>
        error === 0 ? go() : error,
      );
    }
    progress(descriptor);
    if (socket.state === 'connecting') return errno.already;
    if (socket.state === 'connected') return errno.isconn;
    if (socket.state === 'listening') return errno.inval;
    // Asked again after a connect that nobody waited for: what became of it.
    if (socket.state === 'failed') return takeError(descriptor) || errno.connaborted;
    const pending = socket.connect(address);
    descriptor.edges.stalled += 1;
    const later = (): number => {
      descriptor.connecting = pending;
      return errno.inprogress;
    };
    const settled = (error: number): number => {
      // Told here; SO_ERROR has nothing to add.
      if (error !== 0) socket.error(true);
      return error;
    };
    if (blocks(descriptor))
      return answered(memory, pending, settled, deadlineOf(descriptor.settings.sendTimeout), later);
    const at = pending.poll();
    return at === undefined ? later() : settled(at);
  };

  const accept = (fd: number, flags: number, out: number): Answer => {
    const listener = descriptors.socket(fd, right.sockAccept);
    const { socket } = listener;
    memory.at(out, 4);
    if ((flags & ~fdflag.nonblock) !== 0) return errno.inval;
    if (socket.type !== 'stream') return errno.notsup;
    if (socket.state !== 'listening') return errno.inval;
    const deadline = blocks(listener) ? deadlineOf(listener.settings.receiveTimeout) : undefined;
    const attempt = (): Answer => {
      if (listener.closed) return errno.badf;
      // Before the connection is taken, so that it waits for a descriptor to be free.
      descriptors.needRoom();
      const accepted = socket.accept();
      if (accepted) {
        listener.edges.taken += 1;
        memory.u32(out, adopt(accepted, flags));
        return errno.success;
      }
      if (!blocks(listener)) return errno.again;
      return waitFor(
        memory,
        () => listener.closed || socket.backlog() > 0,
        attempt,
        deadline,
        () => errno.again,
      );
    };
    return attempt();
  };

  const recv = (fd: number, iovs: number, count: number, flags: number, sizeOut: number, flagsOut: number): Answer => {
    const descriptor = descriptors.socket(fd, right.fdRead);
    memory.at(sizeOut, 4);
    memory.at(flagsOut, 2);
    return receive(host, descriptor, [iovs, count, flags], ({ length, truncated }) => {
      memory.u32(sizeOut, length);
      memory.view.setUint16(memory.at(flagsOut, 2), truncated ? roflag.truncated : 0, true);
    });
  };

  const recvFrom = (
    fd: number,
    [iovs, count, flags]: readonly [number, number, number],
    [handle, portOut, sizeOut, flagsOut]: readonly [number, number | undefined, number, number],
  ): Answer => {
    const descriptor = descriptors.socket(fd, right.fdRead);
    const { family } = descriptor.socket;
    memory.at(sizeOut, 4);
    memory.at(flagsOut, 2);
    if (portOut !== undefined) memory.at(portOut, 2);
    needsRoom(addressBuffer(memory, handle), family);
    return receive(host, descriptor, [iovs, count, flags], ({ length, truncated, from }) => {
      memory.u32(sizeOut, length);
      memory.view.setUint16(memory.at(flagsOut, 2), truncated ? roflag.truncated : 0, true);
      if (!from) return;
      writeAddress(addressBuffer(memory, handle), from, family);
      if (portOut !== undefined) memory.view.setUint16(memory.at(portOut, 2), from.port, true);
    });
  };

  const sendTo = (
    fd: number,
    [iovs, count, sizeOut]: readonly [number, number, number],
    [handle, port, flags]: readonly [number, number, number],
  ): Answer => {
    const descriptor = descriptors.socket(fd, right.fdWrite);
    if (flags !== 0) return errno.inval;
    const { socket } = descriptor;
    const to = socket.type === 'dgram' ? readAddress(memory, handle, port, socket.family) : undefined;
    return send(host, descriptor, [iovs, count, sizeOut], to);
  };

  const shutdown = (fd: number, how: number): number => {
    const descriptor = descriptors.socket(fd, right.sockShutdown);
    if (how === 0 || (how & ~(sdflag.rd | sdflag.wr)) !== 0) return errno.inval;
    const { socket } = descriptor;
    progress(descriptor);
    if (socket.type === 'dgram' ? socket.peerAddress() === undefined : socket.state !== 'connected')
      return errno.notconn;
    descriptor.readShut ||= (how & sdflag.rd) !== 0;
    descriptor.writeShut ||= (how & sdflag.wr) !== 0;
    socket.shutdown((how & sdflag.rd) !== 0, (how & sdflag.wr) !== 0);
    return errno.success;
  };

  /** V1: 4 or 16 bytes, and the number 4 or 6 as type. V2: 128 bytes, which hold the family. */
  const address = (fd: number, end: 'local' | 'peer', handle: number, typeOut: number | undefined, portOut: number) => {
    const { socket } = descriptors.socket(fd, 0);
    const buffer = addressBuffer(memory, handle, typeOut === undefined ? [128] : [4, 16]);
    memory.at(aligned(portOut), 4);
    if (typeOut !== undefined) memory.at(aligned(typeOut), 4);
    const found = end === 'local' ? socket.localAddress() : socket.peerAddress();
    if (!found) return errno.notconn;
    writeAddress(buffer, found, socket.family);
    if (typeOut !== undefined) memory.u32(typeOut, socket.family);
    memory.u32(portOut, found.port);
    return errno.success;
  };

  const family = guarded(memory, {
    sock_open: open,
    sock_bind: bind,
    sock_listen: listen,
    sock_connect: connect,
    sock_accept: accept,
    sock_recv: recv,
    sock_recv_from: (a: number, b: number, c: number, handle: number, flags: number, size: number, out: number) =>
      recvFrom(a, [b, c, flags], [handle, undefined, size, out]),
    sock_send: (fd: number, iovs: number, count: number, flags: number, sizeOut: number) => {
      const descriptor = descriptors.socket(fd, right.fdWrite);
      return flags === 0 ? send(host, descriptor, [iovs, count, sizeOut]) : errno.inval;
    },
    sock_send_to: (a: number, b: number, c: number, handle: number, port: number, flags: number, size: number) =>
      sendTo(a, [b, c, size], [handle, port, flags]),
    sock_shutdown: shutdown,
    sock_getsockopt: (fd: number, level: number, name: number, pointer: number, length: number) =>
      getOption(host, numbers, [fd, level, name, pointer, length]),
    sock_setsockopt: (fd: number, level: number, name: number, pointer: number, length: number) =>
      setOption(host, [fd, level, name, pointer, length]),
    sock_getlocaladdr: (fd: number, handle: number, type: number, port: number) =>
      address(fd, 'local', handle, type, port),
    sock_getpeeraddr: (fd: number, handle: number, type: number, port: number) =>
      address(fd, 'peer', handle, type, port),
    sock_getaddrinfo: (
      node: number,
      nodeLength: number,
      service: number,
      serviceLength: number,
      hints: number,
      list: number,
      most: number,
      countOut: number,
    ) => getAddrinfo(host, { node, nodeLength, service, serviceLength, hints, list, most, countOut }),
  });
  /** The shapes that differ from those of the un-suffixed names. */
  const two = {
    accept: guard(memory, (fd: number, out: number) => accept(fd, 0, aligned(out))),
    recv_from: guard(
      memory,
      (a: number, b: number, c: number, handle: number, flags: number, port: number, size: number, out: number) =>
        recvFrom(a, [b, c, flags], [handle, port, size, out]),
    ),
    getlocaladdr: guard(memory, (fd: number, handle: number, port: number) =>
      address(fd, 'local', handle, undefined, port),
    ),
    getpeeraddr: guard(memory, (fd: number, handle: number, port: number) =>
      address(fd, 'peer', handle, undefined, port),
    ),
  };
  const named = (name: string): HostFunction => family[`sock_${name}`] as HostFunction;
  const v2: Record<string, HostFunction> = {
    recv_from: two.recv_from,
    getlocaladdr: two.getlocaladdr,
    getpeeraddr: two.getpeeraddr,
  };
  return {
    family: {
      ...family,
      ...Object.fromEntries(V2_NAMES.map((name) => [`sock_${name}_v2`, v2[name] ?? named(name)])),
    },
    bySignature: {
      sock_accept: { 2: two.accept, 3: named('accept') },
      sock_recv_from: { 7: named('recv_from'), 8: two.recv_from },
      sock_getlocaladdr: { 3: two.getlocaladdr, 4: named('getlocaladdr') },
      sock_getpeeraddr: { 3: two.getpeeraddr, 4: named('getpeeraddr') },
    },
  };
}
