import { beforeEach, expect, test } from 'vitest';
import { TestWorld } from './testing.ts';

let world: TestWorld;
beforeEach(async () => {
  world = new TestWorld();
  await world.networks.create({ name: 'n', subnet: '10.5.0.0/24' });
  await world.networks.create({ name: 'm', subnet: '10.6.0.0/24' });
  await world.networks.create({ name: 'inner', subnet: '10.7.0.0/24', internal: true });
});

test('two containers listen on the same port, each is reached at its own address, and sees who asks', async () => {
  const [a, b, c] = [world.run('a', ['n']), world.run('b', ['n']), world.run('c', ['n', 'm'])];
  expect(await a.listen(80)).toEqual({ port: 80 });
  expect(await b.listen(80)).toEqual({ port: 80 });
  expect([a.address, b.address, c.address]).toEqual(['10.5.0.2', '10.5.0.3', '10.5.0.4']);
  expect(await c.route(a.address, 80)).toEqual({ gate: a.member.spec.gate, port: 80, source: c.address });
  expect(await c.route(`::ffff:${b.address}`, 80)).toEqual({ gate: b.member.spec.gate, port: 80, source: c.address });
  expect(await c.route(a.address, 81)).toEqual({ error: 'refused' });
  expect(await c.route(a.address, 80, 'udp')).toEqual({ error: 'refused' });
  expect(await c.route('10.5.0.99', 80)).toEqual({ error: 'unreachable' });
});

test('the loopback is the namespace’s own, in whatever spelling', async () => {
  const [a, b] = [world.run('a', ['n']), world.run('b', ['n'])];
  await a.listen(80, '127.0.0.1');
  const reached = { gate: a.member.spec.gate, port: 80, source: '127.0.0.1' };
  for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1', '0.0.0.0'])
    expect(await a.route(address, 80)).toEqual(reached);
  for (const address of ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1', '0.0.0.0', '::'])
    expect(await b.route(address, 80)).toEqual({ error: 'refused' });
  expect(await b.route(a.address, 80)).toEqual({ error: 'refused' }); // bound to the loopback only
  await b.listen(80, '::');
  expect(await b.route('::1', 80)).toEqual({ gate: b.member.spec.gate, port: 80, source: '::1' });
  expect(await b.route(b.address, 80)).toEqual({ gate: b.member.spec.gate, port: 80, source: b.address });
});

test('nothing that the host could take for itself gets out', async () => {
  const a = world.run('a', ['n']);
  for (const address of [
    '0.0.0.1',
    '169.254.169.254',
    '224.0.0.1',
    '255.255.255.255',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    'fe80::1',
    'fe80::1%lo',
    'ff02::1',
    'localhost',
    '',
    '/var/run/x.sock',
  ])
    expect(await a.route(address, 80)).toEqual({ error: 'unreachable' });
  for (const port of [0, -1, 65536, 1.5, Number.NaN])
    expect(await a.route('1.1.1.1', port)).toEqual({ error: 'unreachable' });
});

test('networks are isolated; the world is reached through those that are not internal', async () => {
  const [a, b, inner, none] = [
    world.run('a', ['n']),
    world.run('b', ['m']),
    world.run('i', ['inner']),
    world.run('0', ['none']),
  ];
  await b.listen(80);
  expect(await a.route(b.address, 80)).toEqual({ error: 'unreachable' });
  expect(await a.route('10.6.0.1', 80)).toEqual({ error: 'unreachable' });
  expect(await a.route('1.1.1.1', 443)).toEqual({ address: '1.1.1.1', port: 443, source: a.address });
  expect(await a.route('::ffff:1.1.1.1', 443)).toEqual({ address: '1.1.1.1', port: 443, source: a.address });
  expect(await a.route('2606:4700::1111', 443)).toEqual({ address: '2606:4700::1111', port: 443, source: '::' });
  for (const shut of [inner, none]) {
    expect(await shut.route('1.1.1.1', 443)).toEqual({ error: 'unreachable' });
    expect(await shut.route('10.5.0.1', 443)).toEqual({ error: 'unreachable' });
  }
  expect(await inner.route('10.7.0.1', 80)).toEqual({ error: 'unreachable' });
  expect([...a.refused, ...inner.refused]).toEqual([]);
});

test('the gateway is the host’s 127.0.0.1', async () => {
  const a = world.run('a', ['n']);
  expect(await a.route('10.5.0.1', 5432)).toEqual({ address: '127.0.0.1', port: 5432, source: a.address });
  expect(await a.route('10.5.0.1', 5432, 'udp')).toEqual({ address: '127.0.0.1', port: 5432, source: a.address });
});

test('rules: by address, by name that was looked up, for the host by its name only; each refusal is told', async () => {
  const a = world.run('a', ['n']);
  world.dns['ok.example'] = ['9.9.9.9'];
  world.dns['trap.ok.example'] = ['10.5.0.1', '127.0.0.1'];
  a.allow = ['ok.example:443', '*.ok.example', '10.0.0.0/8', '1.1.1.1'];
  expect(await a.route('1.1.1.1', 1)).toMatchObject({ address: '1.1.1.1' });
  expect(await a.route('9.9.9.9', 443)).toEqual({ error: 'denied' });
  await a.lookup('ok.example');
  expect(await a.route('9.9.9.9', 443)).toMatchObject({ address: '9.9.9.9' });
  expect(await a.route('9.9.9.9', 80)).toEqual({ error: 'denied' });
  await a.lookup('trap.ok.example');
  expect(await a.route('10.5.0.1', 80)).toEqual({ error: 'denied' });
  expect(await a.route('127.0.0.1', 80)).toEqual({ error: 'refused' });
  expect(a.refused).toEqual([
    { host: '9.9.9.9', address: '9.9.9.9', port: 443, protocol: 'tcp' },
    { host: 'ok.example', address: '9.9.9.9', port: 80, protocol: 'tcp' },
    { host: 'host.docker.internal', address: '10.5.0.1', port: 80, protocol: 'tcp' },
  ]);
  a.allow = ['host.docker.internal:80'];
  expect(await a.route('10.5.0.1', 80)).toMatchObject({ address: '127.0.0.1' });
  expect(await a.route('10.5.0.1', 81)).toEqual({ error: 'denied' });
  a.allow = 'none';
  expect(await a.route('1.1.1.1', 1)).toEqual({ error: 'denied' });
});

test('rules are no matter of peers', async () => {
  const [a, b] = [world.run('a', ['n']), world.run('b', ['n'])];
  a.allow = 'none';
  await b.listen(80);
  expect(await a.route(b.address, 80)).toMatchObject({ gate: b.member.spec.gate });
  expect(a.refused).toEqual([]);
});

test('members share ports and the loopback; a port is free again when its run leaves', async () => {
  const a = world.run('a', ['n']);
  const exec = a.join();
  expect(exec.spec.gate).not.toBe(a.member.spec.gate);
  expect(await exec.ask({ ask: 'listen', protocol: 'tcp', address: '0.0.0.0', port: 80 })).toEqual({ port: 80 });
  expect(await a.listen(80)).toEqual({ error: 'inUse' });
  expect(await a.route('127.0.0.1', 80)).toMatchObject({ gate: exec.spec.gate });
  await a.ask({ ask: 'unlisten', protocol: 'tcp', port: 80 }); // not its own
  expect(await a.listen(80)).toEqual({ error: 'inUse' });
  exec.leave();
  exec.leave();
  expect(await exec.ask({ ask: 'route', protocol: 'tcp', address: '1.1.1.1', port: 1 })).toEqual({
    error: 'unreachable',
  });
  expect(await a.listen(80)).toEqual({ port: 80 });
  await a.ask({ ask: 'unlisten', protocol: 'tcp', port: 80 });
  expect(await a.listen(80)).toEqual({ port: 80 });
});

test('what can be bound: any, the loopback, one of its own', async () => {
  const a = world.run('a', ['n']);
  for (const [port, address] of [
    [1, '0.0.0.0'],
    [2, '::'],
    [3, '127.0.0.1'],
    [4, '::1'],
    [5, a.address],
    [6, `::ffff:${a.address}`],
  ] as const)
    expect(await a.listen(port, address)).toEqual({ port });
  for (const address of ['10.5.0.1', '10.5.0.77', '1.1.1.1', 'fe80::1', 'x', ''])
    expect(await a.listen(7, address)).toEqual({ error: 'notAvailable' });
  expect(await a.listen(65536)).toEqual({ error: 'notAvailable' });
  const chosen = await a.listen(0);
  expect(chosen).toMatchObject({ port: expect.any(Number) as number });
});

test('a container that stopped is gone from its address; its namespace leads nowhere any more', async () => {
  const [a, b] = [world.run('a', ['n']), world.run('b', ['n'])];
  const shared = b.join();
  await b.listen(80);
  const address = b.address;
  b.stop();
  expect(await a.route(address, 80)).toEqual({ error: 'unreachable' });
  expect(await shared.ask({ ask: 'route', protocol: 'tcp', address: '1.1.1.1', port: 1 })).toEqual({
    error: 'unreachable',
  });
  expect(await shared.ask({ ask: 'route', protocol: 'tcp', address: a.address, port: 1 })).toEqual({
    error: 'unreachable',
  });
});

test('connected while it runs: at once', async () => {
  const [a, b] = [world.run('a', ['n']), world.run('b', ['m'])];
  await b.listen(80);
  a.endpoints.push(world.networks.join('m', { containerId: 'a', aliases: [] }));
  expect(await a.route(b.address, 80)).toEqual({ gate: b.member.spec.gate, port: 80, source: '10.6.0.3' });
});

test('network host: the host’s own sockets, under the rules', async () => {
  const a = world.run('a', ['host'], { host: true });
  expect(await a.listen(80, '192.168.1.5')).toEqual({ port: 80, host: true });
  expect(await a.listen(0)).toEqual({ port: 0, host: true });
  expect(await a.route('127.0.0.1', 22)).toEqual({ address: '127.0.0.1', port: 22, source: '0.0.0.0' });
  expect(await a.route('::', 22)).toEqual({ address: '::1', port: 22, source: '::' });
  expect(await a.route('10.5.0.2', 22)).toEqual({ address: '10.5.0.2', port: 22, source: '0.0.0.0' });
  a.allow = 'none';
  expect(await a.route('127.0.0.1', 22)).toEqual({ error: 'denied' });
  expect(await a.route('127.0.0.1', 80)).toEqual({ error: 'denied' }); // it has the port elsewhere
  await a.bound(81, '127.0.0.1');
  expect(await a.route('127.0.0.1', 81)).toMatchObject({ address: '127.0.0.1' }); // its own listener
  a.allow = ['localhost:22'];
  expect(await a.route('127.0.0.1', 22)).toMatchObject({ address: '127.0.0.1' });
  expect(a.refused).toEqual(
    [22, 80].map((port) => ({ host: 'host.docker.internal', address: '127.0.0.1', port, protocol: 'tcp' })),
  );
});
