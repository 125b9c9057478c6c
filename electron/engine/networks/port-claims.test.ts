import { expect, test } from 'vitest';
import { PortClaims } from './port-claims.ts';

test('a port has one holder, for each protocol, until it is given back', () => {
  const claims = new PortClaims<string>();
  expect(claims.take('tcp', 80, { holder: 'a', address: '' })).toBe(80);
  expect(claims.take('tcp', 80, { holder: 'b', address: '127.0.0.1' })).toBeUndefined();
  expect(claims.take('udp', 80, { holder: 'b', address: '' })).toBe(80);
  claims.give('tcp', 80, 'b');
  expect(claims.get('tcp', 80)?.holder).toBe('a');
  claims.give('tcp', 80, 'a');
  expect(claims.take('tcp', 80, { holder: 'b', address: '' })).toBe(80);
  claims.giveAll('b');
  expect([claims.get('tcp', 80), claims.get('udp', 80)]).toEqual([undefined, undefined]);
});

test('free ports are ephemeral ones, all different, until none is left', () => {
  const claims = new PortClaims<string>();
  const taken = new Set<number>();
  for (let n = 0; n < 28232; n++) taken.add(claims.take('tcp', 0, { holder: 'a', address: '' }) ?? -1);
  expect(taken.size).toBe(28232);
  expect([Math.min(...taken), Math.max(...taken)]).toEqual([32768, 60999]);
  expect(claims.take('tcp', 0, { holder: 'a', address: '' })).toBeUndefined();
  expect(claims.take('udp', 0, { holder: 'a', address: '' })).toBeGreaterThan(0);
});
