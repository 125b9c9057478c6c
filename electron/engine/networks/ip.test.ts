import { expect, test } from 'vitest';
import { formatIp, parseIp, parsePrefix, scopeOf, within, type Ip } from './ip.ts';

const ip = (text: string): Ip => {
  const parsed = parseIp(text);
  if (!parsed) throw new Error(`not an address: ${text}`);
  return parsed;
};

test.each([
  ['10.0.0.1', '10.0.0.1'],
  ['::ffff:127.0.0.1', '127.0.0.1'],
  ['::FFFF:7f00:1', '127.0.0.1'],
  ['0:0:0:0:0:ffff:1.2.3.4', '1.2.3.4'],
  ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['::', '::'],
  ['::1', '::1'],
  ['fe80::', 'fe80::'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
])('%s is %s', (text, canonical) => expect(formatIp(ip(text))).toBe(canonical));

test.each([
  '',
  '1.2.3',
  '1.2.3.256',
  '01.2.3.4.5',
  '1:2:3',
  ':::',
  '1::2::3',
  'fe80::1%lo',
  '12345::',
  'localhost',
  '1:2:3:4:5:6:7:8:9',
  '::1.2.3.4.5',
  '0x7f.1',
])('%j is no address', (text) => expect(parseIp(text)).toBeUndefined());

test('whatever a host could take for itself is not global', () => {
  const scopes = (...texts: string[]): string[] => texts.map((text) => scopeOf(ip(text)));
  expect(scopes('0.0.0.0', '::', '::ffff:0.0.0.0')).toEqual(['any', 'any', 'any']);
  expect(scopes('127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1')).toEqual(Array(4).fill('loopback'));
  expect(
    scopes(
      '0.0.0.1',
      '169.254.169.254',
      '224.0.0.1',
      '255.255.255.255',
      '::127.0.0.1',
      '64:ff9b::7f00:1',
      'fe80::1',
      'ff02::1',
    ),
  ).toEqual(Array(8).fill('local'));
  expect(scopes('1.1.1.1', '10.0.0.1', '172.18.0.2', '2606:4700::1111', 'fd00::1')).toEqual(Array(5).fill('global'));
});

test('prefixes', () => {
  const inside = (address: string, text: string): boolean => {
    const prefix = parsePrefix(text);
    if (!prefix) throw new Error(text);
    return within(ip(address), prefix);
  };
  expect(inside('10.9.8.7', '10.1.2.3/8')).toBe(true);
  expect(inside('11.0.0.0', '10.0.0.0/8')).toBe(false);
  expect(inside('1.2.3.4', '0.0.0.0/0')).toBe(true);
  expect(inside('::1', '0.0.0.0/0')).toBe(false);
  expect(inside('2001:db8::9', '2001:db8::/32')).toBe(true);
  expect(inside('1.2.3.4', '1.2.3.4')).toBe(true);
  for (const wrong of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/9', 'x/8', '::/129'])
    expect(parsePrefix(wrong)).toBeUndefined();
});
