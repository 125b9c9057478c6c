/** What a guest, or who speaks to it, must not bring about. */
import { createSocket } from 'node:dgram';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NetAsk, PublishedPort } from '../../supervisor/protocol.ts';
import { WORDS } from '../bridge/layout.ts';
import { RecordReader } from '../bridge/record-ring.ts';
import { errno } from '../wasi/errno.ts';
import type { GuestSocket } from './guest-net.ts';
import { netWord, openChannel, RING } from './remote/channel.ts';
import { nextOdd, RemoteNet } from './remote/remote-net.ts';
import { NetServer } from './remote/server.ts';
import { PIECE, WINDOW, windowOf } from './room.ts';
import { NetStack } from './stack.ts';
import { type Form, type Party, TestNetwork, until, value } from './testing.ts';

const at = (address: string, port: number) => ({ address, port });
const bytes = (said: string): readonly Uint8Array[] => [Buffer.from(said)];
async function listening({ net }: Party, port: number, address = '0.0.0.0'): Promise<GuestSocket> {
  const socket = net.socket(4, 'stream');
  expect(await value(socket.bind({ address, port }))).toBe(0);
  expect(await value(socket.listen(16))).toBe(0);
  return socket;
}

async function bound({ net }: Party, port: number, address = '0.0.0.0'): Promise<GuestSocket> {
  const socket = net.socket(4, 'dgram');
  expect(await value(socket.bind({ address, port }))).toBe(0);
  return socket;
}

async function datagram(socket: GuestSocket): Promise<{ readonly said: string; readonly from: string }> {
  await until(() => socket.receiveFrom([], true) !== undefined);
  const into = Buffer.alloc(65_536);
  const got = socket.receiveFrom([into], false);
  return { said: into.toString('latin1', 0, got?.length), from: got?.from.address ?? '' };
}

/** Sockets of the host that are open in this process. */
const open = (kind: string): number => process.getActiveResourcesInfo().filter((name) => name === kind).length;

const published = (protocol: 'tcp' | 'udp', port: number): PublishedPort => ({
  protocol,
  hostIp: '127.0.0.1',
  hostPort: 0,
  port,
});

describe.each<Form>(['direct', 'remote'])('%s', (form) => {
  let network: TestNetwork;
  const servers: Server[] = [];
  const asked = <A extends NetAsk['ask']>(ask: A) =>
    network.asked.filter((each): each is Extract<NetAsk, { ask: A }> => each.ask === ask);
  beforeEach(() => (network = new TestNetwork(form)));
  afterEach(async () => {
    for (const server of servers.splice(0)) server.close();
    await network.close();
  });

  const serve = (heard: (socket: Socket) => void): Promise<number> =>
    new Promise((resolve) => {
      const server = createServer({ allowHalfOpen: true }, heard);
      servers.push(server);
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });

  test('a loopback address is no source for others', async () => {
    const [one, two] = [network.add('10.0.0.3'), network.add('10.0.0.2')];
    const port = await serve((socket) => socket.destroy());
    const [server, box] = [await listening(two, 80), await bound(two, 53)];
    for (const [address, number] of [
      ['10.0.0.2', 80],
      ['10.0.0.1', port],
    ] as const) {
      const client = one.net.socket(4, 'stream');
      expect(await value(client.bind(at('127.0.0.1', 5000)))).toBe(0);
      expect(await value(client.connect(at(address, number)))).toBe(errno.inval);
      client.close();
      expect(server.backlog()).toBe(0);
    }
    const sender = await bound(one, 5001, '127.0.0.1');
    expect(sender.sendTo(bytes('trust me'), at('10.0.0.2', 53))).toBe(0);
    await until(() => sender.error(false) !== 0);
    expect(sender.error(true)).toBe(errno.inval);
    expect(box.receiveFrom([], true)).toBeUndefined();
    // To itself it is one.
    const own = await bound(one, 54);
    sender.sendTo(bytes('me'), at('127.0.0.1', 54));
    expect(await datagram(own)).toEqual({ said: 'me', from: '127.0.0.1' });
  });

  test('a published port does not lead to the loopback of another member', async () => {
    const seen = { published: { host: '10.0.0.254', guest: '10.0.0.1' } };
    const one = network.add('10.0.0.1', [published('tcp', 80), published('udp', 53)], seen);
    const two = network.add('10.0.0.1');
    const [tcp, udp] = (await one.stack.openPorts()) as [number, number];
    const hidden = await listening(two, 80, '127.0.0.1');
    const box = await bound(two, 53, '127.0.0.1');
    const client = connect(tcp, '127.0.0.1');
    expect(await ended(client)).toBe('ECONNRESET');
    const stranger = createSocket('udp4');
    stranger.send('in', udp, '127.0.0.1');
    await until(() => asked('route').some(({ protocol }) => protocol === 'udp'));
    stranger.close();
    expect(asked('route').map(({ address }) => address)).toEqual(['10.0.0.1', '10.0.0.1']);
    expect([hidden.backlog(), box.receiveFrom([], true)]).toEqual([0, undefined]);
  });

  test('who comes to a published port from the host is nobody of the loopback', async () => {
    const seen = { published: { host: '10.0.0.254', guest: '10.0.0.1' } };
    const one = network.add('10.0.0.1', [published('tcp', 80), published('udp', 53)], seen);
    const two = network.add('10.0.0.1');
    const [tcp, udp] = (await one.stack.openPorts()) as [number, number];
    const stranger = createSocket('udp4');
    const heard: string[] = [];
    stranger.on('message', (message) => heard.push(message.toString()));
    await new Promise<void>((resolve) => stranger.bind(0, '127.0.0.1', resolve));
    const { port } = stranger.address();
    for (const party of [one, two]) {
      const server = await listening(party, 80);
      const client = connect(tcp, '127.0.0.1');
      await until(() => server.backlog() > 0);
      const accepted = server.accept();
      expect(accepted?.peerAddress()).toEqual(at('10.0.0.254', client.localPort as number));
      expect(accepted?.localAddress()).toEqual(at('10.0.0.1', 80));
      client.destroy();
      server.close();

      const box = await bound(party, 53);
      stranger.send('hello', udp, '127.0.0.1');
      expect(await datagram(box)).toEqual({ said: 'hello', from: '10.0.0.254' });
      // Its own loopback has the number too: what goes there stays there.
      const inside = await bound(party, port, '127.0.0.1');
      box.sendTo(bytes('secret'), at('127.0.0.1', port));
      expect(await datagram(inside)).toMatchObject({ said: 'secret' });
      box.sendTo(bytes('answer'), at('10.0.0.254', port));
      await until(() => heard.length > 0);
      expect(heard.splice(0)).toEqual(['answer']);
      box.close();
      inside.close();
      await until(() => asked('unlisten').filter(({ port: number }) => number === 53).length > (party === one ? 0 : 1));
    }
    stranger.close();
  });

  test('the host’s own ports are claimed once the host has given them', async () => {
    const one = network.add('10.0.0.1');
    network.answers = (ask) => (ask.ask === 'listen' ? { port: ask.port, host: true } : undefined);
    const port = await serve((socket) => socket.destroy());
    const [stream, dgram] = [one.net.socket(4, 'stream'), one.net.socket(4, 'dgram')];
    expect(await value(stream.bind(at('127.0.0.1', port)))).toBe(errno.addrinuse);
    expect(asked('listen').filter((ask) => ask.bound)).toEqual([]);
    expect(await value(one.net.socket(4, 'stream').bind(at('127.0.0.1', 0)))).toBe(0);
    expect(await value(dgram.bind(at('127.0.0.1', 0)))).toBe(0);
    const local = dgram.localAddress().port;
    await until(() => asked('listen').filter((ask) => ask.bound).length === 2);
    expect(await value(one.net.socket(4, 'dgram').bind(at('127.0.0.1', local)))).toBe(errno.addrinuse);
    expect(asked('listen').filter((ask) => ask.bound)).toHaveLength(2);
  });

  test('a datagram socket that was closed leaves nothing open, and what it sent still goes', async () => {
    const one = network.add('10.0.0.9');
    const stranger = createSocket('udp4');
    const heard = new Set<string>();
    stranger.on('message', (message) => heard.add(message.toString()));
    await new Promise<void>((resolve) => stranger.bind(0, '127.0.0.1', resolve));
    const { port } = stranger.address();
    const before = open('UDPWrap');
    const rounds = 50;
    for (let round = 0; round < rounds; round++) {
      const socket = await bound(one, 0);
      for (const part of ['a', 'b', 'c']) socket.sendTo(bytes(`${round}${part}`), at('10.0.0.1', port));
      socket.close();
    }
    await until(() => heard.size === rounds * 3);
    await until(() => open('UDPWrap') <= before);
    stranger.close();
  });

  test('a connection that is not waited for any more is given up', async () => {
    const [one, two] = [network.add('10.0.0.1'), network.add('10.0.0.2')];
    const server = await listening(two, 80);
    // More than the backlog: those that wait have a socket each.
    const before = open('PipeWrap');
    const sockets = Array.from({ length: 100 }, () => one.net.socket(4, 'stream'));
    const pending = sockets.map((socket) => socket.connect(at('10.0.0.2', 80)));
    await until(() => open('PipeWrap') >= before + 200);
    expect(pending.filter((each) => each.poll() === 0).length).toBeLessThan(100);
    for (const socket of sockets) socket.close();
    // Their ends are gone; those of the listener are there until it accepts.
    await until(() => open('PipeWrap') <= before + 100);
    const other = two.net.socket(4, 'stream');
    server.close();
    await until(() => {
      // A guest that does something.
      other.available();
      return open('PipeWrap') <= before;
    });
  });

  test('what nobody hears does not use up the room for sending', async () => {
    const one = network.add('10.0.0.1');
    const sender = await bound(one, 5000);
    const nobody = [at('127.0.0.1', 9), at('10.9.9.9', 9), at('10.0.0.1', 9)];
    // Three times as many as there is room for.
    for (let sent = 0; sent < 3072; sent++) {
      await until(() => sender.writable());
      expect(sender.sendTo(bytes('?'), nobody[sent % 3])).toBe(0);
    }
  });

  test('many sockets have less room each, and all gets there', async () => {
    const one = network.add('10.0.0.1');
    const two = network.add('10.0.0.2');
    const server = await listening(one, 80);
    const crowd = Array.from({ length: 4096 }, () => one.net.socket(4, 'stream'));
    const client = one.net.socket(4, 'stream');
    expect(await value(client.connect(at('127.0.0.1', 80)))).toBe(0);
    await until(() => server.backlog() > 0);
    const accepted = server.accept() as GuestSocket;
    const block = Buffer.alloc(1 << 16, 'x');
    let sent = 0;
    let idle = 0;
    await until(() => {
      const some = client.writable() ? client.send([block]) : 0;
      sent += some;
      idle = some === 0 ? idle + 1 : 0;
      return idle > 100;
    });
    expect(sent).toBeGreaterThanOrEqual(1 << 15);
    // Half a megabyte and more when there are few.
    expect(sent).toBeLessThan(1 << 17);
    let received = 0;
    const into = Buffer.alloc(1000);
    await until(() => {
      if (sent < 4 << 20 && client.writable()) sent += client.send([block]);
      for (let some = 1; some > 0; received += some) some = accepted.receive([into], false);
      return sent >= 4 << 20 && received === sent;
    });

    const box = await bound(one, 53);
    const sender = await bound(two, 53);
    for (const size of [1, 65_507, 3, 60_000, 65_507, 2]) {
      await until(() => sender.writable());
      sender.sendTo([Buffer.alloc(size, 'y')], at('10.0.0.1', 53));
      expect((await datagram(box)).said).toHaveLength(size);
    }
    for (const socket of crowd) socket.close();
  });

  test('what closed connections still have to deliver is bounded', async () => {
    const [one, two] = [network.add('10.0.0.1'), network.add('10.0.0.2')];
    const server = await listening(two, 80);
    const before = open('PipeWrap');
    const block = Buffer.alloc(1 << 17);
    const rounds = 300;
    for (let round = 0; round < rounds; round++) {
      const client = one.net.socket(4, 'stream');
      expect(await value(client.connect(at('10.0.0.2', 80)))).toBe(0);
      await until(() => server.backlog() > 0);
      server.accept();
      // Until nothing goes any more: nobody reads.
      for (let idle = 0; idle < 20; idle++) {
        await new Promise((resolve) => setImmediate(resolve));
        if (client.writable() && client.send([block]) > 0) idle = 0;
      }
      client.close();
    }
    await until(() => open('PipeWrap') <= before + rounds + 256);
  });

  test('questions to the engine are few at a time', async () => {
    const one = network.add('10.0.0.1');
    const waiting: (() => void)[] = [];
    let most = 0;
    network.held = (answer) =>
      new Promise((resolve) => {
        waiting.push(() => resolve(answer));
        most = Math.max(most, waiting.length);
      });
    const pending = Array.from({ length: 2000 }, (_, number) =>
      one.net.socket(4, 'stream').connect(at('10.9.9.9', number + 1)),
    );
    await until(() => {
      for (const answer of waiting.splice(0)) answer();
      return pending.every((each) => each.poll() === errno.hostunreach);
    });
    expect(most).toBeLessThanOrEqual(256);
    expect(most).toBeGreaterThan(10);
  });
});

test('a guest that asks for more than the other thread carries out is held up', () => {
  const channel = openChannel();
  const reader = new RecordReader(channel.requests);
  let held = 0;
  let read = 0;
  const net = new RemoteNet(
    () => channel,
    () => undefined,
    () => {
      held++;
      for (; reader.next(); reader.release()) read++;
    },
  );
  const socket = net.socket(4, 'stream');
  const rounds = 50_000;
  // In one turn: nobody else gets to do anything.
  for (let round = 0; round < rounds; round++) socket.setOptions({ keepAlive: true });
  expect(held).toBeGreaterThan(0);
  // What was not read fits the ring, and there are few more.
  expect(1 + rounds - read).toBeLessThan(RING / 12 + 1024);
});

test('a guest whose questions wait for the engine is not heard until there are fewer', async () => {
  let crowded = true;
  const stack = new NetStack({
    spec: undefined,
    ask: () => Promise.reject(new Error('asked')),
    crowded: () => crowded,
    changed: () => undefined,
  });
  const channel = openChannel();
  const net = new RemoteNet(
    () => channel,
    () => undefined,
  );
  const lookup = net.lookup('localhost', 4);
  const server = new NetServer(stack, channel, new Int32Array(new SharedArrayBuffer(WORDS * 4)));
  server.bell();
  await new Promise((resolve) => setImmediate(resolve));
  expect(channel.words[netWord.requestsTail]).toBe(0);
  crowded = false;
  expect(await value(lookup)).toEqual(['127.0.0.1']);
  server.finish();
  await stack.close(false);
});

test('the room of all sockets together is bounded, and its pieces come back', () => {
  for (const sockets of [0, 1, 512]) expect(windowOf(sockets)).toBe(WINDOW);
  for (const sockets of [513, 1000, 4000]) {
    expect(windowOf(sockets) * sockets).toBeLessThanOrEqual(WINDOW * 512);
    expect(windowOf(sockets) * sockets).toBeGreaterThan(WINDOW * 500);
  }
  for (const sockets of [5000, 16_384, 1e6]) expect(windowOf(sockets)).toBe(2 * PIECE);
});

test('numbers of sockets begin anew when they do not fit a record', () => {
  expect(nextOdd(1)).toBe(3);
  expect(nextOdd(0x7fff_fffd)).toBe(0x7fff_ffff);
  expect(nextOdd(0x7fff_ffff)).toBe(1);
});

/** The error with which a connection ends, or 'end'. */
const ended = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('end', () => resolve('end'));
  });
