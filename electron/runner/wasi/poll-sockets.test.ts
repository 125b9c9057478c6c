import { describe, expect, it } from 'vitest';
import { monotonic, realtime } from './clock.ts';
import { errno } from './errno.ts';
import { FakeNet } from './net-testing.ts';
import { PREVIEW1_SUBSCRIPTION } from './poll.ts';
import { HandGuest } from './testing.ts';
import { CLOCK_ABSTIME, clockid, EVENT_HANGUP, eventtype, fdflag } from './types.ts';
import type { Wait } from './world.ts';

const SECOND = 1_000_000_000n;
const [READ, WRITE] = [eventtype.fdRead, eventtype.fdWrite];
const out = 1024;
const address = 1040;
const input = 65_536;
/** Events follow the longest list of this file. */
const output = input + 1100 * PREVIEW1_SUBSCRIPTION.size;

type Wanted = readonly [fd: number, type: number] | { readonly until: bigint };

class Poller extends HandGuest {
  readonly net: FakeNet;
  constructor(net = new FakeNet()) {
    super({ net, lower: { f: 'four' } });
    this.net = net;
    this.memory.grow(4);
  }

  socket(kind = 2): number {
    this.ok('sock_open', 1, kind, out);
    const fd = this.view.getUint32(out, true);
    this.ok('fd_fdstat_set_flags', fd, fdflag.nonblock);
    return fd;
  }

  bind(fd: number, port: number): void {
    this.view.setUint32(address, address + 8, true);
    this.view.setUint32(address + 4, 4, true);
    this.ok('sock_bind', fd, address, port);
  }

  listener(port: number): number {
    const fd = this.socket();
    this.bind(fd, port);
    this.ok('sock_listen', fd, 8);
    return fd;
  }

  accept(listener: number): number {
    this.ok('sock_accept', listener, fdflag.nonblock, out);
    return this.view.getUint32(out, true);
  }

  connect(fd: number, port: number): number {
    this.view.setUint32(address, address + 8, true);
    this.view.setUint32(address + 4, 4, true);
    this.bytes.set([127, 0, 0, 1], address + 8);
    return this.errno('sock_connect', fd, address, port);
  }

  poll(wanted: readonly Wanted[], name = 'poll_oneoff'): number | Wait {
    wanted.forEach((one, index) => {
      const start = input + index * PREVIEW1_SUBSCRIPTION.size;
      this.bytes.fill(0, start, start + PREVIEW1_SUBSCRIPTION.size);
      this.view.setBigUint64(start, 7n, true);
      if ('until' in one) {
        this.view.setUint32(start + 16, clockid.realtime, true);
        this.view.setBigUint64(start + 24, one.until, true);
        this.view.setUint16(start + 40, CLOCK_ABSTIME, true);
      } else {
        this.view.setUint8(start + 8, one[1]);
        this.view.setUint32(start + 16, one[0], true);
      }
    });
    return this.call(name, input, output, wanted.length, out);
  }

  events() {
    return Array.from({ length: this.view.getUint32(out, true) }, (_, index) => {
      const at = output + index * 32;
      return {
        userdata: this.view.getBigUint64(at, true),
        error: this.view.getUint16(at + 8, true),
        type: this.view.getUint8(at + 10),
        bytes: Number(this.view.getBigUint64(at + 16, true)),
        flags: this.view.getUint16(at + 24, true),
      };
    });
  }

  /** Events of a poll that must not wait. */
  now(wanted: readonly Wanted[], name = 'poll_oneoff') {
    expect(this.poll(wanted, name)).toBe(0);
    return this.events();
  }

  later(wanted: readonly Wanted[], name = 'poll_oneoff'): Wait {
    const answer = this.poll(wanted, name);
    if (typeof answer === 'number') throw new Error(`answered ${answer}: ${JSON.stringify(this.events(), String)}`);
    expect(answer.ready()).toBe(false);
    return answer;
  }
}

const READABLE = { userdata: 7n, error: 0, type: READ, flags: 0 };
const WRITABLE = { userdata: 7n, error: 0, type: WRITE, flags: 0 };

describe('poll_oneoff with sockets', () => {
  it('tells that a connection waits, among files, streams and clocks', () => {
    using guest = new Poller();
    const listener = guest.listener(80);
    const wait = guest.later([[listener, READ], [0, READ], { until: realtime() + 30n * SECOND }]);
    expect(Number((wait.deadline as bigint) - monotonic()) / 1e9).toBeCloseTo(30, 0);
    guest.net.connectTo(80);
    guest.net.connectTo(80);
    expect([wait.ready(), wait.resume()]).toEqual([true, 0]);
    expect(guest.events()).toEqual([{ ...READABLE, bytes: 1 }]);
    const file = guest.open('f');
    expect(guest.now([[file, READ], [listener, READ], [99, READ], { until: 1n }])).toMatchObject([
      { bytes: 4 },
      { bytes: 1 },
      { error: errno.badf },
      { type: eventtype.clock },
    ]);
  });

  it('gives an event for each of two subscriptions with the same number', () => {
    using guest = new Poller();
    const listener = guest.listener(80);
    const peer = guest.net.connectTo(80);
    const fd = guest.accept(listener);
    expect(
      guest.now([
        [fd, READ],
        [fd, WRITE],
      ]),
    ).toMatchObject([WRITABLE]);
    peer.say('abc');
    expect(
      guest.now([
        [fd, READ],
        [fd, WRITE],
      ]),
    ).toMatchObject([{ ...READABLE, bytes: 3 }, WRITABLE]);
  });

  it('waits for room, and tells the end as a hang-up', () => {
    using guest = new Poller();
    const listener = guest.listener(80);
    const peer = guest.net.connectTo(80);
    const fd = guest.accept(listener);
    peer.capacity = 0;
    const room = guest.later([[fd, WRITE]]);
    peer.capacity = 10;
    expect([room.ready(), room.resume()]).toEqual([true, 0]);
    const end = guest.later([[fd, READ]]);
    peer.say('last');
    peer.close();
    expect([end.ready(), end.resume()]).toEqual([true, 0]);
    expect(guest.events()).toEqual([{ ...READABLE, bytes: 4 }]);
    guest.read(fd, 10);
    expect(guest.now([[fd, READ]])).toEqual([{ ...READABLE, bytes: 0, flags: EVENT_HANGUP }]);
  });

  it('tells when a connect is over, however it ended', () => {
    using guest = new Poller();
    guest.listener(80);
    guest.net.held = true;
    const [good, bad] = [guest.socket(), guest.socket()];
    expect([guest.connect(good, 80), guest.connect(bad, 81)]).toEqual([errno.inprogress, errno.inprogress]);
    const wait = guest.later([
      [good, WRITE],
      [bad, WRITE],
      [good, READ],
    ]);
    guest.net.held = false;
    expect([wait.ready(), wait.resume()]).toEqual([true, 0]);
    expect(guest.events()).toMatchObject([WRITABLE, { ...WRITABLE, flags: EVENT_HANGUP }]);
  });

  it('hears datagrams, empty ones too', () => {
    using guest = new Poller();
    const fd = guest.socket(1);
    guest.bind(fd, 53);
    const wait = guest.later([[fd, READ]]);
    const sender = guest.net.socket(4, 'dgram');
    const say = (text: string) => sender.sendTo([Buffer.from(text)], { address: '127.0.0.1', port: 53 });
    say('');
    expect([wait.ready(), wait.resume()]).toEqual([true, 0]);
    expect(guest.events()).toEqual([{ ...READABLE, bytes: 1 }]);
    guest.read(fd, 10);
    say('12345');
    expect(
      guest.now([
        [fd, READ],
        [fd, WRITE],
      ]),
    ).toMatchObject([{ bytes: 5 }, WRITABLE]);
  });

  it('calls what is not connected hung up, as Linux does', () => {
    using guest = new Poller();
    const fd = guest.socket();
    expect(
      guest.now([
        [fd, READ],
        [fd, WRITE],
      ]),
    ).toMatchObject([{ flags: EVENT_HANGUP }, { flags: EVENT_HANGUP }]);
  });

  it('notices that another thread has closed a socket', () => {
    using guest = new Poller();
    const listener = guest.listener(80);
    const wait = guest.later([[listener, READ]]);
    guest.ok('fd_close', listener);
    expect([wait.ready(), wait.resume()]).toEqual([true, 0]);
    expect(guest.events()).toMatchObject([{ error: errno.badf }]);
  });

  it('looks at each of a thousand sockets once', () => {
    class Counting extends FakeNet {
      looks = 0;
      override socket(...args: Parameters<FakeNet['socket']>) {
        const socket = super.socket(...args);
        const available = socket.available.bind(socket);
        socket.available = () => {
          this.looks += 1;
          return available();
        };
        return socket;
      }
    }
    const net = new Counting();
    using guest = new Poller(net);
    const listener = guest.listener(80);
    const peers = Array.from({ length: 1000 }, () => net.connectTo(80));
    const sockets = peers.map(() => guest.accept(listener));
    net.looks = 0;
    const wait = guest.later(sockets.map((fd) => [fd, READ]));
    expect(net.looks).toBeLessThanOrEqual(2000);
    peers[999]?.say('x');
    net.looks = 0;
    expect([wait.ready(), wait.resume()]).toEqual([true, 0]);
    expect(guest.events()).toEqual([{ ...READABLE, bytes: 1 }]);
    expect(net.looks).toBeLessThanOrEqual(2000);
  });
});

describe('epoll_oneoff', () => {
  const epoll = 'epoll_oneoff';

  it('tells once what stays ready', () => {
    using guest = new Poller();
    const listener = guest.listener(80);
    const peer = guest.net.connectTo(80);
    const watched: Wanted[] = [[listener, READ]];
    expect(guest.now(watched, epoll)).toHaveLength(1);
    guest.later(watched, epoll);
    guest.net.connectTo(80);
    expect(guest.now(watched, epoll)).toHaveLength(1);

    const fd = guest.accept(listener);
    guest.accept(listener);
    const both: Wanted[] = [
      [fd, READ],
      [fd, WRITE],
    ];
    expect(guest.now(both, epoll)).toMatchObject([WRITABLE]);
    const wait = guest.later(both, epoll);
    peer.say('abc');
    expect([wait.ready(), wait.resume()]).toEqual([true, 0]);
    expect(guest.events()).toEqual([{ ...READABLE, bytes: 3 }]);
    // Some is left: that is nothing new. What comes is.
    guest.read(fd, 1);
    guest.later(both, epoll);
    peer.say('d');
    expect(guest.now(both, epoll)).toEqual([{ ...READABLE, bytes: 3 }]);
    peer.shutdown(false, true);
    guest.read(fd, 10);
    expect(guest.now(both, epoll)).toEqual([{ ...READABLE, bytes: 0, flags: EVENT_HANGUP }]);
    guest.later(both, epoll);
  });

  it('tells of room after there was none', () => {
    using guest = new Poller();
    const listener = guest.listener(80);
    const peer = guest.net.connectTo(80);
    const fd = guest.accept(listener);
    expect(guest.now([[fd, WRITE]], epoll)).toHaveLength(1);
    guest.later([[fd, WRITE]], epoll);
    peer.capacity = 2;
    expect(guest.write(fd, 'abc')).toBe(2);
    const wait = guest.later([[fd, WRITE]], epoll);
    peer.bytes = Buffer.alloc(0);
    expect([wait.ready(), wait.resume()]).toEqual([true, 0]);
  });

  it('begins anew with what was left out of a call', () => {
    using guest = new Poller();
    const listener = guest.listener(80);
    guest.net.connectTo(80);
    expect(guest.now([[listener, READ]], epoll)).toHaveLength(1);
    guest.later([[listener, READ]], epoll);
    guest.stdin.give('x');
    expect(guest.now([[0, READ]], epoll)).toHaveLength(1);
    expect(guest.now([[listener, READ]], epoll)).toHaveLength(1);
  });

  it('tells of each connect', () => {
    using guest = new Poller();
    guest.listener(80);
    const fd = guest.socket();
    expect(guest.now([[fd, WRITE]], epoll)).toMatchObject([{ flags: EVENT_HANGUP }]);
    guest.net.held = true;
    expect(guest.connect(fd, 80)).toBe(errno.inprogress);
    const wait = guest.later([[fd, WRITE]], epoll);
    guest.net.held = false;
    expect([wait.ready(), wait.resume()]).toEqual([true, 0]);
    expect(guest.events()).toMatchObject([WRITABLE]);
  });

  it('tells of each datagram that is left to be taken', () => {
    using guest = new Poller();
    const fd = guest.socket(1);
    guest.bind(fd, 53);
    const sender = guest.net.socket(4, 'dgram');
    const say = () => sender.sendTo([Buffer.from('x')], { address: '127.0.0.1', port: 53 });
    say();
    expect(guest.now([[fd, READ]], epoll)).toHaveLength(1);
    guest.later([[fd, READ]], epoll);
    guest.read(fd, 10);
    guest.later([[fd, READ]], epoll);
    say();
    expect(guest.now([[fd, READ]], epoll)).toHaveLength(1);
  });
});
