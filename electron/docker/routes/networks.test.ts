import { expect, test } from 'vitest';
import type { NetworksApi } from '../../engine/api/index.ts';
import { openDoor } from '../testing/client.ts';
import { fakeEngine } from '../testing/fake-engine.ts';

type Created = Parameters<NetworksApi['create']>[0];

test('create: the first pool, and what has no effect', async () => {
  const created: Created[] = [];
  const networks = {
    create: (request: Created) => {
      created.push(request);
      return Promise.resolve({ id: 'n1' });
    },
  };
  await using door = await openDoor(fakeEngine({ networks }));
  const pool = {
    Subnet: '10.5.0.0/24',
    Gateway: '10.5.0.9',
    IPRange: '10.5.0.0/28',
    AuxiliaryAddresses: { a: '10.5.0.3' },
  };
  const answer = await door.ask('POST', '/networks/create', {
    Name: 'front',
    Internal: true,
    EnableIPv6: true,
    IPAM: { Config: [pool, { Subnet: '10.6.0.0/24' }] },
    Labels: { a: 'b' },
  });
  expect(answer.status).toBe(201);
  expect(created).toEqual([
    { name: 'front', internal: true, subnet: '10.5.0.0/24', gateway: '10.5.0.9', labels: { a: 'b' } },
  ]);
  expect(answer.json()).toEqual({
    Id: 'n1',
    Warning:
      '--ipv6 has no effect: containers have IPv4 addresses only; only the first subnet is used; --ip-range has no effect: addresses are given from the whole subnet; --aux-address has no effect',
  });
  const plain = await door.ask('POST', '/networks/create', { Name: 'p_default', CheckDuplicate: true });
  expect(plain.json()).toEqual({ Id: 'n1', Warning: '' });
});

test('connect: aliases and the address of --ip', async () => {
  const asked: unknown[] = [];
  const networks = {
    connect: (...args: unknown[]) => {
      asked.push(args);
      return Promise.resolve();
    },
  };
  await using door = await openDoor(fakeEngine({ networks }));
  for (const EndpointConfig of [null, { Aliases: ['a'], IPAMConfig: { IPv4Address: '10.5.0.7' } }, { IPAMConfig: {} }])
    expect((await door.ask('POST', '/networks/front/connect', { Container: 'web', EndpointConfig })).status).toBe(200);
  expect(asked).toEqual([
    ['front', 'web', [], {}],
    ['front', 'web', ['a'], { ipv4Address: '10.5.0.7' }],
    ['front', 'web', [], {}],
  ]);
});
