import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { NewEvent } from '../events/events.ts';
import { hostSubnets } from './host-subnets.ts';
import { openNetworks, type Networks } from './networks.ts';
import { AddressPool, formatAddress, formatSubnet, macOf, overlaps, parseAddress, parseSubnet } from './subnets.ts';

let path: string;
let events: NewEvent[];
let networks: Networks;
const open = (): Networks =>
  openNetworks({ path, emit: (event) => void events.push(event), containerName: (id) => `name-${id}` });
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'drydock-networks-')), 'networks.json');
  events = [];
  networks = open();
});
const filters = (values: Record<string, string[]>): Map<string, string[]> => new Map(Object.entries(values));

test('bridge, host and none are there, keep their ids, and stay', async () => {
  const before = networks.list(new Map()).map(({ id, name, driver }) => ({ id, name, driver }));
  expect(before.map(({ name, driver }) => `${name} ${driver}`)).toEqual(['bridge bridge', 'host host', 'none null']);
  networks = open();
  expect(networks.list(new Map()).map(({ id, name, driver }) => ({ id, name, driver }))).toEqual(before);
  await expect(networks.remove('bridge')).rejects.toMatchObject({
    kind: 'denied',
    message: 'bridge is a pre-defined network and cannot be removed',
  });
});

test('a user-defined network has a subnet of its own, is found by name, id and prefix, and survives a reopen', async () => {
  const { id } = await networks.create({ name: 'n1', labels: { a: 'b' } });
  await networks.create({ name: 'n2' });
  expect(networks.get('n1')).toMatchObject({ id, subnet: '172.18.0.0/16', gateway: '172.18.0.1', labels: { a: 'b' } });
  expect(networks.get('n2').subnet).toBe('172.19.0.0/16');
  expect(networks.get(id.slice(0, 10)).name).toBe('n1');
  await expect(networks.create({ name: 'n1' })).rejects.toMatchObject({
    kind: 'conflict',
    message: 'network with name n1 already exists',
  });
  networks = open();
  expect(networks.get(id).name).toBe('n1');
  await networks.remove('n1');
  expect(() => networks.get('n1')).toThrow('network n1 not found');
  expect(events.map(({ action, attributes }) => `${action} ${attributes.name}`)).toEqual([
    'create n1',
    'create n2',
    'destroy n1',
  ]);
});

test('a subnet is none that the host is on, unless it is asked for', async () => {
  const interfaces = (...cidrs: string[]) => ({
    eth0: cidrs.map((cidr) => ({ address: '', netmask: '', mac: '', internal: false, family: 'IPv4' as const, cidr })),
  });
  const subnets = hostSubnets(() => interfaces('172.18.5.6/20', '10.8.0.2/32'));
  expect(subnets.map(formatSubnet)).toEqual(['172.18.0.0/20']);
  networks = openNetworks({ path, emit: () => undefined, containerName: () => '', hostSubnets: () => subnets });
  await networks.create({ name: 'a' });
  await networks.create({ name: 'b', subnet: '172.18.0.0/16' });
  expect(networks.get('a').subnet).toBe('172.19.0.0/16');
});

test('members get addresses, are shown, and keep the network from being removed', async () => {
  const { id } = await networks.create({ name: 'n', subnet: '10.1.2.3/30' });
  const endpoint = networks.join('n', { containerId: 'c1', aliases: ['db'] });
  expect(endpoint).toEqual({
    networkId: id,
    name: 'n',
    aliases: ['db'],
    ipAddress: '10.1.2.2',
    gateway: '10.1.2.1',
    prefixLength: 30,
    macAddress: '02:42:0a:01:02:02',
    endpointId: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
  });
  expect(networks.join('n', { containerId: 'c1', aliases: [] })).toBe(endpoint);
  const { endpointId } = endpoint;
  expect(networks.get('n').containers).toEqual([
    { id: 'c1', name: 'name-c1', ipAddress: '10.1.2.2', macAddress: '02:42:0a:01:02:02', endpointId },
  ]);
  expect(() => networks.join('n', { containerId: 'c2', aliases: [] })).toThrow('no available IPv4 addresses');
  await expect(networks.remove('n')).rejects.toThrow('has active endpoints (name:"name-c1" id:"c1")');
  networks.leave(id, 'c1');
  networks.leave(id, 'c1');
  expect(networks.join('n', { containerId: 'c2', aliases: [] }).ipAddress).toBe('10.1.2.2');
});

test('an address that was asked for', async () => {
  const { id } = await networks.create({ name: 'n', subnet: '10.1.2.0/29' });
  const join = (containerId: string, ipv4Address?: string) =>
    networks.join('n', { containerId, aliases: [], ...(ipv4Address ? { ipv4Address } : {}) }).ipAddress;
  expect(join('c1', '10.1.2.2')).toBe('10.1.2.2');
  expect(join('c2')).toBe('10.1.2.3');
  expect(() => join('c3', '10.1.2.2')).toThrow('Address already in use: 10.1.2.2 on network n');
  for (const taken of ['10.1.2.0', '10.1.2.1', '10.1.2.7']) expect(() => join('c3', taken)).toThrow('already in use');
  expect(() => join('c3', '10.9.9.9')).toThrow('no configured subnet contains IP address 10.9.9.9');
  expect(() => join('c3', 'x')).toThrow('invalid IPv4 address: x');
  expect(() => networks.join('bridge', { containerId: 'c3', aliases: [], ipv4Address: '172.17.0.9' })).toThrow(
    'user specified IP address is supported on user defined networks only',
  );
  networks.leave(id, 'c1');
  expect(join('c3', '10.1.2.2')).toBe('10.1.2.2');
});

test('requests that make no sense are refused', async () => {
  await expect(networks.create({ name: 'a b' })).rejects.toMatchObject({ kind: 'invalid' });
  await expect(networks.create({ name: 'x', driver: 'overlay' })).rejects.toMatchObject({ kind: 'unsupported' });
  await expect(networks.create({ name: 'x', driver: 'host' })).rejects.toMatchObject({ kind: 'denied' });
  await expect(networks.create({ name: 'x', subnet: '172.17.9.0/24' })).rejects.toThrow('Pool overlaps');
  await expect(networks.create({ name: 'x', subnet: 'fd00::/64' })).rejects.toMatchObject({ kind: 'invalid' });
  await expect(networks.create({ name: 'x', subnet: '10.0.0.0/24', gateway: '10.0.1.1' })).rejects.toThrow('gateway');
});

test('list filters and prune', async () => {
  await networks.create({ name: 'app-front', labels: { a: '1' } });
  await networks.create({ name: 'app-back' });
  networks.join('app-back', { containerId: 'c', aliases: [] });
  const names = (values: Record<string, string[]>): string[] => networks.list(filters(values)).map(({ name }) => name);
  expect(names({ name: ['app'] })).toEqual(['app-front', 'app-back']);
  expect(names({ label: ['a=1'] })).toEqual(['app-front']);
  expect(names({ type: ['builtin'], driver: ['host'] })).toEqual(['host']);
  expect(names({ dangling: ['true'] })).toEqual(['app-front']);
  expect(() => names({ type: ['x'] })).toThrow("'type'='x'");
  expect(await networks.prune(new Map())).toEqual({ deleted: ['app-front'], reclaimed: 0 });
});

test('a damaged file stops the open instead of being written over', () => {
  writeFileSync(path, '{"networks":[{}');
  expect(open).toThrow('cannot be read as a list of networks');
  expect(readFileSync(path, 'utf8')).toBe('{"networks":[{}');
});

test('address arithmetic', () => {
  expect(parseAddress('255.255.255.255')).toBe(2 ** 32 - 1);
  expect(parseAddress('1.2.3.256')).toBeUndefined();
  expect(formatAddress(parseAddress('192.168.7.9') ?? 0)).toBe('192.168.7.9');
  expect(overlaps(parseSubnet('10.0.0.0/8'), parseSubnet('10.9.0.0/16'))).toBe(true);
  expect(overlaps(parseSubnet('10.0.0.0/16'), parseSubnet('10.1.0.0/16'))).toBe(false);
  expect(macOf(parseAddress('172.17.0.2') ?? 0)).toBe('02:42:ac:11:00:02');
  const pool = new AddressPool(parseSubnet('10.0.0.0/29'), (parseAddress('10.0.0.0') ?? 0) + 1);
  const taken = Array.from({ length: 5 }, () => pool.take());
  expect(new Set(taken).size).toBe(5);
  expect(pool.take()).toBeUndefined();
});
