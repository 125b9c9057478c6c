import { describe, expect, it, vi } from 'vitest';
import { errno } from './errno.ts';
import { FakeNet, type FakeSocket } from './net-testing.ts';
import { at, HandGuest } from './testing.ts';
import { fdflag, filetype, riflag, right } from './types.ts';
import type { HostFunction, Wait } from './world.ts';

/** Where handles and address buffers lie. */
const handle = 2048;
const buffer = 2064;
const port = 2304;
const type = 2312;
const size = 2320;
const flags = 2324;

class SocketGuest extends HandGuest {
  readonly net: FakeNet;
  constructor(options: { readonly descriptorLimit?: number; readonly lower?: Record<string, string> } = {}) {
    const net = new FakeNet();
    super({ ...options, net });
    this.net = net;
  }

  openSocket(family = 1, kind = 2): number {
    this.ok('sock_open', family, kind, at.out);
    return this.out32();
  }

  /** The socket that a descriptor of the guest is, in the order in which they were opened. */
  below(index: number): FakeSocket {
    return this.net.sockets[index] as FakeSocket;
  }

  /** An address handle; its pointer. */
  address(bytes: readonly number[], where = handle): number {
    const to = where === handle ? buffer : where + 8;
    this.view.setUint32(where, to, true);
    this.view.setUint32(where + 4, bytes.length, true);
    this.bytes.set(bytes, to);
    return where;
  }

  nonblocking(fd: number): void {
    this.ok('fd_fdstat_set_flags', fd, fdflag.nonblock);
  }

  listener(number: number): number {
    const fd = this.openSocket();
    this.ok('sock_bind', fd, this.address([0, 0, 0, 0]), number);
    this.ok('sock_listen', fd, 16);
    return fd;
  }

  /** A connected pair: the guest's descriptor and the peer. */
  connection(number = 80): { fd: number; peer: FakeSocket; listener: number } {
    const listener = this.listener(number);
    const peer = this.net.connectTo(number);
    this.ok('sock_accept', listener, 0, at.out);
    return { fd: this.out32(), peer, listener };
  }

  recv(fd: number, length: number, riflags = 0): number | Wait {
    return this.call('sock_recv', fd, ...this.iovs(length), riflags, size, flags);
  }

  received(): string {
    return this.bytes.toString('utf8', at.data, at.data + this.view.getUint32(size, true));
  }

  send(fd: number, text: string): number | Wait {
    this.bytes.write(text, at.data);
    return this.call('sock_send', fd, ...this.iovs(Buffer.byteLength(text)), 0, size);
  }

  shape(name: string, params: number): (...args: readonly number[]) => number | Wait {
    const found = this.preview1.find(name, Array<string>(params).fill('i32')) as HostFunction | undefined;
    if (!found) throw new Error(`no ${name} with ${params} parameters`);
    return found as unknown as (...args: readonly number[]) => number | Wait;
  }
}

const v4 = (a: number, b: number, c: number, d: number) => [a, b, c, d];
const storage = (family: number, ...address: readonly number[]) => [
  family,
  0,
  ...address,
  ...Array<number>(126 - address.length).fill(0),
];

describe('sockets', () => {
  it('are descriptors of their own kind', () => {
    using guest = new SocketGuest();
    const stream = guest.openSocket();
    const datagrams = guest.openSocket(1, 1);
    expect([stream, datagrams]).toEqual([4, 5]);
    guest.ok('fd_fdstat_get', stream, at.out);
    expect(guest.bytes[at.out]).toBe(filetype.socketStream);
    expect(Number(guest.out64(8)) & right.sockAccept).not.toBe(0);
    guest.ok('fd_filestat_get', datagrams, at.out);
    expect(guest.bytes[at.out + 16]).toBe(filetype.socketDgram);
    expect(guest.errno('fd_pread', stream, ...guest.iovs(4), 0n, at.out)).toBe(errno.spipe);
    expect(guest.errno('fd_seek', stream, 0n, 0, at.out)).toBe(errno.spipe);
    expect(guest.errno('fd_sync', stream)).toBe(errno.inval);
    expect(guest.errno('fd_prestat_get', stream, at.out)).toBe(errno.badf);
    expect(guest.errno('fd_readdir', stream, at.data, 100, 0n, at.out)).toBe(errno.notdir);
    guest.ok('fd_renumber', stream, datagrams);
    expect(guest.below(1).closed).toBe(true);
    guest.ok('fd_close', datagrams);
    expect(guest.below(0).closed).toBe(true);
    expect(guest.errno('fd_close', datagrams)).toBe(errno.badf);
  });

  it('are closed with the guest', () => {
    const guest = new SocketGuest();
    guest.openSocket();
    guest[Symbol.dispose]();
    expect(guest.below(0).closed).toBe(true);
  });

  it('take as many descriptors as there may be', () => {
    using guest = new SocketGuest({ descriptorLimit: 6 });
    const listener = guest.listener(80);
    guest.net.connectTo(80);
    guest.openSocket();
    expect(guest.errno('sock_open', 1, 2, at.out)).toBe(errno.mfile);
    // The connection waits until there is room.
    expect(guest.errno('sock_accept', listener, 0, at.out)).toBe(errno.mfile);
    guest.ok('fd_close', 5);
    guest.ok('sock_accept', listener, 0, at.out);
    expect(guest.out32()).toBe(5);
  });

  it('cannot be had without a network, and nothing else is one', () => {
    using guest = new HandGuest({ lower: { f: '' } });
    expect(guest.errno('sock_open', 1, 2, at.out)).toBe(errno.notsup);
    const file = guest.open('f');
    for (const fd of [0, 1, file]) {
      expect(guest.errno('sock_shutdown', fd, 3)).toBe(errno.notsock);
      expect(guest.errno('sock_accept', fd, 0, at.out)).toBe(errno.notsock);
      expect(guest.errno('sock_recv', fd, ...guest.iovs(1), 0, size, flags)).toBe(errno.notsock);
      expect(guest.errno('sock_listen', fd, 0)).toBe(errno.notsock);
    }
    expect(guest.errno('sock_send', 99, ...guest.iovs(1), 0, size)).toBe(errno.badf);
    expect(guest.errno('sock_shutdown', 3, 3)).toBe(errno.badf);
  });

  it.each([
    ['inet4 stream', 1, 2, 4, 'stream'],
    ['inet6 datagrams', 2, 1, 6, 'dgram'],
    ['any type is a stream', 1, 0, 4, 'stream'],
    ['inet4 datagrams', 1, 1, 4, 'dgram'],
    ['inet4 stream up to 0.9.1', 0, 1, 4, 'stream'],
    ['inet4 datagrams up to 0.9.1', 0, 0, 4, 'dgram'],
  ])('%s', (_name, family, kind, wantedFamily, wantedType) => {
    using guest = new SocketGuest();
    guest.openSocket(family, kind);
    expect(guest.below(0)).toMatchObject({ family: wantedFamily, type: wantedType });
  });

  it('has the old numbers for a guest that has shown them', () => {
    using guest = new SocketGuest();
    const fd = guest.openSocket(0, 1);
    guest.openSocket(1, 1);
    expect(guest.below(1)).toMatchObject({ family: 6, type: 'stream' });
    guest.view.setUint32(size, 4, true);
    guest.ok('sock_getsockopt', fd, 0, 1, at.out, size);
    expect(guest.out32()).toBe(1);
    expect(guest.errno('sock_open', 1, 2, at.out)).toBe(errno.inval);
  });

  it('refuses families and types that there are not', () => {
    using guest = new SocketGuest();
    expect(guest.errno('sock_open', 3, 2, at.out)).toBe(errno.nosys);
    expect(guest.errno('sock_open', 4, 2, at.out)).toBe(errno.inval);
    expect(guest.errno('sock_open', 1, 3, at.out)).toBe(errno.inval);
    expect(guest.errno('sock_open', -1, -1, at.out)).toBe(errno.inval);
    expect(guest.errno('sock_open', 1, 2, at.out + 1)).toBe(errno.addrnotavail);
    expect(guest.errno('sock_open', 1, 2, 65_536)).toBe(errno.fault);
    expect(guest.net.sockets).toEqual([]);
  });
});

describe('bind and listen', () => {
  it('takes addresses of every length', () => {
    using guest = new SocketGuest();
    const cases: [number, number[], string][] = [
      [1, v4(127, 0, 0, 1), '127.0.0.1'],
      [1, storage(1, 10, 0, 0, 9), '10.0.0.9'],
      [1, [...Array<number>(10).fill(0), 255, 255, 10, 1, 2, 3], '10.1.2.3'],
      [2, [...Array<number>(15).fill(0), 1], '::1'],
      [2, storage(2, 0xfe, 0x80, ...Array<number>(12).fill(0), 0x12, 0x34), 'fe80::1234'],
    ];
    for (const [index, [family, bytes, text]] of cases.entries()) {
      const fd = guest.openSocket(family);
      guest.ok('sock_bind', fd, guest.address(bytes), 0x1_0000 + 80 + index);
      expect(guest.below(index).local).toEqual({ address: text, port: 80 + index });
    }
  });

  it('tells bad addresses from bad pointers', () => {
    using guest = new SocketGuest();
    const fd = guest.openSocket();
    const wrong = (bytes: readonly number[]) => guest.errno('sock_bind', fd, guest.address(bytes), 1);
    expect(wrong([1, 2, 3])).toBe(errno.inval);
    expect(wrong([])).toBe(errno.inval);
    expect(wrong(Array<number>(16).fill(1))).toBe(errno.afnosupport);
    expect(wrong(storage(2, 1))).toBe(errno.afnosupport);
    expect(wrong(storage(3, 47, 97))).toBe(errno.afnosupport);
    expect(wrong(storage(9))).toBe(errno.inval);
    expect(guest.errno('sock_bind', fd, handle + 2, 1)).toBe(errno.addrnotavail);
    expect(guest.errno('sock_bind', fd, 65_532, 1)).toBe(errno.fault);
    guest.address(v4(0, 0, 0, 0));
    guest.view.setUint32(handle, 65_534, true);
    expect(guest.errno('sock_bind', fd, handle, 1)).toBe(errno.fault);
    expect(guest.below(0).state).toBe('fresh');
  });

  it('waits for the answer, NONBLOCK or not, and gives its errno', () => {
    using guest = new SocketGuest();
    guest.listener(80);
    const fd = guest.openSocket();
    guest.nonblocking(fd);
    guest.net.held = true;
    const wait = guest.wait('sock_bind', fd, guest.address(v4(0, 0, 0, 0)), 80);
    expect(wait.ready()).toBe(false);
    guest.net.held = false;
    expect(wait.ready()).toBe(true);
    expect(wait.resume()).toBe(errno.addrinuse);
    guest.ok('sock_bind', fd, guest.address(v4(0, 0, 0, 0)), 81);
    expect(guest.errno('sock_bind', fd, guest.address(v4(0, 0, 0, 0)), 82)).toBe(errno.inval);
    guest.ok('sock_listen', fd, -5);
    guest.ok('sock_listen', fd, 5);
    expect(guest.errno('sock_listen', guest.openSocket(1, 1), 5)).toBe(errno.notsup);
  });
});

describe('accept', () => {
  it('has two shapes, picked by the declared type', () => {
    using guest = new SocketGuest();
    const listener = guest.listener(80);
    guest.net.connectTo(80);
    guest.net.connectTo(80);
    expect(guest.shape('sock_accept', 2)(listener, at.out)).toBe(0);
    expect(guest.out32()).toBe(5);
    expect(guest.shape('sock_accept', 3)(listener, fdflag.nonblock, at.out)).toBe(0);
    expect(guest.out32()).toBe(6);
    guest.ok('fd_fdstat_get', 6, at.out);
    expect(guest.bytes[at.out + 2]).toBe(fdflag.nonblock);
    expect(guest.preview1.find('sock_accept', ['i32'])).toBeUndefined();
    expect(guest.preview1.find('sock_accept', undefined)).toBe(guest.imports['sock_accept']);
  });

  it('waits for a connection, or not', () => {
    using guest = new SocketGuest();
    const listener = guest.listener(80);
    const wait = guest.wait('sock_accept', listener, 0, at.out);
    expect(wait.ready()).toBe(false);
    guest.net.connectTo(80);
    expect(wait.ready()).toBe(true);
    expect(wait.resume()).toBe(0);
    guest.nonblocking(listener);
    expect(guest.errno('sock_accept', listener, 0, at.out)).toBe(errno.again);
    expect(guest.errno('sock_accept', listener, 1, at.out)).toBe(errno.inval);
    expect(guest.errno('sock_accept', guest.openSocket(), 0, at.out)).toBe(errno.inval);
  });

  it('ends when another thread closes the listener', () => {
    using guest = new SocketGuest();
    const listener = guest.listener(80);
    const wait = guest.wait('sock_accept', listener, 0, at.out);
    guest.ok('fd_close', listener);
    expect(wait.ready()).toBe(true);
    expect(wait.resume()).toBe(errno.badf);
  });
});

describe('connect', () => {
  it('waits until it is there', () => {
    using guest = new SocketGuest();
    guest.listener(80);
    const fd = guest.openSocket();
    guest.net.held = true;
    const wait = guest.wait('sock_connect', fd, guest.address(v4(127, 0, 0, 1)), 80);
    guest.net.held = false;
    expect([wait.ready(), wait.resume()]).toEqual([true, 0]);
    expect(guest.errno('sock_connect', fd, handle, 80)).toBe(errno.isconn);
  });

  it('tells why not, once', () => {
    using guest = new SocketGuest();
    const fd = guest.openSocket();
    expect(guest.errno('sock_connect', fd, guest.address(v4(127, 0, 0, 1)), 9)).toBe(errno.connrefused);
    guest.view.setUint32(size, 4, true);
    guest.ok('sock_getsockopt', fd, 0, 2, at.out, size);
    expect(guest.out32()).toBe(0);
  });

  it('goes on by itself without blocking, and SO_ERROR tells how it went', () => {
    using guest = new SocketGuest();
    const fd = guest.openSocket();
    guest.nonblocking(fd);
    guest.net.held = true;
    expect(guest.errno('sock_connect', fd, guest.address(v4(127, 0, 0, 1)), 9)).toBe(errno.inprogress);
    expect(guest.errno('sock_connect', fd, handle, 9)).toBe(errno.already);
    expect(guest.send(fd, 'x')).toBe(errno.again);
    expect(guest.recv(fd, 1)).toBe(errno.again);
    guest.net.held = false;
    guest.view.setUint32(size, 4, true);
    guest.ok('sock_getsockopt', fd, 0, 2, at.out, size);
    expect(guest.out32()).toBe(errno.connrefused);
    guest.ok('sock_getsockopt', fd, 0, 2, at.out, size);
    expect(guest.out32()).toBe(0);
    expect(guest.send(fd, 'x')).toBe(errno.pipe);
  });
});

describe('streams', () => {
  it('carry bytes both ways, by socket calls and by those of files', () => {
    using guest = new SocketGuest();
    const { fd, peer } = guest.connection();
    peer.say('hello');
    expect(guest.recv(fd, 3, riflag.peek)).toBe(0);
    expect(guest.received()).toBe('hel');
    expect(guest.recv(fd, 3)).toBe(0);
    expect(guest.received()).toBe('hel');
    expect(guest.read(fd, 10)).toBe('lo');
    expect(guest.send(fd, 'abc')).toBe(0);
    expect(guest.write(fd, 'd', 'ef')).toBe(3);
    expect(peer.bytes.toString()).toBe('abcdef');
    expect(guest.errno('sock_send', fd, ...guest.iovs(1), 1, size)).toBe(errno.inval);
    expect(guest.errno('sock_recv', fd, ...guest.iovs(1), 4, size, flags)).toBe(errno.inval);
  });

  it('wait for the first byte, or for all', () => {
    using guest = new SocketGuest();
    const { fd, peer } = guest.connection();
    const some = guest.recv(fd, 4) as Wait;
    expect(some.ready()).toBe(false);
    peer.say('ab');
    expect([some.ready(), some.resume(), guest.received()]).toEqual([true, 0, 'ab']);
    const all = guest.recv(fd, 4, riflag.waitall) as Wait;
    peer.say('cd');
    const more = all.resume() as Wait;
    expect(more.ready()).toBe(false);
    peer.say('efg');
    expect([more.ready(), more.resume(), guest.received()]).toEqual([true, 0, 'cdef']);
    guest.nonblocking(fd);
    expect(guest.recv(fd, 4)).toBe(0);
    expect(guest.recv(fd, 4)).toBe(errno.again);
    expect(guest.errno('fd_read', fd, ...guest.iovs(4), at.out)).toBe(errno.again);
  });

  it('end when the peer has sent all, and WAITALL gives what there was', () => {
    using guest = new SocketGuest();
    const { fd, peer } = guest.connection();
    const all = guest.recv(fd, 100, riflag.waitall) as Wait;
    peer.say('last');
    peer.shutdown(false, true);
    expect([all.ready(), all.resume(), guest.received()]).toEqual([true, 0, 'last']);
    expect([guest.recv(fd, 5), guest.received()]).toEqual([0, '']);
    expect(guest.read(fd, 5)).toBe('');
    // Half closed: the other direction is open.
    expect(guest.send(fd, 'still')).toBe(0);
    expect(peer.bytes.toString()).toBe('still');
  });

  it('take all that is sent when they block, and what fits when they do not', () => {
    using guest = new SocketGuest();
    const { fd, peer } = guest.connection();
    peer.capacity = 4;
    const wait = guest.send(fd, 'abcdefgh') as Wait;
    expect(wait.ready()).toBe(false);
    expect(peer.receive([Buffer.alloc(3)], false)).toBe(3);
    const rest = wait.resume() as Wait;
    expect(peer.bytes.toString()).toBe('defg');
    peer.bytes = Buffer.alloc(0);
    expect([rest.ready(), rest.resume()]).toEqual([true, 0]);
    expect(guest.view.getUint32(size, true)).toBe(8);
    expect(peer.bytes.toString()).toBe('h');
    guest.nonblocking(fd);
    expect(guest.write(fd, '12345')).toBe(3);
    expect(guest.errno('fd_write', fd, ...guest.iovs(5), at.out)).toBe(errno.again);
  });

  it('give up at SO_RCVTIMEO and SO_SNDTIMEO', () => {
    using guest = new SocketGuest();
    const { fd, peer, listener } = guest.connection();
    for (const name of [11, 12]) {
      guest.view.setBigInt64(at.data, 5n, true);
      guest.view.setBigInt64(at.data + 8, 2000n, true);
      guest.ok('sock_setsockopt', fd, 0, name, at.data, 16);
      guest.ok('sock_setsockopt', listener, 0, name, at.data, 16);
    }
    peer.capacity = 2;
    let now = 1000n;
    const clock = vi.spyOn(process.hrtime, 'bigint').mockImplementation(() => now);
    try {
      for (const [call, answer] of [
        [() => guest.recv(fd, 1), errno.again],
        [() => guest.send(fd, 'abcd'), 0],
        [() => guest.send(fd, 'x'), errno.again],
        [() => guest.call('sock_accept', listener, 0, at.out), errno.again],
      ] as const) {
        const wait = call() as Wait;
        expect(wait.deadline).toBe(now + 5_002_000_000n);
        expect(wait.resume()).toBe(wait);
        now = wait.deadline as bigint;
        expect(wait.resume()).toBe(answer);
      }
    } finally {
      clock.mockRestore();
    }
  });

  it('tell a reset once, then the end', () => {
    using guest = new SocketGuest();
    const { fd } = guest.connection();
    const end = guest.below(2);
    const wait = guest.recv(fd, 1) as Wait;
    end.pending = errno.connreset;
    expect([wait.ready(), wait.resume()]).toEqual([true, errno.connreset]);
    expect([guest.recv(fd, 1), guest.received()]).toEqual([0, '']);
    expect(guest.send(fd, 'x')).toBe(errno.pipe);
  });

  it('can be shut down by halves', () => {
    using guest = new SocketGuest();
    const { fd, listener } = guest.connection();
    const end = guest.below(2);
    guest.ok('sock_shutdown', fd, 2);
    expect(end.shut).toEqual({ read: false, write: true });
    expect(guest.send(fd, 'x')).toBe(errno.pipe);
    guest.ok('sock_shutdown', fd, 3);
    expect(end.shut).toEqual({ read: true, write: true });
    expect([guest.recv(fd, 1), guest.received()]).toEqual([0, '']);
    expect(guest.errno('sock_shutdown', fd, 0)).toBe(errno.inval);
    expect(guest.errno('sock_shutdown', fd, 4)).toBe(errno.inval);
    expect(guest.errno('sock_shutdown', listener, 3)).toBe(errno.notconn);
    expect(guest.errno('sock_shutdown', guest.openSocket(), 3)).toBe(errno.notconn);
  });

  it('say that they are not connected', () => {
    using guest = new SocketGuest();
    const fd = guest.openSocket();
    expect(guest.send(fd, 'x')).toBe(errno.notconn);
    expect(guest.recv(fd, 1)).toBe(errno.notconn);
    expect(guest.errno('sock_getpeeraddr', fd, guest.address(v4(0, 0, 0, 0)), type, port)).toBe(errno.notconn);
  });

  it('go on in a memory that has grown meanwhile', () => {
    using guest = new SocketGuest();
    const { fd, peer } = guest.connection();
    const wait = guest.recv(fd, 4) as Wait;
    guest.memory.grow(1);
    peer.say('ok');
    expect([wait.resume(), guest.received()]).toEqual([0, 'ok']);
  });
});

describe('datagrams', () => {
  it('come whole or truncated, with their sender', () => {
    using guest = new SocketGuest();
    const fd = guest.openSocket(1, 1);
    guest.ok('sock_bind', fd, guest.address(v4(0, 0, 0, 0)), 53);
    const sender = guest.net.socket(4, 'dgram');
    sender.local = { address: '10.1.2.3', port: 4321 };
    const say = (text: string) => sender.sendTo([Buffer.from(text)], { address: '127.0.0.1', port: 53 });
    const wait = guest.call(
      'sock_recv_from',
      fd,
      ...guest.iovs(3),
      guest.address(v4(0, 0, 0, 0)),
      0,
      size,
      flags,
    ) as Wait;
    expect(wait.ready()).toBe(false);
    say('12345');
    expect([wait.ready(), wait.resume()]).toEqual([true, 0]);
    expect([guest.received(), guest.view.getUint16(flags, true)]).toEqual(['123', 1]);
    expect([...guest.bytes.subarray(buffer, buffer + 4)]).toEqual([10, 1, 2, 3]);

    say('');
    say('next');
    const v2 = guest.shape('sock_recv_from', 8);
    guest.view.setUint32(port, 0, true);
    expect(v2(fd, ...guest.iovs(10), guest.address(storage(0)), 0, port, size, flags)).toBe(0);
    expect([guest.received(), guest.view.getUint32(port, true)]).toEqual(['', 4321]);
    expect([...guest.bytes.subarray(buffer, buffer + 6)]).toEqual([1, 0, 10, 1, 2, 3]);
    guest.ok('sock_recv_from', fd, ...guest.iovs(10), guest.address(Array<number>(16).fill(0)), 1, size, flags);
    expect(guest.read(fd, 10)).toBe('next');
    guest.nonblocking(fd);
    expect(guest.errno('fd_read', fd, ...guest.iovs(10), at.out)).toBe(errno.again);
  });

  it('go to an address or to the peer', () => {
    using guest = new SocketGuest();
    const to = guest.net.socket(4, 'dgram');
    to.bind({ address: '0.0.0.0', port: 53 }).poll();
    const fd = guest.openSocket(1, 1);
    expect(guest.send(fd, 'nobody')).toBe(errno.destaddrreq);
    guest.bytes.write('hi', at.data);
    guest.ok('sock_send_to', fd, ...guest.iovs(2), guest.address(v4(127, 0, 0, 1)), 53, 0, size);
    expect(to.datagrams[0]).toMatchObject({ bytes: Buffer.from('hi'), from: { port: 40_000 } });
    guest.ok('sock_connect', fd, handle, 53);
    expect(guest.send(fd, 'peer')).toBe(0);
    expect(guest.write(fd, '')).toBe(0);
    expect(to.datagrams.map((one) => one.bytes.length)).toEqual([2, 4, 0]);
    expect(guest.errno('sock_send_to', fd, ...guest.iovs(2), guest.address([1]), 53, 0, size)).toBe(errno.inval);
    guest.memory.grow(1);
    expect(guest.errno('sock_send', fd, ...guest.iovs(65_508), 0, size)).toBe(errno.msgsize);
  });

  it('need room for the sender before they are taken', () => {
    using guest = new SocketGuest();
    const fd = guest.openSocket(2, 1);
    guest.ok('sock_bind', fd, guest.address(Array<number>(16).fill(0)), 53);
    guest.below(0).datagrams.push({ bytes: Buffer.from('x'), from: { address: '10.0.0.1', port: 1 } });
    const from = (length: number) =>
      guest.errno('sock_recv_from', fd, ...guest.iovs(1), guest.address(Array<number>(length).fill(0)), 0, size, flags);
    expect(from(4)).toBe(errno.nomem);
    expect(from(16)).toBe(0);
    expect([...guest.bytes.subarray(buffer + 10, buffer + 16)]).toEqual([255, 255, 10, 0, 0, 1]);
  });
});

describe('the addresses of a socket', () => {
  it('come in the shapes of V1 and V2', () => {
    using guest = new SocketGuest();
    const { fd, peer } = guest.connection(8080);
    guest.ok('sock_getlocaladdr', fd, guest.address(Array<number>(16).fill(9)), type, port);
    expect([...guest.bytes.subarray(buffer, buffer + 5)]).toEqual([0, 0, 0, 0, 9]);
    expect([guest.view.getUint32(type, true), guest.view.getUint32(port, true)]).toEqual([4, 8080]);
    guest.ok('sock_getpeeraddr', fd, guest.address(v4(0, 0, 0, 0)), type, port);
    expect([...guest.bytes.subarray(buffer, buffer + 4)]).toEqual([127, 0, 0, 1]);
    expect(guest.view.getUint32(port, true)).toBe(peer.local.port);
    expect(guest.errno('sock_getpeeraddr', fd, guest.address(storage(0)), type, port)).toBe(errno.inval);

    const v2 = guest.shape('sock_getpeeraddr', 3);
    expect(v2(fd, guest.address(storage(0)), port)).toBe(0);
    expect([...guest.bytes.subarray(buffer, buffer + 6)]).toEqual([1, 0, 127, 0, 0, 1]);
    expect(v2(fd, guest.address(v4(0, 0, 0, 0)), port)).toBe(errno.inval);
    expect(guest.errno('sock_getlocaladdr_v2', fd, guest.address(storage(0)), port + 1)).toBe(errno.addrnotavail);
  });

  it('need room for IPv6', () => {
    using guest = new SocketGuest();
    const fd = guest.openSocket(2);
    expect(guest.errno('sock_getlocaladdr', fd, guest.address(v4(0, 0, 0, 0)), type, port)).toBe(errno.nomem);
    guest.ok('sock_getlocaladdr', fd, guest.address(Array<number>(16).fill(9)), type, port);
    expect(guest.view.getUint32(type, true)).toBe(6);
  });
});
