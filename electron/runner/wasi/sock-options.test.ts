import { expect, it } from 'vitest';
import { errno } from './errno.ts';
import { FakeNet } from './net-testing.ts';
import { option } from './sock-options.ts';
import { at, HandGuest } from './testing.ts';

const size = 2048;

function guestWithSocket() {
  const net = new FakeNet();
  const guest = new HandGuest({ net });
  guest.ok('sock_open', 1, 2, at.out);
  const fd = guest.out32();
  const get = (name: number, room = 4): readonly number[] => {
    guest.view.setUint32(size, room, true);
    guest.ok('sock_getsockopt', fd, 0, name, at.data, size);
    const length = guest.view.getUint32(size, true);
    return Array.from({ length: length / 4 }, (_, index) => guest.view.getInt32(at.data + index * 4, true));
  };
  const set = (name: number, ...values: readonly number[]): number => {
    values.forEach((value, index) => guest.view.setInt32(at.data + index * 4, value, true));
    return guest.errno('sock_setsockopt', fd, 0, name, at.data, values.length * 4);
  };
  return { guest, net, fd, get, set, [Symbol.dispose]: () => guest[Symbol.dispose]() };
}

it('keeps flags and numbers', () => {
  using one = guestWithSocket();
  for (const name of [option.reuseaddr, option.dontroute, option.broadcast, option.keepalive, option.oobinline]) {
    expect(one.get(name)).toEqual([0]);
    expect(one.set(name, 7)).toBe(0);
    expect(one.get(name)).toEqual([1]);
  }
  expect(one.set(option.sndbuf, 100_000)).toBe(0);
  expect(one.set(option.rcvbuf, 1)).toBe(0);
  expect([one.get(option.sndbuf), one.get(option.rcvbuf)]).toEqual([[100_000], [2048]]);
  expect(one.net.sockets[0]?.options).toEqual([
    { broadcast: true },
    { keepAlive: true },
    { sendBuffer: 100_000 },
    { receiveBuffer: 2048 },
  ]);
  expect(one.set(option.linger, 1, 30)).toBe(0);
  expect(one.get(option.linger, 8)).toEqual([1, 30]);
  expect(one.set(option.rcvlowat, 5)).toBe(0);
  expect(one.get(option.rcvlowat)).toEqual([5]);
});

it('tells what a socket is', () => {
  using one = guestWithSocket();
  expect([one.get(option.type), one.get(option.acceptconn), one.get(option.error)]).toEqual([[2], [0], [0]]);
  one.guest.ok('sock_listen', one.fd, 1);
  expect(one.get(option.acceptconn)).toEqual([1]);
  for (const name of [option.type, option.acceptconn, option.error]) expect(one.set(name, 1)).toBe(errno.noprotoopt);
});

it('has times as wasi-libc has them', () => {
  using one = guestWithSocket();
  expect(one.set(option.rcvtimeo, 3, 0, 250_000, 0)).toBe(0);
  expect(one.get(option.rcvtimeo, 16)).toEqual([3, 0, 250_000, 0]);
  expect(one.get(option.sndtimeo, 16)).toEqual([0, 0, 0, 0]);
  expect(one.set(option.sndtimeo, 2, 5)).toBe(0);
  expect(one.get(option.sndtimeo, 16)).toEqual([2, 0, 5, 0]);
  expect(one.set(option.rcvtimeo, 0, 0, 1_000_000, 0)).toBe(errno.inval);
  expect(one.set(option.rcvtimeo, 1)).toBe(errno.inval);
  expect(one.set(option.rcvtimeo, -1, -1, 0, 0)).toBe(0);
  expect(one.get(option.rcvtimeo, 16)).toEqual([0, 0, 0, 0]);
});

it('knows no device', () => {
  using one = guestWithSocket();
  expect(one.get(option.bindtodevice, 16)).toEqual([]);
  expect(one.guest.errno('sock_setsockopt', one.fd, 0, option.bindtodevice, 0, 0)).toBe(0);
  expect(one.set(option.bindtodevice, 0x3068_7465)).toBe(errno.nodev);
});

it('refuses what it does not know and what does not fit', () => {
  using one = guestWithSocket();
  expect(one.set(99, 1)).toBe(errno.inval);
  expect(one.set(option.reuseaddr)).toBe(errno.inval);
  expect(one.guest.errno('sock_setsockopt', one.fd, 6, 1, at.data, 4)).toBe(errno.inval);
  expect(one.guest.errno('sock_setsockopt', one.fd, 0, 0, 65_534, 4)).toBe(errno.fault);
  expect(one.guest.errno('sock_setsockopt', 0, 0, 0, at.data, 4)).toBe(errno.notsock);
  one.guest.view.setUint32(size, 3, true);
  expect(one.guest.errno('sock_getsockopt', one.fd, 0, 0, at.data, size)).toBe(errno.inval);
  one.guest.view.setUint32(size, -1, true);
  expect(one.guest.errno('sock_getsockopt', one.fd, 0, 0, at.data, size)).toBe(errno.fault);
  expect(one.guest.errno('sock_getsockopt', one.fd, 0, 0, at.data, 65_534)).toBe(errno.fault);
});
