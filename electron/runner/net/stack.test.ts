import { existsSync, statSync } from 'node:fs';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PublishedPort } from '../../supervisor/protocol.ts';
import { errno } from '../wasi/errno.ts';
import { WINDOW } from './room.ts';
import type { GuestSocket } from './guest-net.ts';
import { TRANSFER } from './remote/channel.ts';
import { type Form, party, type Party, TestNetwork, until, value } from './testing.ts';

const any = (port: number) => ({ address: '0.0.0.0', port });
const at = (address: string, port: number) => ({ address, port });
const text = (socket: GuestSocket): string => {
  const into = Buffer.alloc(socket.available());
  return into.toString('latin1', 0, socket.receive([into], false));
};
const bytes = (said: string): readonly Uint8Array[] => [Buffer.from(said)];

const stream = ({ net }: Party, family: 4 | 6 = 4): GuestSocket => net.socket(family, 'stream');

async function listening(guest: Party, port: number, backlog = 16, address = '0.0.0.0'): Promise<GuestSocket> {
  const socket = stream(guest, address.includes(':') ? 6 : 4);
  expect(await value(socket.bind({ address, port }))).toBe(0);
  expect(await value(socket.listen(backlog))).toBe(0);
  return socket;
}

async function connected(guest: Party, address: string, port: number): Promise<GuestSocket> {
  const socket = stream(guest, address.includes(':') ? 6 : 4);
  expect(await value(socket.connect({ address, port }))).toBe(0);
  return socket;
}

async function accepted(listener: GuestSocket): Promise<GuestSocket> {
  await until(() => listener.backlog() > 0);
  return listener.accept() as GuestSocket;
}

/** What comes until the end. */
async function whole(socket: GuestSocket): Promise<string> {
  let all = '';
  await until(() => {
    all += text(socket);
    return socket.ended();
  });
  return all;
}

const tcp = (port: number, hostIp = '127.0.0.1', hostPort = 0): PublishedPort => ({
  protocol: 'tcp',
  hostIp,
  hostPort,
  port,
});

async function conversation(client: GuestSocket, server: GuestSocket): Promise<void> {
  expect(client.send(bytes('to the server'))).toBe(13);
  await until(() => server.available() === 13);
  const peeked = Buffer.alloc(6);
  expect(server.receive([peeked], true)).toBe(6);
  expect(peeked.toString()).toBe('to the');
  expect(text(server)).toBe('to the server');
  // Half-closed: the server still answers.
  client.shutdown(false, true);
  expect(client.writable()).toBe(false);
  await until(() => server.ended());
  server.send(bytes('and '));
  server.send(bytes('back'));
  server.close();
  expect(await whole(client)).toBe('and back');
  expect(client.error(false)).toBe(0);
  client.close();
}

describe.each<Form>(['direct', 'remote'])('%s', (form) => {
  let network: TestNetwork;
  beforeEach(() => (network = new TestNetwork(form)));
  afterEach(() => network.close());

  test('a guest without a network has its loopback, and no socket of the host', async () => {
    const alone = party(form, { spec: undefined, ask: () => Promise.reject(new Error('asked')) });
    const server = await listening(alone, 80);
    for (const address of ['127.0.0.1', '127.1.2.3', '0.0.0.0']) {
      const client = await connected(alone, address, 80);
      const other = await accepted(server);
      expect(other.peerAddress()).toEqual(client.localAddress());
      expect(client.peerAddress()).toEqual(at(address === '0.0.0.0' ? '127.0.0.1' : address, 80));
      await conversation(client, other);
    }
    expect(await value(stream(alone).connect(at('127.0.0.1', 81)))).toBe(errno.connrefused);
    expect(await value(stream(alone).connect(at('10.0.0.1', 80)))).toBe(errno.hostunreach);
    expect(await value(stream(alone).bind(any(80)))).toBe(errno.addrinuse);
    expect(await value(stream(alone).bind(at('10.0.0.1', 80)))).toBe(errno.addrnotavail);
    expect(await value(alone.net.lookup('localhost', 0))).toEqual(['127.0.0.1', '::1']);
    expect(await value(alone.net.lookup('localhost', 4))).toEqual(['127.0.0.1']);
    expect(await value(alone.net.lookup('example.org', 0))).toBe(errno.noent);
    expect([alone.stack.received, alone.stack.sent]).toEqual([0, 0]);
    server.close();
    expect(await value(stream(alone).bind(any(80)))).toBe(0);
    await alone.close(true);
  });

  test('an IPv6 socket hears both families', async () => {
    const one = network.add('10.0.0.1');
    const server = await listening(one, 80, 16, '::');
    for (const address of ['127.0.0.1', '::1']) {
      const client = await connected(one, address, 80);
      const other = await accepted(server);
      expect(other.family).toBe(6);
      expect(other.peerAddress()?.address).toBe(address === '::1' ? '::1' : '::ffff:127.0.0.1');
      await conversation(client, other);
    }
  });

  test('two runs through a gate', async () => {
    const [one, two] = [network.add('10.0.0.1'), network.add('10.0.0.2')];
    const server = await listening(two, 80);
    const gate = join(network.directory, '1.sock');
    expect(statSync(gate).mode & 0o777).toBe(0o600);
    expect(existsSync(join(network.directory, '0.sock'))).toBe(false);
    const client = await connected(one, '10.0.0.2', 80);
    const other = await accepted(server);
    expect(other.peerAddress()).toEqual(client.localAddress());
    expect(client.localAddress().address).toBe('10.0.0.1');
    expect(other.localAddress()).toEqual(at('10.0.0.2', 80));
    await conversation(client, other);
    expect([one.stack.sent, two.stack.received, one.stack.received, two.stack.sent]).toEqual([13, 13, 8, 8]);
    // Itself, by its address.
    const own = await connected(two, '10.0.0.2', 80);
    await conversation(own, await accepted(server));

    server.close();
    expect(await value(stream(one).connect(at('10.0.0.2', 80)))).toBe(errno.connrefused);
    await two.close(false);
    expect(existsSync(gate)).toBe(false);
  });

  test('a loopback that several runs share', async () => {
    const [one, two] = [network.add('10.0.0.1'), network.add('10.0.0.1')];
    const server = await listening(two, 80, 16, '127.0.0.1');
    await conversation(await connected(one, '127.0.0.1', 80), await accepted(server));
    expect(await value(stream(one).bind(any(80)))).toBe(errno.addrinuse);
  });

  test('a claim that is out of date is a refused connection', async () => {
    const [one, two] = [network.add('10.0.0.1'), network.add('10.0.0.2')];
    const bound = stream(two);
    expect(await value(bound.bind(any(81)))).toBe(0);
    const socket = stream(one);
    expect(await value(socket.connect(at('10.0.0.2', 81)))).toBe(errno.connrefused);
    expect(socket.state).toBe('failed');
    expect(socket.error(true)).toBe(errno.connrefused);
    network.answers = (ask) =>
      ask.ask === 'route' ? { gate: join(network.directory, 'gone.sock'), port: 1, source: '10.0.0.1' } : undefined;
    expect(await value(stream(one).connect(at('10.0.0.2', 82)))).toBe(errno.connrefused);
  });

  test('errors of the engine', async () => {
    const one = network.add('10.0.0.1');
    for (const [error, code] of [
      ['denied', errno.acces],
      ['unreachable', errno.hostunreach],
      ['refused', errno.connrefused],
      ['tryAgain', errno.again],
    ] as const) {
      network.answers = () => ({ error });
      expect(await value(stream(one).connect(at('192.0.2.1', 80)))).toBe(code);
    }
    network.answers = () => ({ error: 'notAvailable' });
    expect(await value(stream(one).bind(at('192.0.2.1', 80)))).toBe(errno.addrnotavail);
    network.answers = () => ({ error: 'tryAgain' });
    expect(await value(one.net.lookup('peer', 0))).toBe(errno.again);
    network.answers = () => undefined;
    expect(await value(one.net.lookup('peer', 0))).toEqual(['10.0.0.2']);
  });

  test('the world, as the host reaches it', async () => {
    const one = network.add('10.0.0.9');
    const said: string[] = [];
    const host = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('data', (chunk) => said.push(chunk.toString()));
      socket.on('end', () => socket.end('bye'));
    });
    await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
    const { port } = host.address() as AddressInfo;
    const client = await connected(one, '10.0.0.1', port);
    expect(client.localAddress().address).toBe('10.0.0.9');
    expect(client.peerAddress()).toEqual(at('10.0.0.1', port));
    client.setOptions({ keepAlive: true });
    client.send(bytes('hello'));
    client.shutdown(false, true);
    expect(await whole(client)).toBe('bye');
    expect(said.join('')).toBe('hello');
    client.close();
    await new Promise((resolve) => host.close(resolve));
    expect(await value(stream(one).connect(at('10.0.0.1', port)))).toBe(errno.connrefused);
  });

  test('a published port', async () => {
    const one = network.add('10.0.0.1', [tcp(80), tcp(81)]);
    const [port, other] = (await one.stack.openPorts()) as [number, number];
    // Nobody listens yet.
    await expect(talk(port, 'x')).rejects.toThrow(/ECONNRESET/);
    const server = await listening(one, 80);
    const reply = talk(port, 'hello');
    const guest = await accepted(server);
    expect(guest.peerAddress()?.address).toBe('127.0.0.1');
    expect(guest.localAddress().port).toBe(80);
    expect(await whole(guest)).toBe('hello');
    guest.send(bytes('good day'));
    guest.close();
    expect(await reply).toBe('good day');
    expect([one.stack.received, one.stack.sent]).toEqual([5, 8]);
    // What listens on the loopback is not for others.
    await listening(one, 81, 16, '127.0.0.1');
    await expect(talk(other, 'x')).rejects.toThrow(/ECONNRESET/);
    await one.close(true);
    const again = network.add('10.0.0.1', [tcp(80, '127.0.0.1', port)]);
    expect(await again.stack.openPorts()).toEqual([port]);
  });

  test('a published port on which another member of the namespace listens', async () => {
    const [one, two] = [network.add('10.0.0.1', [tcp(80)]), network.add('10.0.0.1')];
    const [port] = (await one.stack.openPorts()) as [number];
    const server = await listening(two, 80);
    const reply = talk(port, 'hello');
    const guest = await accepted(server);
    expect(await whole(guest)).toBe('hello');
    guest.send(bytes('from two'));
    guest.close();
    expect(await reply).toBe('from two');
  });

  test('ports that cannot be had', async () => {
    const one = network.add('10.0.0.1', [tcp(80)]);
    const [port] = (await one.stack.openPorts()) as [number];
    const two = network.add('10.0.0.2', [tcp(80), tcp(80, '127.0.0.1', port)]);
    await expect(two.stack.openPorts()).rejects.toMatchObject({
      kind: 'conflict',
      exitCode: 125,
      message: `Bind for 127.0.0.1:${port} failed: port is already allocated`,
    });
    const three = network.add('10.0.0.3', [tcp(80, '192.0.2.1', 8080)]);
    await expect(three.stack.openPorts()).rejects.toMatchObject({ kind: 'invalid', exitCode: 125 });
    const twins = network.add('10.0.0.4', [tcp(80, '127.0.0.1'), tcp(80, '127.0.0.2')]);
    const [first, second] = (await twins.stack.openPorts()) as [number, number];
    expect(first).toBe(second);
  });

  test('a reset is an error, after what came before it', async () => {
    const one = network.add('10.0.0.1', [tcp(80)]);
    const [port] = (await one.stack.openPorts()) as [number];
    const server = await listening(one, 80);
    const client = connect(port, '127.0.0.1');
    client.write('last words');
    const guest = await accepted(server);
    await until(() => guest.available() === 10);
    client.resetAndDestroy();
    await until(() => guest.error(false) !== 0);
    expect(text(guest)).toBe('last words');
    expect(guest.ended()).toBe(true);
    expect(guest.error(true)).toBe(errno.connreset);
    expect(guest.error(true)).toBe(0);
    expect(guest.send(bytes('x'))).toBe(0);
    guest.close();
  });

  test("writing to a closed end of one's own is an error", async () => {
    const one = network.add('10.0.0.1');
    const server = await listening(one, 80);
    const client = await connected(one, '127.0.0.1', 80);
    (await accepted(server)).close();
    await until(() => client.ended());
    client.send(bytes('x'));
    await until(() => client.error(false) !== 0);
    expect(client.error(true)).toBe(errno.connreset);
  });

  test('the backlog holds, and nobody is dropped', async () => {
    const [one, two] = [network.add('10.0.0.1'), network.add('10.0.0.2', [tcp(80)])];
    const [port] = (await two.stack.openPorts()) as [number];
    // Those that are in the guest's thread already.
    const handed = form === 'remote' ? TRANSFER : 0;
    const server = await listening(two, 80, 2);
    const clients = Array.from({ length: 6 }, () => stream(one));
    const pending = clients.map((client) => client.connect(at('10.0.0.2', 80)));
    const outside = Array.from({ length: 6 }, (_, index) => talk(port, `h${index}`));
    await until(() => server.backlog() >= 2);
    const served: string[] = [];
    for (let count = 0; count < 12; count++) {
      const guest = await accepted(server);
      expect(server.backlog()).toBeLessThanOrEqual(handed + 2);
      guest.send(bytes('done'));
      guest.shutdown(false, true);
      const { address } = guest.peerAddress() as { address: string };
      served.push(address);
      guest.close();
    }
    for (const each of pending) expect(await value(each)).toBe(0);
    await Promise.all(outside);
    expect(served.filter((address) => address === '10.0.0.1').length).toBe(6);
    // Those that still wait when the listener goes are refused.
    const late = Array.from({ length: handed + 4 }, () => stream(one).connect(at('10.0.0.2', 80)));
    await until(() => server.backlog() >= Math.max(handed - TRANSFER / 4, 2));
    server.close();
    const ends = await Promise.all(late.map((each) => value(each)));
    expect(ends.filter((error) => error === errno.connrefused).length).toBeGreaterThanOrEqual(2);
  });

  test('a slow reader holds the sender back: 100 MB through bounded memory', async () => {
    const [one, two] = [network.add('10.0.0.1'), network.add('10.0.0.2', [tcp(81)])];
    const [port] = (await two.stack.openPorts()) as [number];
    const servers = [await listening(two, 80), await listening(two, 81), await listening(two, 82)];
    const block = Buffer.alloc(1 << 16, 7);
    const total = 100 << 20;

    const own = await connected(two, '127.0.0.1', 82);
    const peer = await connected(one, '10.0.0.2', 80);
    const outside = connect(port, '127.0.0.1');
    const guests = await Promise.all(servers.map((server) => accepted(server)));

    let sentOutside = 0;
    const pour = (): void => {
      while (sentOutside < total && outside.write(block)) sentOutside += block.length;
      if (sentOutside < total) outside.once('drain', () => ((sentOutside += block.length), pour()));
      else outside.end();
    };
    pour();
    const sent = [0, 0];
    const received = [0, 0, 0];
    const into = Buffer.alloc(1 << 15);
    let peak = 0;
    await until(() => {
      [own, peer].forEach((socket, index) => {
        while ((sent[index] as number) < total && socket.writable()) (sent[index] as number) += socket.send([block]);
        if ('queued' in socket) expect(socket.queued).toBeLessThanOrEqual(WINDOW);
        if ((sent[index] as number) >= total) socket.shutdown(false, true);
      });
      guests.forEach((guest, index) => {
        peak = Math.max(peak, guest.available());
        // A bit at a time.
        (received[index] as number) += guest.receive([into], false);
      });
      return guests.every((guest) => guest.ended());
    });
    expect(received).toEqual([sent[1], sentOutside, sent[0]]);
    // One chunk past the window at most, and what the stream below holds when it is paused.
    expect(peak).toBeLessThanOrEqual(WINDOW + (1 << 17));
  }, 60_000);

  test('1,000 connections at once', async () => {
    const [one, two] = [network.add('10.0.0.1', [tcp(80)]), network.add('10.0.0.2')];
    const [port] = (await one.stack.openPorts()) as [number];
    const server = await listening(one, 80, 128);
    const outside = Array.from({ length: 500 }, (_, index) => talk(port, `o${index}`));
    const inside = Array.from({ length: 500 }, () => stream(two));
    const pending = inside.map((socket) => socket.connect(at('10.0.0.1', 80)));
    const guests: GuestSocket[] = [];
    await until(() => {
      for (let guest = server.accept(); guest; guest = server.accept()) guests.push(guest);
      return guests.length === 1000;
    });
    for (const each of pending) expect(await value(each)).toBe(0);
    inside.forEach((socket, index) => {
      socket.send(bytes(`i${index}`));
      socket.shutdown(false, true);
    });
    // An echo of all of them.
    const live = new Set(guests);
    await until(() => {
      for (const guest of live) {
        const said = text(guest);
        if (said !== '') guest.send(bytes(said));
        if (!guest.ended()) continue;
        guest.close();
        live.delete(guest);
      }
      return live.size === 0;
    });
    expect(await Promise.all(outside)).toEqual(outside.map((_, index) => `o${index}`));
    expect(await Promise.all(inside.map(whole))).toEqual(inside.map((_, index) => `i${index}`));
  }, 60_000);

  test('10,000 connections in turn leave nothing behind', async () => {
    const one = network.add('10.0.0.1', [tcp(80)]);
    const [port] = (await one.stack.openPorts()) as [number];
    const server = await listening(one, 80, 128);
    const before = process.getActiveResourcesInfo().length;
    for (let turn = 0; turn < 10_000; turn++) {
      const reply = talk(port, 'ping');
      const guest = await accepted(server);
      await until(() => guest.available() === 4);
      guest.send(bytes(text(guest)));
      guest.close();
      expect(await reply).toBe('ping');
    }
    await until(() => process.getActiveResourcesInfo().length <= before);
  }, 120_000);

  test('the end of a run delivers what was sent, then frees all', async () => {
    const [one, two] = [network.add('10.0.0.1', [tcp(80)]), network.add('10.0.0.2')];
    const [port] = (await one.stack.openPorts()) as [number];
    const server = await listening(one, 80);
    const waiting = await connected(two, '10.0.0.1', 80);
    const held = await accepted(server);
    const reply = talk(port, '');
    const guest = await accepted(server);
    const block = Buffer.alloc(WINDOW, 'x');
    const sent = guest.send([block]);
    expect(sent).toBeGreaterThan(WINDOW / 2);
    guest.close();
    const pending = stream(one).connect(at('10.0.0.2', 80));
    await one.close(true);
    expect((await reply).length).toBe(sent);
    expect(await whole(waiting)).toBe('');
    expect(held.state).toBe('connected');
    // In a thread of its own the guest is no more.
    if (form === 'direct') expect(await value(pending)).not.toBe(0);
  });

  test('a caller at the gate who says nothing sensible', async () => {
    const one = network.add('10.0.0.1');
    await listening(one, 80);
    for (const said of [
      Buffer.alloc(38, 9),
      Buffer.from('GET / HTTP/1.1\r\nHost: somewhere.example\r\n\r\n'),
      Buffer.alloc(3),
    ]) {
      const socket = connect(join(network.directory, '0.sock'));
      socket.end(said);
      socket.resume();
      await new Promise((resolve) => socket.on('close', resolve).on('error', () => undefined));
    }
  });

  test("the host's own ports, with --network host", async () => {
    const one = network.add('10.0.0.1');
    network.answers = (ask) => {
      if (ask.ask === 'listen') return { port: ask.port, host: true };
      if (ask.ask === 'route') return { address: ask.address, port: ask.port, source: '0.0.0.0' };
      return undefined;
    };
    const server = await listening(one, 0, 16, '127.0.0.1');
    const { port } = server.localAddress();
    const reply = talk(port, 'hello');
    const guest = await accepted(server);
    expect(await whole(guest)).toBe('hello');
    guest.close();
    expect(await reply).toBe('');
    expect(await value(stream(one).bind(at('127.0.0.1', port)))).toBe(errno.addrinuse);
    const client = await connected(one, '127.0.0.1', port);
    expect(client.localAddress()).toEqual((await accepted(server)).peerAddress());
  });
});

/** Sends and half-closes; what came back until the end. */
function talk(port: number, said: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let heard = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (heard += chunk));
    socket.on('end', () => {
      socket.destroy();
      resolve(heard);
    });
    socket.on('error', reject);
    socket.end(said);
  });
}
