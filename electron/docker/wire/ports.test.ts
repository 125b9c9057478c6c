import { expect, test } from 'vitest';
import type { PublishedPort } from '../../engine/api/index.ts';
import { containerView } from '../testing/fake-engine.ts';
import { Fields } from './fields.ts';
import { parsePort, portMap, portRows, readPortBindings } from './ports.ts';

const read = (PortBindings: unknown) => () => readPortBindings(new Fields({ PortBindings }));

test('ports that are open on the host, then those that are only exposed', () => {
  const open = (hostIp: string, hostPort: number, port: number): PublishedPort => ({
    hostIp,
    hostPort,
    port,
    protocol: 'tcp',
  });
  const view = containerView(
    { ports: [open('0.0.0.0', 8080, 80), open('::', 8080, 80), open('127.0.0.1', 9, 22)] },
    { exposedPorts: ['80/tcp', '53/udp'] },
  );
  expect(portRows(view)).toEqual([
    { IP: '127.0.0.1', PrivatePort: 22, Type: 'tcp', PublicPort: 9 },
    { PrivatePort: 53, Type: 'udp' },
    { IP: '0.0.0.0', PrivatePort: 80, Type: 'tcp', PublicPort: 8080 },
    { IP: '::', PrivatePort: 80, Type: 'tcp', PublicPort: 8080 },
  ]);
  expect(portMap(view)).toEqual({
    '22/tcp': [{ HostIp: '127.0.0.1', HostPort: '9' }],
    '53/udp': null,
    '80/tcp': [
      { HostIp: '0.0.0.0', HostPort: '8080' },
      { HostIp: '::', HostPort: '8080' },
    ],
  });
});

test('a container with every port that there is', () => {
  const ports = Array.from({ length: 65_535 }, (_, at): PublishedPort[] =>
    ['0.0.0.0', '::'].map((hostIp) => ({ hostIp, hostPort: at + 1, port: at + 1, protocol: 'tcp' })),
  ).flat();
  const view = containerView({ ports }, { exposedPorts: ports.map(({ port }) => `${port}/tcp`) });
  expect(portRows(view)).toHaveLength(131_070);
  expect(Object.keys(portMap(view))).toHaveLength(65_535);
});

test('what is no port is refused, and named', () => {
  for (const text of [
    '',
    '0',
    '-1',
    '65536',
    '80.5',
    '1e3',
    '0x50',
    ' 80',
    '80 ',
    '80/',
    '80/icmp',
    '80/tcp/tcp',
    '8-9',
  ])
    expect(() => parsePort(text), text).toThrow(/invalid port specification/);
  expect([parsePort('80'), parsePort('80/UDP'), parsePort('0080/tcp')]).toEqual(['80/tcp', '80/udp', '80/tcp']);
  for (const HostPort of ['-1', '65536', '1-', '-', '9-8', '1-65536', '0-5', '1-2-3', 'http', '80,81', '1e3', ' '])
    expect(read({ '80/tcp': [{ HostPort }] }), HostPort).toThrow(/invalid port specification/);
  for (const HostIp of ['localhost', '127.1', '1.2.3', '[::1]', '1.2.3.4/8', 'fe80::1%lo', '0x7f.0.0.1'])
    expect(read({ '80/tcp': [{ HostIp, HostPort: '80' }] }), HostIp).toThrow(/invalid IP address/);
  for (const bindings of [80, 'x', [], { '80/tcp': 'x' }, { '80/tcp': {} }, { '80/tcp': [80] }, { '80/tcp': [null] }])
    expect(read(bindings), JSON.stringify(bindings)).toThrow(/must be/);
  for (const binding of [{ HostPort: 80 }, { HostPort: {} }, { HostIp: 1 }, { HostIp: ['127.0.0.1'] }])
    expect(read({ '80/tcp': [binding] }), JSON.stringify(binding)).toThrow(/must be a string/);
});

test('the same port in two spellings is both of their bindings', () => {
  const one = { HostIp: '127.0.0.1', HostPort: '1' };
  const two = { HostIp: '127.0.0.1', HostPort: '2' };
  expect(read({ '80': [one], '80/tcp': [two], '080/TCP': null })()).toEqual({
    '80/tcp': [
      { hostIp: '127.0.0.1', hostPort: '1' },
      { hostIp: '127.0.0.1', hostPort: '2' },
    ],
  });
});
