import { beforeEach, expect, test } from 'vitest';
import { TestWorld } from './testing.ts';

let world: TestWorld;
beforeEach(async () => {
  world = new TestWorld();
  await world.networks.create({ name: 'n', subnet: '10.5.0.0/24' });
  await world.networks.create({ name: 'm', subnet: '10.6.0.0/24' });
  await world.networks.create({ name: 'inner', subnet: '10.7.0.0/24', internal: true });
});
const is = (...addresses: string[]) => ({ addresses });
const noName = { error: 'noName' };

test('itself', async () => {
  const a = world.run('a', ['n'], { hostname: 'Shop', domainname: 'local.test' });
  expect(await a.lookup('localhost')).toEqual(is('127.0.0.1', '::1'));
  expect(await a.lookup('x.localhost', 6)).toEqual(is('::1'));
  expect(await a.lookup('shop.')).toEqual(is('10.5.0.2'));
  expect(await a.lookup('shop.local.test', 4)).toEqual(is('10.5.0.2'));
  expect(await world.run('0', ['none']).lookup('host-0')).toEqual(is('127.0.0.1', '::1'));
});

test('peers by name, alias, short id, host name, and with the network’s name behind; other networks’ are not known', async () => {
  const id = 'b'.repeat(64);
  world.run(id, ['n:web,API'], { hostname: 'bee' });
  const [a, other] = [world.run('a', ['n']), world.run('c', ['m'])];
  for (const name of [`name-${id}`, 'web', 'api', 'b'.repeat(12), 'bee', 'Web.N', 'web.'])
    expect(await a.lookup(name), name).toEqual(is('10.5.0.2'));
  expect(await a.lookup('web', 6)).toEqual(is());
  expect(await other.lookup('web')).toEqual(noName);
  expect(await other.lookup('web.n')).toEqual(noName);
  expect(world.asked).toEqual(['web', 'web.n']);
});

test('the default bridge knows no names, as in Docker', async () => {
  world.run('b', ['bridge:web']);
  expect(await world.run('a', ['bridge']).lookup('web')).toEqual(noName);
});

test('one alias of several: all of them, a different one first each time', async () => {
  for (const id of ['x', 'y', 'z']) world.run(id, ['n:db']);
  const a = world.run('a', ['n']);
  const first: unknown[] = [];
  for (let n = 0; n < 3; n++) {
    const answer = await a.lookup('db');
    if (!('addresses' in answer)) throw new Error('no addresses');
    expect([...answer.addresses].sort()).toEqual(['10.5.0.2', '10.5.0.3', '10.5.0.4']);
    first.push(answer.addresses[0]);
  }
  expect(new Set(first).size).toBe(3);
});

test('--add-host comes before everything else', async () => {
  world.run('b', ['n:db']);
  const a = world.run('a', ['n'], {
    extraHosts: ['db:10.9.9.9', 'six=[2001:db8::1]', 'six:2001:db8::2', 'me:host-gateway', 'broken'],
  });
  expect(await a.lookup('db')).toEqual(is('10.9.9.9'));
  expect(await a.lookup('six', 6)).toEqual(is('2001:db8::1', '2001:db8::2'));
  expect(await a.lookup('me')).toEqual(is('10.5.0.1'));
  a.allow = ['me:80'];
  expect(await a.route('10.5.0.1', 80)).toMatchObject({ address: '127.0.0.1' });
  a.allow = ['db'];
  expect(await a.route('10.9.9.9', 80)).toMatchObject({ address: '10.9.9.9' });
});

test('the host: by its names, unless the rules or the network keep it away', async () => {
  const a = world.run('a', ['n']);
  expect(await a.lookup('host.docker.internal')).toEqual(is('10.5.0.1'));
  expect(await a.lookup('gateway.docker.internal', 4)).toEqual(is('10.5.0.1'));
  expect(await world.run('h', ['host'], { host: true }).lookup('host.docker.internal')).toEqual(is('127.0.0.1'));
  expect(await world.run('i', ['inner']).lookup('host.docker.internal')).toEqual(noName);
  a.allow = 'none';
  expect(await a.lookup('host.docker.internal')).toEqual({ error: 'denied' });
  expect(a.refused).toEqual([{ host: 'host.docker.internal', address: '', port: 0, protocol: 'dns' }]);
  expect(world.asked).toEqual([]);
});

test('the world: only from where a network leads out, and only what the rules let be of use', async () => {
  world.dns['a.example'] = ['1.2.3.4', '2001:db8::5', 'nonsense'];
  const a = world.run('a', ['n']);
  expect(await a.lookup('A.example')).toEqual(is('1.2.3.4', '2001:db8::5'));
  expect(await a.lookup('b.example')).toEqual(noName);
  expect(await world.run('i', ['inner']).lookup('a.example')).toEqual(noName);
  expect(await world.run('0', ['none']).lookup('a.example')).toEqual(noName);
  a.allow = ['a.example'];
  expect(await a.lookup('secret-words.evil.example')).toEqual({ error: 'denied' });
  expect(world.asked).toEqual(['a.example', 'b.example']);
  expect(a.refused).toEqual([{ host: 'secret-words.evil.example', address: '', port: 0, protocol: 'dns' }]);
});

test('numbers, and what is no name', async () => {
  const a = world.run('a', ['n']);
  expect(await a.lookup('::ffff:1.2.3.4')).toEqual(is('1.2.3.4'));
  for (const name of ['', 'a b', 'x'.repeat(300), 'a\0b', '-f'] as const) expect(await a.lookup(name)).toEqual(noName);
  expect(world.asked).toEqual([]);
});
