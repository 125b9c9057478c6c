/**
 * sock_getaddrinfo. The guest brings a linked list of nodes, each with room for one address; the host fills in what it finds. Layouts (reference: WasmEdge's
 * api.hpp): addrinfo 28 bytes: flags u16 0, family u8 2, socktype u8 3, protocol u8 4, addrlen u32 8, addr 12, canonname 16, its length 20, next 24;
 * sockaddr 12 bytes: family u8 0, data length u32 4, data 8; data: port u16 big-endian, then the address.
 */
import type { SocketFamily } from '../net/guest-net.ts';
import { addrinfoErrno, errno, WasiError } from './errno.ts';
import type { GuestMemory } from './guest-memory.ts';
import type { Host } from './host.ts';
import { anyAddress, bytesOf16, bytesOf4, familyOf, loopbackAddress, unmapped } from './ip-address.ts';
import { aligned, family, familyNumber } from './sock-address.ts';
import { needNet } from './sock-descriptor.ts';
import { socktype } from './sock-open.ts';
import { servicePort } from './sock-services.ts';
import { answered } from './waiting.ts';
import type { Wait } from './world.ts';

export const aiflag = {
  passive: 1,
  canonname: 2,
  numerichost: 4,
  numericserv: 8,
  v4mapped: 16,
  all: 32,
  addrconfig: 64,
} as const;
const KNOWN_FLAGS = 127;
export const protocol = { ip: 0, tcp: 1, udp: 2 } as const;

const NODE = 28;
const SOCKADDR = 12;
/** Bytes of sa_data, and of the `sockaddr` that it stands for. */
const DATA4 = 14;
const DATA6 = 26;
const LENGTH4 = 16;
const LENGTH6 = 28;
/** What guests set aside for a canonical name, NUL included. */
const CANONNAME = 30;
/** A list longer than any program's; it bounds the walk through a list that bites its tail. */
const MAX_RESULTS = 1024;
/** Longest host name and service name worth reading, in bytes. */
const LONGEST_NAME = 1024;

interface Hints {
  readonly flags: number;
  readonly family: number;
  readonly kinds: readonly Kind[];
}

interface Kind {
  readonly type: 'stream' | 'dgram';
  readonly protocol: number;
}

interface Found {
  readonly address: string;
  readonly family: SocketFamily;
}

interface Result extends Found {
  readonly port: number;
  readonly kind: Kind;
}

const fail = (value: number): WasiError => new WasiError(value);
const STREAM: Kind = { type: 'stream', protocol: protocol.tcp };
const DGRAM: Kind = { type: 'dgram', protocol: protocol.udp };

/** A string with or without the NUL that C and the Rust crate count. */
function text(memory: GuestMemory, pointer: number, length: number): string {
  if (length >>> 0 > LONGEST_NAME) throw fail(addrinfoErrno.noname);
  if (length === 0) return '';
  const bytes = memory.slice(pointer, length);
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
}

function readHints(memory: GuestMemory, pointer: number): Hints {
  if (pointer === 0) return { flags: 0, family: family.unspec, kinds: [STREAM, DGRAM] };
  const at = memory.at(aligned(pointer), NODE);
  const { view } = memory;
  const flags = view.getUint16(at, true);
  const [wanted, type, over] = [view.getUint8(at + 2), view.getUint8(at + 3), view.getUint8(at + 4)];
  if ((flags & ~KNOWN_FLAGS) !== 0) throw fail(addrinfoErrno.badflag);
  if (wanted > family.inet6) throw fail(addrinfoErrno.family);
  if (type > socktype.stream || over > protocol.udp) throw fail(addrinfoErrno.socktype);
  const kinds = [STREAM, DGRAM].filter(
    (kind) =>
      (type === socktype.any || (type === socktype.stream) === (kind === STREAM)) &&
      (over === protocol.ip || over === kind.protocol),
  );
  if (kinds.length === 0) throw fail(addrinfoErrno.socktype);
  return { flags, family: wanted, kinds };
}

/** Each kind of socket with its port. A service that only one kind has narrows the answer down to it. */
function portsOf(service: string, { flags, kinds }: Hints): (readonly [Kind, number])[] {
  if (/^\d+$/.test(service) || service === '') {
    const port = Number(service);
    if (port > 65_535) throw fail(addrinfoErrno.service);
    return kinds.map((kind) => [kind, port] as const);
  }
  if ((flags & aiflag.numericserv) !== 0) throw fail(addrinfoErrno.noname);
  const found = kinds.flatMap((kind) => {
    const port = servicePort(service, kind.type);
    return port === undefined ? [] : [[kind, port] as const];
  });
  if (found.length === 0) throw fail(addrinfoErrno.service);
  return found;
}

const mapped = (address: string): Found => ({ address: `::ffff:${address}`, family: 6 });

/** Addresses that need no question: no node at all, or a number. Undefined = it is a name. */
function numericHost(node: string, { flags, family: wanted }: Hints): readonly Found[] | undefined {
  if (node === '') {
    const address = (flags & aiflag.passive) !== 0 ? anyAddress : loopbackAddress;
    const kinds: readonly SocketFamily[] = wanted === 0 ? [4, 6] : [wanted === family.inet4 ? 4 : 6];
    return kinds.map((kind) => ({ address: address(kind), family: kind }));
  }
  const kind = familyOf(node);
  if (kind === undefined) {
    if ((flags & aiflag.numerichost) !== 0) throw fail(addrinfoErrno.noname);
    return undefined;
  }
  if (wanted === 0 || familyNumber(kind) === wanted) return [{ address: node, family: kind }];
  if (kind === 4 && (flags & aiflag.v4mapped) !== 0) return [mapped(node)];
  throw fail(addrinfoErrno.addrfamily);
}

/** What a name leads to, of the family that was asked for. */
function chosen(addresses: readonly string[], { flags, family: wanted }: Hints): readonly Found[] {
  const found = addresses.flatMap((address): Found[] => {
    const kind = familyOf(address);
    return kind === undefined ? [] : [{ address, family: kind }];
  });
  if (wanted === family.unspec) return found;
  const own = found.filter((one) => familyNumber(one.family) === wanted);
  if (wanted === family.inet4 || (flags & aiflag.v4mapped) === 0) return own;
  const others = found.filter((one) => one.family === 4).map((one) => mapped(one.address));
  return own.length > 0 && (flags & aiflag.all) === 0 ? own : [...own, ...others];
}

/** The errno of a lookup as getaddrinfo says it. */
function lookupError(value: number): number {
  if (value === errno.noent) return addrinfoErrno.noname;
  if (value === errno.again) return addrinfoErrno.again;
  return value === errno.acces ? addrinfoErrno.fail : addrinfoErrno.system;
}

export interface AddrinfoCall {
  readonly node: number;
  readonly nodeLength: number;
  readonly service: number;
  readonly serviceLength: number;
  readonly hints: number;
  /** Pointer to the pointer to the first node. */
  readonly list: number;
  readonly most: number;
  readonly countOut: number;
}

/** @throws WasiError, with the numbers of `addrinfoErrno` too */
export function getAddrinfo({ world, memory }: Host, call: AddrinfoCall): number | Wait {
  const node = text(memory, call.node, call.nodeLength);
  const service = text(memory, call.service, call.serviceLength);
  if (node === '' && service === '') return addrinfoErrno.noname;
  if (call.most < 1) return addrinfoErrno.memory;
  const countOut = memory.at(aligned(call.countOut), 4);
  const first = memory.view.getUint32(memory.at(aligned(call.list), 4), true);
  const hints = readHints(memory, call.hints);
  if (node === '' && (hints.flags & aiflag.canonname) !== 0) return addrinfoErrno.badflag;
  const ports = portsOf(service, hints);

  const finish = (found: readonly Found[]): number => {
    if (found.length === 0) return addrinfoErrno.nodata;
    const results = found.flatMap((one): Result[] => ports.map(([kind, port]) => ({ ...one, kind, port })));
    const canonical = (hints.flags & aiflag.canonname) !== 0 ? node : undefined;
    memory.u32(countOut, fill(memory, first, Math.min(call.most, MAX_RESULTS), results, canonical));
    return errno.success;
  };

  const known = numericHost(node, hints);
  if (known) return finish(known);
  const wanted = hints.family === family.inet4 ? 4 : hints.family === family.inet6 ? 6 : 0;
  // Mapped addresses are those of the other family.
  const asked = wanted === 6 && (hints.flags & aiflag.v4mapped) !== 0 ? 0 : wanted;
  return answered(memory, needNet(world.net).lookup(node, asked), (answer) =>
    typeof answer === 'number' ? lookupError(answer) : finish(chosen(answer, hints)),
  );
}

/** Fills the guest's nodes one after another; their number. */
function fill(
  memory: GuestMemory,
  first: number,
  most: number,
  results: readonly Result[],
  canonical: string | undefined,
): number {
  let node = first;
  let count = 0;
  for (const result of results) {
    if (count >= most || node === 0) break;
    const at = memory.at(aligned(node), NODE);
    fillNode(memory, at, result, count === 0 ? canonical : undefined);
    node = memory.view.getUint32(at + 24, true);
    count += 1;
  }
  return count;
}

function fillNode(
  memory: GuestMemory,
  at: number,
  { address, family: kind, port, kind: { type, protocol: over } }: Result,
  canonical: string | undefined,
): void {
  const { view } = memory;
  const sockaddr = memory.at(aligned(view.getUint32(at + 12, true)), SOCKADDR);
  const length = kind === 4 ? DATA4 : DATA6;
  const data = memory.slice(view.getUint32(sockaddr + 8, true), length) as Buffer;
  data.fill(0);
  data.writeUInt16BE(port, 0);
  if (kind === 4) data.set(bytesOf4(unmapped(address)), 2);
  else data.set(bytesOf16(address), 6);
  view.setUint8(sockaddr, familyNumber(kind));
  view.setUint32(sockaddr + 4, length, true);
  view.setUint16(at, 0, true);
  view.setUint8(at + 2, familyNumber(kind));
  view.setUint8(at + 3, type === 'stream' ? socktype.stream : socktype.dgram);
  view.setUint8(at + 4, over);
  view.setUint32(at + 8, kind === 4 ? LENGTH4 : LENGTH6, true);
  const name = view.getUint32(at + 16, true);
  if (canonical === undefined || name === 0) return;
  const bytes = Buffer.from(canonical).subarray(0, CANONNAME - 1);
  memory.slice(name, bytes.length + 1).set([...bytes, 0]);
  view.setUint32(at + 20, bytes.length, true);
}
