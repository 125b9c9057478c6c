/** What addresses mean for the sockets of one guest. All of them are text; IPv4 in an IPv6 socket is mapped (::ffff:a.b.c.d). */
import { familyOf, loopbackAddress, unmapped } from '../wasi/ip-address.ts';
import type { NetSpec } from '../../supervisor/protocol.ts';
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

/**
 * True when a socket that is bound to `bound` can reach `to`, which sees others come from `source`. As on Linux, a loopback address is no source for
 * anybody else: who trusts its loopback would be deceived.
 */
export const maySpeak = (bound: string, to: string, source: string): boolean =>
  !isLoopback(bound) || isLoopback(to) || unmapped(source) === unmapped(to);

/** Who comes to a published port, as the guest sees it: the host's loopback is not the guest's. */
export function fromOutside(address: string, published: NetSpec['published']): string {
  const plain = unmapped(address).replace(/%.*/, '');
  return published && isLoopback(plain) ? published.host : plain;
}
