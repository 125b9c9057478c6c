import { expect, test } from 'vitest';
import { parseIp } from './ip.ts';
import { normalName, parseRules, rulesOfLabel, type Rules } from './rules.ts';

function allows(rules: Rules, address: string, port: number, ...names: string[]): boolean {
  const ip = parseIp(address);
  if (!ip) throw new Error(address);
  return rules.allows({ names, ip, port });
}

test('all and none', () => {
  expect(rulesOfLabel(undefined)).toBe('all');
  expect(rulesOfLabel(' ')).toBe('all');
  expect(rulesOfLabel('none')).toBe('none');
  expect(allows(parseRules('all'), '1.2.3.4', 80)).toBe(true);
  expect(allows(parseRules('none'), '1.2.3.4', 80, 'a.example')).toBe(false);
  expect(parseRules('none').allowsLookup('a.example')).toBe(false);
});

test('names match whole or below a star, with their port', () => {
  const rules = parseRules(rulesOfLabel('Example.COM:443, *.cdn.example, host.docker.internal:5432'));
  expect(allows(rules, '1.2.3.4', 443, 'example.com')).toBe(true);
  expect(allows(rules, '1.2.3.4', 80, 'example.com')).toBe(false);
  expect(allows(rules, '1.2.3.4', 443)).toBe(false);
  expect(allows(rules, '1.2.3.4', 443, 'evilexample.com')).toBe(false);
  expect(allows(rules, '1.2.3.4', 1, 'a.b.cdn.example')).toBe(true);
  expect(allows(rules, '1.2.3.4', 1, 'cdn.example')).toBe(false);
  expect(allows(rules, '172.17.0.1', 5432, 'host.docker.internal')).toBe(true);
  expect(
    ['example.com', 'x.cdn.example', 'other.example', 'host.docker.internal'].map((name) => rules.allowsLookup(name)),
  ).toEqual([true, true, false, true]);
});

test('addresses and CIDRs, with their port; any name may then be asked for, but not the host’s', () => {
  const rules = parseRules(['10.0.0.0/8', '1.1.1.1:53', '[2001:db8::1]:443', '2001:db8:1::/48', 'fd00::5']);
  expect(allows(rules, '10.200.0.1', 99)).toBe(true);
  expect(allows(rules, '::ffff:10.0.0.1', 99)).toBe(true);
  expect(allows(rules, '1.1.1.1', 53)).toBe(true);
  expect(allows(rules, '1.1.1.1', 54)).toBe(false);
  expect(allows(rules, '2001:db8::1', 443)).toBe(true);
  expect(allows(rules, '2001:db8::1', 80)).toBe(false);
  expect(allows(rules, '2001:db8:1:2::3', 80)).toBe(true);
  expect(allows(rules, 'fd00::5', 80)).toBe(true);
  expect(rules.allowsLookup('anything.example')).toBe(true);
  expect(rules.allowsLookup('host.docker.internal')).toBe(false);
});

test.each([
  '',
  'a b',
  'http://x',
  'x:0',
  'x:70000',
  'x:http',
  '*',
  '*.',
  'a.*.b',
  '10.0.0.0/40',
  '300.1.1.1',
  'x/8',
  '[::1',
  '-a.b',
  'all,none,',
])('the rule %j is refused by name', (text) => {
  const list = text === '' ? [''] : text.split(',');
  expect(() => parseRules(list)).toThrow(/invalid outbound rule/);
});

test('a list is bounded', () => {
  expect(() => parseRules(Array.from({ length: 1001 }, (_, n) => `h${n}`))).toThrow('too many outbound rules: 1001');
});

test('host names', () => {
  expect(normalName('Web.')).toBe('web');
  expect(normalName('_sip._tcp.example.com')).toBe('_sip._tcp.example.com');
  for (const wrong of ['', '.', 'a..b', 'a b', '-a', 'a-', 'x'.repeat(64), `${'a.'.repeat(127)}toolong`, 'a\0b', 'ü'])
    expect(normalName(wrong)).toBeUndefined();
});
