import { expect, it } from 'vitest';
import { bytesOf16, bytesOf4, familyOf, textOf16, textOf4, unmapped } from './ip-address.ts';

it.each([
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['fe80::1:2', 'fe80::1:2'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ['::ffff:10.1.2.3', '::ffff:10.1.2.3'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ['10.1.2.3', '::ffff:10.1.2.3'],
  ['fe80::1%eth0', 'fe80::1'],
])('%s', (text, back) => {
  expect(textOf16(bytesOf16(text))).toBe(back);
});

it('reads and writes IPv4', () => {
  expect([...bytesOf4('192.168.0.255')]).toEqual([192, 168, 0, 255]);
  expect(textOf4(Uint8Array.of(1, 2, 3, 4, 9))).toBe('1.2.3.4');
  expect([unmapped('::ffff:1.2.3.4'), unmapped('::1')]).toEqual(['1.2.3.4', '::1']);
});

it('tells numbers from names', () => {
  expect(['1.2.3.4', '::1', 'fe80::1%eth0', '1.2.3', 'web', ''].map(familyOf)).toEqual([
    4,
    6,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
