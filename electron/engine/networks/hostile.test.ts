/** What a container must not get by asking cleverly. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestWorld } from './testing.ts';

let world: TestWorld;
beforeEach(async () => {
  world = new TestWorld();
  await world.networks.create({ name: 'n', subnet: '10.5.0.0/24' });
  await world.networks.create({ name: 'm', subnet: '10.6.0.0/24' });
});
afterEach(() => world.namespaces.close());

test('every spelling of the loopback is the container’s own, or nowhere', async () => {
  const a = world.run('a', ['n']);
  for (const address of [
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '::',
    '::1',
    '0:0:0:0:0:0:0:1',
    '0:0::0:1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:7f00:0001',
    '::FFFF:0.0.0.0',
  ])
    expect(await a.route(address, 22), address).toEqual({ error: 'refused' });
  for (const address of [
    '::127.0.0.1',
    '::7f00:1',
    '0.0.0.1',
    '0.1.2.3',
    '64:ff9b::127.0.0.1',
    '64:ff9b::7f00:1',
    'fe80::1',
    'fe80::1%lo',
    '::1%lo',
    '127.0.0.1%lo',
    '169.254.169.254',
    '::ffff:169.254.169.254',
    '224.0.0.1',
    '239.255.255.250',
    '255.255.255.255',
    'ff02::1',
    // Not addresses at all: nobody may take them for some.
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '127.0.0.01x',
    ' 127.0.0.1',
    'localhost',
    '',
  ])
    expect(await a.route(address, 22), address).toEqual({ error: 'unreachable' });
});

test('ports that are none lead nowhere', async () => {
  const a = world.run('a', ['n']);
  for (const port of [0, -1, 65536, 2 ** 32 + 80, 1.5, NaN])
    expect(await a.route('1.1.1.1', port), String(port)).toEqual({ error: 'unreachable' });
});

test('numbers that the host’s resolver takes for addresses open nothing', async () => {
  const a = world.run('a', ['n']);
  world.dns['127.1'] = ['127.0.0.1'];
  world.dns['0x7f.1'] = ['127.0.0.1'];
  world.dns['10.5.1'] = ['10.5.0.1'];
  for (const name of ['127.1', '0x7f.1']) expect(await a.lookup(name)).toEqual({ addresses: ['127.0.0.1'] });
  expect(await a.route('127.0.0.1', 22)).toEqual({ error: 'refused' });
  a.allow = ['10.5.0.0/24', '0.0.0.0/0'];
  expect(await a.lookup('10.5.1')).toEqual({ addresses: ['10.5.0.1'] });
  expect(await a.route('10.5.0.1', 22)).toEqual({ error: 'denied' });
});

test('a name that is allowed opens the host neither by its gateway nor by the host’s own addresses', async () => {
  world.hostAddresses = ['127.0.0.1', '192.168.7.5', '2001:db8::5'];
  const a = world.run('a', ['n']);
  a.allow = ['evil.example'];
  world.dns['evil.example'] = ['10.5.0.1', '192.168.7.5', '2001:db8::5', '192.168.7.6', '127.0.0.1'];
  await a.lookup('evil.example');
  for (const address of ['10.5.0.1', '192.168.7.5', '2001:db8::5', '::ffff:192.168.7.5'])
    expect(await a.route(address, 5432), address).toEqual({ error: 'denied' });
  expect(a.refused.map(({ host, address }) => `${host} ${address}`)).toEqual([
    'host.docker.internal 10.5.0.1',
    'host.docker.internal 192.168.7.5',
    'host.docker.internal 2001:db8::5',
    'host.docker.internal 192.168.7.5',
  ]);
  expect(await a.route('127.0.0.1', 5432)).toEqual({ error: 'refused' });
  expect(await a.route('192.168.7.6', 5432)).toMatchObject({ address: '192.168.7.6' });
  // Who names the host, or its address, means it.
  a.allow = ['host.docker.internal:5432'];
  expect(await a.route('192.168.7.5', 5432)).toMatchObject({ address: '192.168.7.5' });
  a.allow = ['192.168.7.0/24'];
  expect(await a.route('192.168.7.5', 5432)).toMatchObject({ address: '192.168.7.5' });
});

test('network host: the rules are not passed by a bind', async () => {
  const a = world.run('a', ['host'], { host: true });
  a.allow = 'none';
  // Tried, and refused by the host: somebody has that port.
  expect(await a.listen(5432)).toEqual({ port: 5432, host: true });
  expect(await a.route('127.0.0.1', 5432)).toEqual({ error: 'denied' });
  // On another address than the one that somebody has.
  expect(await a.listen(5433, '127.0.0.2')).toEqual({ port: 5433, host: true });
  await a.bound(5433, '127.0.0.2');
  expect(await a.route('127.0.0.1', 5433)).toEqual({ error: 'denied' });
  expect(await a.route('::1', 5433)).toEqual({ error: 'denied' });
  expect(await a.route('127.0.0.2', 5433)).toMatchObject({ address: '127.0.0.2' });
  // All addresses of one family only.
  await a.bound(5434, '0.0.0.0');
  expect(await a.route('::1', 5434)).toEqual({ error: 'denied' });
  expect(await a.route('127.0.0.1', 5434)).toEqual(
    process.platform === 'linux' ? { address: '127.0.0.1', port: 5434, source: '0.0.0.0' } : { error: 'denied' },
  );
  // Its own is its own, until it gives it up.
  await a.bound(8080, '127.0.0.1');
  expect(await a.route('127.0.0.1', 8080)).toMatchObject({ address: '127.0.0.1' });
  await a.ask({ ask: 'unlisten', protocol: 'tcp', port: 8080 });
  expect(await a.route('127.0.0.1', 8080)).toEqual({ error: 'denied' });
});

test('network host: no address rule opens the host’s loopback', async () => {
  const a = world.run('a', ['host'], { host: true });
  a.allow = ['0.0.0.0/0', '::/0', '127.0.0.0/8'];
  expect(await a.route('1.1.1.1', 443)).toMatchObject({ address: '1.1.1.1' });
  for (const address of ['127.0.0.1', '::1', '0.0.0.0', '::', '::ffff:127.0.0.1', '127.9.9.9'])
    expect(await a.route(address, 22), address).toEqual({ error: 'denied' });
});

test('what listens on the loopback of a container is not behind its published ports', async () => {
  const a = world.run('a', ['n'], {}, [{ protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 8080, port: 80 }]);
  expect(a.member.spec.published).toEqual({ host: '10.5.0.1', guest: a.address });
  const exec = a.join();
  expect(exec.spec.published).toBeUndefined();
  await exec.ask({ ask: 'listen', protocol: 'tcp', address: '127.0.0.1', port: 80 });
  await exec.ask({ ask: 'listen', protocol: 'tcp', address: a.address, port: 81 });
  expect(await a.route(a.address, 80)).toEqual({ error: 'refused' });
  expect(await a.route(a.address, 81)).toMatchObject({ gate: exec.spec.gate });
});

test('who shared a namespace that is closed has its loopback, and no part in its owner’s next one', async () => {
  const [a, c] = [world.run('a', ['n']), world.run('c', ['n'])];
  await c.listen(80);
  const b = a.join();
  await b.ask({ ask: 'listen', protocol: 'tcp', address: '0.0.0.0', port: 90 });
  const { address } = a;
  const before = await b.ask({ ask: 'route', protocol: 'tcp', address: c.address, port: 80 });
  expect(before).toMatchObject({ gate: c.member.spec.gate, source: address });
  a.restart();
  expect(a.address).not.toBe('');
  await a.listen(80);
  for (const target of [c.address, a.address, '1.1.1.1'])
    expect(await b.ask({ ask: 'route', protocol: 'tcp', address: target, port: 80 }), target).toEqual({
      error: 'unreachable',
    });
  expect(await b.ask({ ask: 'lookup', name: 'host-c', family: 0 })).toEqual({ error: 'noName' });
  expect(await b.ask({ ask: 'listen', protocol: 'tcp', address: a.address, port: 91 })).toEqual({
    error: 'notAvailable',
  });
  expect(await b.ask({ ask: 'route', protocol: 'tcp', address: '127.0.0.1', port: 90 })).toMatchObject({
    gate: b.spec.gate,
  });
  expect(await c.route(a.address, 90)).toEqual({ error: 'refused' });
});
