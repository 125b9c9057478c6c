/** Addresses as text, as everything below the WASI host has them, and as bytes, as guests have them. */
import { isIPv4, isIPv6 } from 'node:net';
import type { SocketFamily } from '../net/guest-net.ts';

const MAPPED = '::ffff:';

export const anyAddress = (family: SocketFamily): string => (family === 4 ? '0.0.0.0' : '::');
export const loopbackAddress = (family: SocketFamily): string => (family === 4 ? '127.0.0.1' : '::1');

/** 4 for dotted IPv4, 6 for IPv6 text without a zone, undefined for what is neither (a name). */
export function familyOf(text: string): SocketFamily | undefined {
  if (isIPv4(text)) return 4;
  return isIPv6(text) && !text.includes('%') ? 6 : undefined;
}

export const textOf4 = (bytes: Uint8Array): string => bytes.subarray(0, 4).join('.');

/** The longest run of zeros is left out; an IPv4 address that was mapped comes out as such (RFC 5952). */
export function textOf16(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] as number) << 8) | (bytes[index * 2 + 1] as number)).toString(16),
  );
  if (groups.slice(0, 5).every((group) => group === '0') && groups[5] === 'ffff')
    return MAPPED + textOf4(bytes.subarray(12));
  let [from, length] = [-1, 1];
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (groups[end] === '0') end++;
    if (end - start > length) [from, length] = [start, end - start];
  }
  if (from < 0) return groups.join(':');
  return `${groups.slice(0, from).join(':')}::${groups.slice(from + length).join(':')}`;
}

/** 4 bytes of dotted text. */
export const bytesOf4 = (text: string): Uint8Array => Uint8Array.from(text.split('.'), Number);

/** 16 bytes of IPv6 text, or of dotted IPv4 (mapped). */
export function bytesOf16(text: string): Uint8Array {
  const out = new Uint8Array(16);
  if (isIPv4(text)) return bytesOf16(MAPPED + text);
  const [head = '', tail] = text.replace(/%.*/, '').split('::');
  const groups = (part: string): number[] =>
    part === ''
      ? []
      : part.split(':').flatMap((group) => {
          if (!group.includes('.')) return [parseInt(group, 16)];
          const [a, b, c, d] = bytesOf4(group) as unknown as [number, number, number, number];
          return [(a << 8) | b, (c << 8) | d];
        });
  const [left, right] = [groups(head), tail === undefined ? [] : groups(tail)];
  const all = [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
  all.forEach((group, index) => {
    out[index * 2] = group >> 8;
    out[index * 2 + 1] = group & 0xff;
  });
  return out;
}

/** The IPv4 address inside of a mapped one, else the text as it is. */
export const unmapped = (text: string): string => (/^::ffff:\d+\./i.test(text) ? text.slice(MAPPED.length) : text);
