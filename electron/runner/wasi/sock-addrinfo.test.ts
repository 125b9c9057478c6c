import { expect, it } from 'vitest';
import { addrinfoErrno as ai, errno } from './errno.ts';
import { FakeNet } from './net-testing.ts';
import { aiflag, protocol } from './sock-addrinfo.ts';
import { at, HandGuest } from './testing.ts';
import type { Wait } from './world.ts';

const hintsAt = 2048;
const listAt = 2100;
const countAt = 2104;
const nodesAt = 4096;

class Resolver extends HandGuest {
  readonly net: FakeNet;
  constructor() {
    const net = new FakeNet();
    super({ net });
    this.net = net;
  }

  /** Prepares a list of nodes as WasmEdge's crate does: each with a sockaddr, 26 bytes of data and 30 of a name. */
  nodes(count: number): void {
    this.view.setUint32(listAt, nodesAt, true);
    this.bytes.fill(0, nodesAt, nodesAt + count * 128);
    for (let index = 0; index < count; index++) {
      const node = nodesAt + index * 128;
      this.view.setUint32(node + 12, node + 32, true);
      this.view.setUint32(node + 16, node + 80, true);
      this.view.setUint32(node + 24, index + 1 < count ? node + 128 : 0, true);
      this.view.setUint32(node + 40, node + 48, true);
    }
  }

  ask(
    node: string,
    service: string,
    { flags = 0, family = 0, type = 0, over = 0, most = 8, hints = hintsAt } = {},
  ): number | Wait {
    this.nodes(Math.max(0, most));
    this.view.setUint32(hintsAt, flags | (family << 16) | (type << 24), true);
    this.view.setUint8(hintsAt + 4, over);
    const [nodePointer, nodeLength] = this.text(node);
    const [servicePointer, serviceLength] = this.text(service, at.other);
    return this.call(
      'sock_getaddrinfo',
      nodePointer,
      nodeLength,
      servicePointer,
      serviceLength,
      hints,
      listAt,
      most,
      countAt,
    );
  }

  results() {
    return Array.from({ length: this.view.getUint32(countAt, true) }, (_, index) => {
      const node = nodesAt + index * 128;
      const data = this.bytes.subarray(node + 48, node + 48 + this.view.getUint32(node + 36, true));
      const six = data.length === 26;
      return {
        family: this.bytes[node + 2],
        type: this.bytes[node + 3],
        over: this.bytes[node + 4],
        length: this.view.getUint32(node + 8, true),
        of: this.bytes[node + 32],
        port: data.readUInt16BE(0),
        address: [...data.subarray(six ? 6 : 2, six ? 22 : 6)].join('.'),
      };
    });
  }
}

const V4 = { family: 1, of: 1, length: 16 };
const STREAM = { type: 2, over: protocol.tcp };
const DGRAM = { type: 1, over: protocol.udp };

it('resolves numbers without asking anybody', () => {
  using guest = new Resolver();
  expect(guest.ask('10.1.2.3', '80')).toBe(0);
  expect(guest.results()).toEqual([
    { ...V4, ...STREAM, port: 80, address: '10.1.2.3' },
    { ...V4, ...DGRAM, port: 80, address: '10.1.2.3' },
  ]);
  expect(guest.ask('::1\0', '443\0', { type: 2 })).toBe(0);
  expect(guest.results()).toEqual([
    { family: 2, of: 2, length: 28, ...STREAM, port: 443, address: '0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1' },
  ]);
  expect(guest.ask('10.1.2.3', '', { family: 2 })).toBe(ai.addrfamily);
  expect(guest.ask('10.1.2.3', '', { family: 2, type: 2, flags: aiflag.v4mapped })).toBe(0);
  expect(guest.results()).toMatchObject([{ family: 2, address: '0.0.0.0.0.0.0.0.0.0.255.255.10.1.2.3' }]);
  expect(guest.net.asked).toEqual([]);
});

it('asks the network for names, and waits', () => {
  using guest = new Resolver();
  guest.net.names.set('db', ['10.0.0.2', '10.0.0.3', 'fd00::2']);
  guest.net.held = true;
  const wait = guest.ask('db', 'postgresql', { type: 2 }) as Wait;
  expect(wait.ready()).toBe(false);
  guest.net.held = false;
  expect([wait.ready(), wait.resume()]).toEqual([true, 0]);
  expect(guest.results().map((one) => [one.family, one.port])).toEqual([
    [1, 5432],
    [1, 5432],
    [2, 5432],
  ]);
  expect(guest.ask('db', '1', { family: 1, type: 1, most: 1 })).toBe(0);
  expect(guest.results()).toEqual([{ ...V4, ...DGRAM, port: 1, address: '10.0.0.2' }]);
  guest.ask('db', '1', { family: 2, type: 1 });
  expect(guest.results()).toHaveLength(1);
  guest.ask('db', '1', { family: 2, type: 1, flags: aiflag.v4mapped | aiflag.all });
  expect(guest.results()).toHaveLength(3);
  expect(guest.net.asked).toEqual([
    ['db', 0],
    ['db', 4],
    ['db', 6],
    ['db', 0],
  ]);
});

it.each([
  [errno.noent, ai.noname],
  [errno.again, ai.again],
  [errno.acces, ai.fail],
  [errno.io, ai.system],
])('says as getaddrinfo does why a name has no address (%d)', (answer, wanted) => {
  using guest = new Resolver();
  guest.net.names.set('x', answer);
  expect(guest.ask('x', '80')).toBe(wanted);
});

it('says that a name has none of the family', () => {
  using guest = new Resolver();
  guest.net.names.set('x', ['10.0.0.1']);
  expect(guest.ask('x', '80', { family: 2 })).toBe(ai.nodata);
});

it('knows where to listen and how to reach itself', () => {
  using guest = new Resolver();
  expect(guest.ask('', '8080', { flags: aiflag.passive, family: 1, type: 2 })).toBe(0);
  expect(guest.results()).toMatchObject([{ address: '0.0.0.0', port: 8080 }]);
  expect(guest.ask('', 'https', { family: 1, type: 2 })).toBe(0);
  expect(guest.results()).toMatchObject([{ address: '127.0.0.1', port: 443 }]);
});

it('knows services by name, of one protocol or of both', () => {
  using guest = new Resolver();
  guest.ask('1.1.1.1', 'domain', { most: 9 });
  expect(guest.results().map((one) => one.port)).toEqual([53, 53]);
  guest.ask('1.1.1.1', 'HTTP');
  expect(guest.results()).toMatchObject([{ ...STREAM, port: 80 }]);
  expect(guest.ask('1.1.1.1', 'http', { type: 1 })).toBe(ai.service);
  expect(guest.ask('1.1.1.1', 'nosuch')).toBe(ai.service);
  expect(guest.ask('1.1.1.1', '70000')).toBe(ai.service);
  expect(guest.ask('1.1.1.1', 'http', { flags: aiflag.numericserv })).toBe(ai.noname);
});

it('refuses hints that make no sense', () => {
  using guest = new Resolver();
  expect(guest.ask('', '')).toBe(ai.noname);
  expect(guest.ask('\0', '\0')).toBe(ai.noname);
  expect(guest.ask('x', '80', { most: 0 })).toBe(ai.memory);
  expect(guest.ask('x', '80', { flags: 128 })).toBe(ai.badflag);
  expect(guest.ask('', '80', { flags: aiflag.canonname })).toBe(ai.badflag);
  expect(guest.ask('x', '80', { family: 3 })).toBe(ai.family);
  expect(guest.ask('x', '80', { type: 3 })).toBe(ai.socktype);
  expect(guest.ask('x', '80', { type: 2, over: protocol.udp })).toBe(ai.socktype);
  expect(guest.ask('x', '80', { flags: aiflag.numerichost })).toBe(ai.noname);
  expect(guest.ask('a'.repeat(2000), '80')).toBe(ai.noname);
});

it('gives the canonical name when it is wanted, as far as there is room', () => {
  using guest = new Resolver();
  guest.net.names.set('a-host-with-a-rather-long-name.example', ['10.0.0.1']);
  guest.ask('a-host-with-a-rather-long-name.example', '1', { flags: aiflag.canonname });
  expect(guest.bytes.toString('latin1', nodesAt + 80, nodesAt + 111)).toBe('a-host-with-a-rather-long-nam\0\0');
  expect(guest.view.getUint32(nodesAt + 20, true)).toBe(29);
  guest.ask('10.0.0.1', '1');
  expect(guest.bytes[nodesAt + 80]).toBe(0);
});

it('needs no hints, and stops where the list does', () => {
  using guest = new Resolver();
  guest.net.names.set(
    'x',
    Array.from({ length: 6 }, (_, index) => `10.0.0.${index}`),
  );
  expect(guest.ask('x', '1', { hints: 0, most: 5 })).toBe(0);
  expect(guest.results()).toHaveLength(5);
  guest.nodes(2);
  expect(guest.call('sock_getaddrinfo', ...guest.text('x'), 0, 0, 0, listAt, 100, countAt)).toBe(0);
  expect(guest.results()).toHaveLength(2);
});

it('survives lists that lead nowhere', () => {
  using guest = new Resolver();
  const call = () => guest.call('sock_getaddrinfo', ...guest.text('1.1.1.1'), 0, 0, 0, listAt, 10, countAt);
  guest.nodes(2);
  guest.view.setUint32(nodesAt + 24, 0xffff_fff0, true);
  expect(call()).toBe(errno.fault);
  guest.nodes(2);
  guest.view.setUint32(nodesAt + 24, nodesAt + 3, true);
  expect(call()).toBe(errno.addrnotavail);
  guest.nodes(1);
  guest.view.setUint32(nodesAt + 12, 65_532, true);
  expect(call()).toBe(errno.fault);
  guest.nodes(1);
  guest.view.setUint32(nodesAt + 40, 65_530, true);
  expect(call()).toBe(errno.fault);
  // One that bites its own tail ends with the results.
  guest.nodes(1);
  guest.view.setUint32(nodesAt + 24, nodesAt, true);
  expect(call()).toBe(0);
  expect(guest.view.getUint32(countAt, true)).toBe(2);
});
