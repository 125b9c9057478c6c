import { expect, it } from 'vitest';
import { openListeners } from './listeners.ts';
import type { GuestSocket } from './net/guest-net.ts';
import { NotRunnable } from './not-runnable.ts';
import { FakeNet } from './wasi/net-testing.ts';
import { at, HandGuest } from './wasi/testing.ts';
import { filetype } from './wasi/types.ts';
import type { Wait } from './wasi/world.ts';

it('opens sockets in their order, and they become descriptors from 4 on', () => {
  const net = new FakeNet();
  net.held = true;
  const sockets: GuestSocket[] = [];
  const wait = openListeners(
    net,
    [
      { protocol: 'tcp', port: 8080 },
      { protocol: 'udp', port: 53 },
    ],
    sockets,
  ) as Wait;
  expect([wait.ready(), wait.resume()]).toEqual([false, wait]);
  net.held = false;
  expect([wait.ready(), wait.resume()]).toEqual([true, 0]);
  expect(net.sockets.map(({ type, state, local }) => [type, state, local.port])).toEqual([
    ['stream', 'listening', 8080],
    ['dgram', 'bound', 53],
  ]);
  using guest = new HandGuest({ net, sockets });
  net.connectTo(8080);
  guest.ok('sock_accept', 4, 0, at.out);
  expect(guest.out32()).toBe(6);
  guest.ok('fd_fdstat_get', 5, at.out);
  expect(guest.bytes[at.out]).toBe(filetype.socketDgram);
});

it('says which one cannot be opened, and why', () => {
  const net = new FakeNet();
  const taken = net.socket(4, 'stream');
  taken.bind({ address: '0.0.0.0', port: 80 }).poll();
  const open = () => openListeners(net, [{ protocol: 'tcp', port: 80 }], []);
  expect(open).toThrow(NotRunnable);
  expect(open).toThrow('cannot listen on tcp port 80 for the guest: another program listens there');
  expect(() => openListeners(undefined, [{ protocol: 'tcp', port: 80 }], [])).toThrow('no network');
  expect(openListeners(undefined, [], [])).toBe(0);
});
