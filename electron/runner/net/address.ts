/** What addresses mean for the sockets of one guest. All of them are text; IPv4 in an IPv6 socket is mapped (::ffff:a.b.c.d). */
import { familyOf, loopbackAddress, unmapped } from '../wasi/ip-address.ts';
import type { SocketAddress, SocketFamily } from './guest-net.ts';

export const isAny = (address: string): boolean => {
  const plain = unmapped(address);
  return plain === '0.0.0.0' || plain === '::';
};

export const isLoopback = (address: string): boolean => {
  const plain = unmapped(address);
  return plain === '::1' || plain.startsWith('127.');
};

/** Where a connection to an address goes: to 0.0.0.0 and :: as to the loopback, as on Linux. Mapped addresses come out as IPv4. */
export function destination(address: string): string {
  const plain = unmapped(address);
  return isAny(plain) ? loopbackAddress(familyOf(plain) ?? 4) : plain;
}

/** True when a socket that is bound to `bound` hears what is sent to `to`: :: hears both families (there is no IPV6_V6ONLY). */
export function hears(bound: string, to: string): boolean {
  const [own, wanted] = [unmapped(bound), unmapped(to)];
  if (own === '::') return true;
  return own === '0.0.0.0' ? familyOf(wanted) === 4 : own === wanted;
}

/** An address as a socket of this family sees it. */
export function seenBy(family: SocketFamily, { address, port }: SocketAddress): SocketAddress {
  const plain = unmapped(address);
  return { address: family === 6 && familyOf(plain) === 4 ? `::ffff:${plain}` : plain, port };
}
