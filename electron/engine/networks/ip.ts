/** IP addresses as numbers: what a guest names, in whatever spelling, is one value here. */

export interface Ip {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** Dotted IPv4, or IPv6 text without brackets. IPv4-mapped IPv6 (::ffff:a.b.c.d) is that IPv4 address. Undefined for all else, zones (%eth0) included. */
export function parseIp(text: string): Ip | undefined {
  const v4 = parseV4(text);
  if (v4 !== undefined) return { family: 4, value: v4 };
  const v6 = parseV6(text);
  if (v6 === undefined) return undefined;
  return v6 >> 32n === 0xffffn ? { family: 4, value: v6 & 0xffff_ffffn } : { family: 6, value: v6 };
}

/** Canonical text (RFC 5952), by which an address can be compared and looked up. */
export function formatIp({ family, value }: Ip): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
  const words = Array.from({ length: 8 }, (_, at) => ((value >> BigInt(112 - 16 * at)) & 0xffffn).toString(16));
  const zeros = [...words.join(':').matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length)[0];
  const text = words.join(':');
  if (!zeros) return text;
  return `${text.slice(0, zeros.index)}::${text.slice(zeros.index + zeros[0].length).replace(/^:/, '')}`;
}

export interface Prefix {
  readonly ip: Ip;
  readonly length: number;
}

/** "10.0.0.0/8", "fd00::/8", or one address; host bits are dropped. */
export function parsePrefix(text: string): Prefix | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const ip = parseIp(address);
  if (!ip || rest.length > 0) return undefined;
  const bits = ip.family === 4 ? 32 : 128;
  if (length === undefined) return { ip, length: bits };
  if (!/^\d{1,3}$/.test(length) || Number(length) > bits) return undefined;
  const shift = BigInt(bits - Number(length));
  return { ip: { family: ip.family, value: (ip.value >> shift) << shift }, length: Number(length) };
}

export function within(ip: Ip, { ip: base, length }: Prefix): boolean {
  if (ip.family !== base.family) return false;
  const shift = BigInt((ip.family === 4 ? 32 : 128) - length);
  return ip.value >> shift === base.value >> shift;
}

const prefix = (text: string): Prefix => {
  const parsed = parsePrefix(text);
  if (!parsed) throw new Error(`not a prefix: ${text}`);
  return parsed;
};

const loopback = [prefix('127.0.0.0/8'), prefix('::1')];
/**
 * Addresses that mean something only where they are spoken: this host, this link, a group, everybody. Passed on to the host they would mean the
 * host's own. ::/96 and 64:ff9b::/96 wrap IPv4 addresses, loopback among them.
 */
const local = [
  '0.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  '64:ff9b::/96',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
].map(prefix);

/** `any`: 0.0.0.0 or ::. `local`: reaches no further than a link, see above. */
export function scopeOf(ip: Ip): 'any' | 'loopback' | 'local' | 'global' {
  if (ip.value === 0n) return 'any';
  if (loopback.some((each) => within(ip, each))) return 'loopback';
  return local.some((each) => within(ip, each)) ? 'local' : 'global';
}

function parseV4(text: string): bigint | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (!parts || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

function parseV6(text: string): bigint | undefined {
  if (text.length > 45 || !/^[0-9a-fA-F:.]+$/.test(text)) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = [words(halves[0] ?? ''), words(halves[1] ?? '')];
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...head, ...Array<bigint>(missing).fill(0n), ...tail].reduce((sum, word) => (sum << 16n) | word, 0n);
}

/** Groups of four hex digits; the last one may be dotted IPv4, which is two. */
function words(text: string): bigint[] | undefined {
  if (text === '') return [];
  const out: bigint[] = [];
  const groups = text.split(':');
  for (const [at, group] of groups.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) out.push(BigInt(`0x${group}`));
    else {
      const v4 = at === groups.length - 1 ? parseV4(group) : undefined;
      if (v4 === undefined) return undefined;
      out.push(v4 >> 16n, v4 & 0xffffn);
    }
  }
  return out;
}
