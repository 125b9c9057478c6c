/** IPv4 subnets and the addresses in them, as unsigned 32-bit numbers. */
import { invalid } from '../../base/errors.ts';

export interface Subnet {
  readonly base: number;
  readonly prefix: number;
}

export function parseAddress(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (!parts || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

export const formatAddress = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');

/** "172.18.0.0/16"; host bits are dropped. @throws invalid */
export function parseSubnet(text: string): Subnet {
  const [address = '', prefixText = ''] = text.split('/');
  const at = parseAddress(address);
  const prefix = /^\d{1,2}$/.test(prefixText) ? Number(prefixText) : 33;
  // Below /30 there is no room for a gateway and a member.
  if (at === undefined || prefix < 1 || prefix > 30)
    throw invalid(`invalid subnet ${text}: expected an IPv4 network of /1 to /30, such as 172.30.0.0/16`);
  const size = 2 ** (32 - prefix);
  return { base: Math.floor(at / size) * size, prefix };
}

export const formatSubnet = ({ base, prefix }: Subnet): string => `${formatAddress(base)}/${prefix}`;
export const sizeOf = ({ prefix }: Subnet): number => 2 ** (32 - prefix);
export const contains = (subnet: Subnet, address: number): boolean =>
  address >= subnet.base && address < subnet.base + sizeOf(subnet);
export const overlaps = (a: Subnet, b: Subnet): boolean => contains(a, b.base) || contains(b, a.base);

/** The pools that moby hands out by default: 172.17–172.31 as /16, then 192.168 in pieces of /20. */
export function* defaultPools(): Generator<Subnet> {
  for (let second = 17; second < 32; second++) yield parseSubnet(`172.${second}.0.0/16`);
  for (let third = 0; third < 256; third += 16) yield parseSubnet(`192.168.${third}.0/20`);
}

/** Hands out host addresses of one subnet, the next free one after the last, so that an address is not reused at once. */
export class AddressPool {
  readonly #subnet: Subnet;
  readonly #taken = new Set<number>();
  #last = 0;

  constructor(subnet: Subnet, gateway: number) {
    this.#subnet = subnet;
    this.#taken.add(gateway - subnet.base);
  }

  /** Undefined when the subnet is full. */
  take(): number | undefined {
    const hosts = sizeOf(this.#subnet) - 2;
    for (let tried = 0; tried < hosts; tried++) {
      this.#last = (this.#last % hosts) + 1;
      if (this.#taken.has(this.#last)) continue;
      this.#taken.add(this.#last);
      return this.#subnet.base + this.#last;
    }
    return undefined;
  }

  /** One that was asked for. False when it is taken, or the subnet's own or its broadcast address. */
  takeThis(address: number): boolean {
    const at = address - this.#subnet.base;
    if (this.#taken.has(at) || at < 1 || at > sizeOf(this.#subnet) - 2) return false;
    this.#taken.add(at);
    return true;
  }

  give(address: number): void {
    this.#taken.delete(address - this.#subnet.base);
  }
}

/** Docker's scheme: 02:42 and the address. */
export const macOf = (address: number): string =>
  [
    '02',
    '42',
    ...[24, 16, 8, 0].map((shift) => (Math.floor(address / 2 ** shift) % 256).toString(16).padStart(2, '0')),
  ].join(':');
