import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PublishedPort } from '../../supervisor/protocol.ts';
import { errno } from '../wasi/errno.ts';
import { WINDOW } from './room.ts';
import { LARGEST_DATAGRAM } from './datagram-socket.ts';
import type { GuestSocket, SocketAddress } from './guest-net.ts';
import { type Form, type Party, TestNetwork, until, value } from './testing.ts';

const at = (address: string, port: number): SocketAddress => ({ address, port });
const bytes = (said: string): readonly Uint8Array[] => [Buffer.from(said)];

async function bound({ net }: Party, port: number, address = '0.0.0.0'): Promise<GuestSocket> {
  const socket = net.socket(address.includes(':') ? 6 : 4, 'dgram');
  expect(await value(socket.bind({ address, port }))).toBe(0);
  return socket;
}

interface Got {
  readonly text: string;
  readonly from: SocketAddress;
}

async function next(socket: GuestSocket): Promise<Got> {
  let got: Got | undefined;
  const into = Buffer.alloc(LARGEST_DATAGRAM);
  await until(() => {
    const datagram = socket.receiveFrom([into], false);
    if (datagram) got = { text: into.toString('latin1', 0, datagram.length), from: datagram.from };
    return got !== undefined;
  });
  return got as Got;
}

/** A socket of the host. */
async function onHost(): Promise<{
  readonly socket: Socket;
  readonly port: number;
  next(): Promise<[Buffer, RemoteInfo]>;
}> {
  const socket = createSocket('udp4');
  const got: [Buffer, RemoteInfo][] = [];
  socket.on('message', (...message) => got.push(message));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    socket,
    port: socket.address().port,
    next: async () => {
      await until(() => got.length > 0);
      return got.shift() as [Buffer, RemoteInfo];
    },
  };
}

describe.each<Form>(['direct', 'remote'])('%s', (form) => {
  let network: TestNetwork;
  const sockets: Socket[] = [];
  beforeEach(() => (network = new TestNetwork(form)));
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.close();
    await network.close();
  });
  const host = async () => {
    const one = await onHost();
    sockets.push(one.socket);
    return one;
  };

  test('within a guest: whole or cut, peeked at, connected', async () => {
    const one = network.add('10.0.0.1');
    const [server, client] = [await bound(one, 53), await bound(one, 0)];
    expect(client.localAddress().port).not.toBe(0);
    expect(client.sendTo([Buffer.from('que'), Buffer.from('stion')], at('127.0.0.1', 53))).toBe(0);
    await until(() => server.available() === 8);
    const short = Buffer.alloc(4);
    const peeked = server.receiveFrom([short], true);
    expect(peeked).toEqual({ length: 4, truncated: true, from: at('127.0.0.1', client.localAddress().port) });
    expect(server.receiveFrom([short], false)?.truncated).toBe(true);
    expect(server.receiveFrom([short], false)).toBeUndefined();
    // An empty one is one too.
    client.sendTo([], at('127.0.0.1', 53));
    expect((await next(server)).text).toBe('');
    // To and from one peer only.
    expect(client.sendTo(bytes('x'))).toBe(errno.destaddrreq);
    expect(await value(client.connect(at('127.0.0.1', 53)))).toBe(0);
    expect(client.peerAddress()).toEqual(at('127.0.0.1', 53));
    const stranger = await bound(one, 54);
    stranger.sendTo(bytes('ignored'), at('127.0.0.1', client.localAddress().port));
    client.sendTo(bytes('again'));
    const { text, from } = await next(server);
    expect(text).toBe('again');
    server.sendTo(bytes('answer'), from);
    expect((await next(client)).text).toBe('answer');
    expect(one.stack.sent).toBe(0);
    server.close();
    expect(await value(one.net.socket(4, 'dgram').bind(at('0.0.0.0', 53)))).toBe(0);
  });

  test('sizes', async () => {
    const one = network.add('10.0.0.1');
    const server = await bound(one, 53);
    const client = await bound(one, 0);
    expect(client.sendTo([Buffer.alloc(LARGEST_DATAGRAM + 1)], at('127.0.0.1', 53))).toBe(errno.msgsize);
    expect(client.sendTo([Buffer.alloc(LARGEST_DATAGRAM, 'z')], at('127.0.0.1', 53))).toBe(0);
    expect((await next(server)).text.length).toBe(LARGEST_DATAGRAM);
  });

  test('between two runs, both ways over one link each', async () => {
    const [one, two] = [network.add('10.0.0.1'), network.add('10.0.0.2')];
    const [client, server] = [await bound(one, 0), await bound(two, 53)];
    for (let turn = 0; turn < 3; turn++) {
      client.sendTo(bytes(`ask ${turn}`), at('10.0.0.2', 53));
      const { text, from } = await next(server);
      expect(text).toBe(`ask ${turn}`);
      expect(from).toEqual(at('10.0.0.1', client.localAddress().port));
      server.sendTo(bytes(`say ${turn}`), from);
      expect(await next(client)).toEqual({ text: `say ${turn}`, from: at('10.0.0.2', 53) });
    }
    // Routes are kept for a moment.
    expect(network.asked.filter((ask) => ask.ask === 'route').length).toBeLessThan(6);
    expect([one.stack.sent, two.stack.received]).toEqual([15, 15]);
  });

  test('a refusal is an error of the socket', async () => {
    const one = network.add('10.0.0.1');
    const socket = await bound(one, 0);
    network.answers = (ask) => (ask.ask === 'route' ? { error: 'denied' } : undefined);
    expect(socket.sendTo(bytes('x'), at('192.0.2.1', 53))).toBe(0);
    await until(() => socket.error(false) !== 0);
    expect(socket.error(true)).toBe(errno.acces);
    expect(socket.error(true)).toBe(0);
    // Nobody there: told to who has one peer, as the kernel does.
    network.answers = () => undefined;
    await value(socket.connect(at('127.0.0.1', 99)));
    socket.sendTo(bytes('x'));
    await until(() => socket.error(false) === errno.connrefused);
  });

  test('to the world, by the address that the guest knows; strangers are not let in', async () => {
    const one = network.add('10.0.0.9');
    const [peer, stranger] = [await host(), await host()];
    const socket = await bound(one, 0);
    socket.sendTo(bytes('hello'), at('10.0.0.1', peer.port));
    const [heard, info] = await peer.next();
    expect(heard.toString()).toBe('hello');
    stranger.socket.send('boo', info.port, '127.0.0.1');
    await new Promise((resolve) => stranger.socket.send('boo', info.port, '127.0.0.1', resolve));
    peer.socket.send('hi', info.port, '127.0.0.1');
    expect(await next(socket)).toEqual({ text: 'hi', from: at('10.0.0.1', peer.port) });
    socket.close();
  });

  test('a published port: answers go back to where the question came from', async () => {
    const udp: PublishedPort = { protocol: 'udp', hostIp: '127.0.0.1', hostPort: 0, port: 53 };
    const one = network.add('10.0.0.1', [udp]);
    const [port] = (await one.stack.openPorts()) as [number];
    const server = await bound(one, 53);
    for (const peer of [await host(), await host()]) {
      peer.socket.send('question', port, '127.0.0.1');
      const { text, from } = await next(server);
      expect([text, from]).toEqual(['question', at('127.0.0.1', peer.port)]);
      server.sendTo(bytes('answer'), from);
      const [heard, info] = await peer.next();
      expect([heard.toString(), info.port]).toEqual(['answer', port]);
    }
    // A second run cannot have it, until the first is over.
    const two = network.add('10.0.0.2', [{ ...udp, hostPort: port }]);
    await expect(two.stack.openPorts()).rejects.toMatchObject({ kind: 'conflict' });
    await one.close(false);
    const three = network.add('10.0.0.3', [{ ...udp, hostPort: port }]);
    expect(await three.stack.openPorts()).toEqual([port]);
  });

  test('a published port that another member of the namespace has', async () => {
    const udp: PublishedPort = { protocol: 'udp', hostIp: '127.0.0.1', hostPort: 0, port: 53 };
    const [one, two] = [network.add('10.0.0.1', [udp]), network.add('10.0.0.1')];
    const [port] = (await one.stack.openPorts()) as [number];
    const server = await bound(two, 53);
    const peer = await host();
    peer.socket.send('question', port, '127.0.0.1');
    const { text, from } = await next(server);
    expect([text, from]).toEqual(['question', at('127.0.0.1', peer.port)]);
    server.sendTo(bytes('answer'), from);
    const [heard, info] = await peer.next();
    expect([heard.toString(), info.port]).toEqual(['answer', port]);
  });

  test('what nobody takes is dropped, and nothing grows', async () => {
    const [one, two] = [network.add('10.0.0.1'), network.add('10.0.0.2')];
    const [client, server] = [await bound(one, 0), await bound(two, 53)];
    const block = [Buffer.alloc(10_000)];
    let sent = 0;
    await until(() => {
      while (sent < 2000 && client.sendTo(block, at('10.0.0.2', 53)) === 0) sent++;
      return sent === 2000;
    });
    client.sendTo(bytes('last'), at('10.0.0.2', 53));
    let held = 0;
    await until(() => server.available() > 0);
    const into = Buffer.alloc(LARGEST_DATAGRAM);
    let last = 0;
    await until(() => {
      for (let got = server.receiveFrom([into], false); got; got = server.receiveFrom([into], false)) {
        held += got.length;
        last = held;
      }
      return two.stack.received >= 2000 * 10_000 || held === last;
    });
    expect(held).toBeGreaterThan(0);
    expect(held % 10_000 === 0 || held % 10_000 === 4).toBe(true);
    expect(held).toBeLessThan(2000 * 10_000);
  });

  test('the last words of a guest reach another run', async () => {
    const [one, two] = [network.add('10.0.0.1'), network.add('10.0.0.2')];
    const [client, server] = [await bound(one, 0), await bound(two, 53)];
    client.sendTo(bytes('bye'), at('10.0.0.2', 53));
    client.close();
    await one.close(true);
    expect((await next(server)).text).toBe('bye');
  });

  test("the host's own port, with --network host", async () => {
    const one = network.add('10.0.0.1');
    network.answers = (ask) => (ask.ask === 'listen' ? { port: ask.port, host: true } : undefined);
    const server = await bound(one, 0, '127.0.0.1');
    const peer = await host();
    const { port } = server.localAddress();
    peer.socket.send('question', port, '127.0.0.1');
    const { text, from } = await next(server);
    expect([text, from]).toEqual(['question', at('127.0.0.1', peer.port)]);
    network.answers = (ask) =>
      ask.ask === 'route' ? { address: ask.address, port: ask.port, source: '0.0.0.0' } : undefined;
    server.sendTo(bytes('answer'), from);
    const [heard, info] = await peer.next();
    expect([heard.toString(), info.port]).toEqual(['answer', port]);
  });

  test('a link that says nothing sensible', async () => {
    const one = network.add('10.0.0.1');
    const server = await bound(one, 53);
    const { connect } = await import('node:net');
    const { encodeFrame, encodeGreeting } = await import('./gate-protocol.ts');
    const socket = connect(join(network.directory, '0.sock'));
    const nobody = at('0.0.0.0', 0);
    socket.write(encodeGreeting({ protocol: 'udp', to: nobody, from: nobody }));
    const frame = encodeFrame({
      to: at('10.0.0.1', 53),
      from: at('10.0.0.2', 5),
      forwarded: false,
      bytes: Buffer.from('ok'),
    });
    // In pieces, and followed by half of another.
    for (const piece of [frame.subarray(0, 5), Buffer.concat([frame.subarray(5), frame]), frame.subarray(0, 20)])
      socket.write(piece);
    expect((await next(server)).text).toBe('ok');
    expect((await next(server)).text).toBe('ok');
    socket.destroy();
    expect(server.available()).toBeLessThanOrEqual(WINDOW);
  });
});
