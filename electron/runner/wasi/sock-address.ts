/** Addresses of WasmEdge's calls: a handle of 8 bytes (buffer, its length) to 4, 16 or 128 bytes. */
import type { SocketAddress, SocketFamily } from '../net/guest-net.ts';
import { errno, WasiError } from './errno.ts';
import type { GuestMemory } from './guest-memory.ts';
import { bytesOf16, bytesOf4, textOf16, textOf4, unmapped } from './ip-address.ts';

/** WasmEdge's numbers; before 0.10 they began with inet4 = 0, see sock-open.ts. */
export const family = { unspec: 0, inet4: 1, inet6: 2, unix: 3 } as const;

const IPV4 = 4;
const IPV6 = 16;
/** `sockaddr_storage` of the V2 calls: the family as u16, then the address. */
const STORAGE = 128;
const STORAGE_ADDRESS = 2;

export const familyNumber = (value: SocketFamily): number => (value === 4 ? family.inet4 : family.inet6);

/** WasmEdge refuses pointers that are no multiples of 4 in calls of its own, before it looks where they lead. */
export function aligned(pointer: number): number {
  if ((pointer & 3) !== 0) throw new WasiError(errno.addrnotavail);
  return pointer;
}

/** The buffer that a handle tells of. @throws WasiError ADDRNOTAVAIL, FAULT, INVAL (no length of an address) */
export function addressBuffer(memory: GuestMemory, handle: number, lengths: readonly number[] = [4, 16, 128]): Buffer {
  const at = memory.at(aligned(handle), 8);
  const length = memory.view.getUint32(at + 4, true);
  if (!lengths.includes(length)) throw new WasiError(errno.inval);
  return memory.slice(memory.view.getUint32(at, true), length) as Buffer;
}

/**
 * The address that a socket of `wanted` shall have or reach. An IPv6 socket reaches IPv4 addresses as mapped ones, as on Linux.
 * @throws WasiError AFNOSUPPORT when the address is of another family.
 */
export function readAddress(memory: GuestMemory, handle: number, port: number, wanted: SocketFamily): SocketAddress {
  const buffer = addressBuffer(memory, handle);
  const number = port & 0xffff;
  const [kind, bytes] = addressIn(buffer);
  if (kind === 4 && wanted === 4) return { address: textOf4(bytes), port: number };
  if (kind === 4) throw new WasiError(errno.afnosupport);
  const text = unmapped(textOf16(bytes));
  if (wanted === 4 && text.includes(':')) throw new WasiError(errno.afnosupport);
  return { address: text, port: number };
}

function addressIn(buffer: Buffer): [SocketFamily, Uint8Array] {
  if (buffer.length === IPV4) return [4, buffer];
  if (buffer.length === IPV6) return [6, buffer];
  switch (buffer.readUInt16LE(0)) {
    case family.inet4:
      return [4, buffer.subarray(STORAGE_ADDRESS, STORAGE_ADDRESS + IPV4)];
    case family.inet6:
      return [6, buffer.subarray(STORAGE_ADDRESS, STORAGE_ADDRESS + IPV6)];
    case family.unix:
      throw new WasiError(errno.afnosupport);
    default:
      throw new WasiError(errno.inval);
  }
}

/** Fails when the address of a socket of this family could not be written: to be asked before what cannot be undone. @throws WasiError NOMEM */
export function needsRoom(buffer: Buffer, kind: SocketFamily): void {
  if (kind === 6 && buffer.length < IPV6) throw new WasiError(errno.nomem);
}

/** Writes the address of a socket's end. 16 bytes are enough for both families: IPv4 takes the first four. */
export function writeAddress(buffer: Buffer, { address }: SocketAddress, kind: SocketFamily): void {
  const bytes = kind === 4 ? bytesOf4(unmapped(address)) : bytesOf16(address);
  if (buffer.length === STORAGE) {
    buffer.fill(0);
    buffer.writeUInt16LE(familyNumber(kind), 0);
    buffer.set(bytes, STORAGE_ADDRESS);
  } else {
    needsRoom(buffer, kind);
    buffer.set(bytes, 0);
  }
}
