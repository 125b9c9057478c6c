import { describe, expect, test } from 'vitest';
import { Gate } from './gate.ts';

const gate = new Gate(4321);
const tokenOf = (each: Gate): string => new URL(each.url).searchParams.get('token') ?? '';

describe('host', () => {
  test.each([
    ['127.0.0.1:4321', true],
    ['localhost:4321', true],
    ['127.0.0.1', false],
    ['127.0.0.1:80', false],
    ['evil.example:4321', false],
    ['127.0.0.1:4321.evil.example', false],
    ['[::1]:4321', false],
    ['', false],
    [undefined, false],
  ])('%s → %s', (host, allowed) => {
    expect(gate.knowsHost({ host })).toBe(allowed);
  });

  test('port 80 is not written', () => {
    expect(new Gate(80).knowsHost({ host: 'localhost' })).toBe(true);
  });
});

describe('origin', () => {
  const host = '127.0.0.1:4321';
  test.each([
    ['our page', { origin: 'http://127.0.0.1:4321' }, true],
    ['no page', {}, true],
    ['our page, without Origin', { 'sec-fetch-site': 'same-origin' }, true],
    ['another page', { origin: 'https://evil.example' }, false],
    ['another port of this machine', { origin: 'http://127.0.0.1:8080' }, false],
    ['a sandboxed frame', { origin: 'null' }, false],
    ['our other name', { origin: 'http://localhost:4321' }, false],
    ['another page, without Origin', { 'sec-fetch-site': 'cross-site' }, false],
    ['another port, without Origin', { 'sec-fetch-site': 'same-site' }, false],
  ])('%s', (_who, headers, allowed) => {
    expect(gate.allowsOrigin({ host, ...headers })).toBe(allowed);
  });
});

describe('token and cookie', () => {
  test('the token is good once; the cookie it gave stays good', () => {
    const one = new Gate(1);
    const token = tokenOf(one);
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(one.exchange('wrong')).toBeUndefined();
    const setCookie = one.exchange(token) ?? '';
    expect(setCookie).toMatch(/^drydock-1=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/);
    expect(one.exchange(token)).toBeUndefined();
    expect(tokenOf(one)).not.toBe(token);
    const cookie = setCookie.split(';')[0] ?? '';
    expect(one.admits({ cookie })).toBe(true);
    expect(one.admits({ cookie: `a=b; ${cookie}; c=d` })).toBe(true);
    expect(one.exchange(tokenOf(one))).toBeDefined(); // another browser
    expect(one.admits({ cookie })).toBe(true);
  });

  test('the token itself, no cookie, and one of another Drydock are refused', () => {
    const one = new Gate(1);
    const cookie = (one.exchange(tokenOf(one)) ?? '').split(';')[0] ?? '';
    expect(one.admits({})).toBe(false);
    expect(one.admits({ cookie: 'drydock-1=' })).toBe(false);
    expect(one.admits({ cookie: `drydock-1=${tokenOf(one)}` })).toBe(false);
    expect(one.admits({ cookie: cookie.slice(0, -1) })).toBe(false);
    expect(new Gate(1).admits({ cookie })).toBe(false);
  });
});
