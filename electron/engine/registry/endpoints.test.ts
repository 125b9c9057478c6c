import { expect, test } from 'vitest';
import { endpointsOf, isInsecure, serverKey } from './endpoints.ts';
import { noRegistrySettings } from '../../platform/registry-settings.ts';

test.each([
  ['localhost:5000', true],
  ['127.0.0.1', true],
  ['127.9.9.9:5000', true],
  ['[::1]:5000', true],
  ['128.0.0.1:5000', false],
  ['registry.test:5000', true],
  ['registry.test', false],
  ['plain.test:1', true],
  ['10.1.2.3:5000', true],
  ['11.1.2.3:5000', false],
])('%s is insecure: %s', (host, expected) => {
  expect(isInsecure(host, { insecure: ['registry.test:5000', 'plain.test', '10.0.0.0/8', 'nonsense/99'] })).toBe(
    expected,
  );
});

test('docker.io is registry-1.docker.io, after its mirrors, which nobody writes to', () => {
  const settings = { ...noRegistrySettings, mirrors: ['https://mirror.test/hub/', 'http://127.0.0.1:5000'] };
  expect(
    endpointsOf('docker.io', settings, 'read').map(({ host, scheme, prefix, isMirror, authKey }) => [
      scheme,
      host,
      prefix,
      isMirror,
      authKey,
    ]),
  ).toEqual([
    ['https', 'mirror.test', '/hub', true, 'mirror.test'],
    ['http', '127.0.0.1:5000', '', true, '127.0.0.1:5000'],
    ['https', 'registry-1.docker.io', '', false, 'https://index.docker.io/v1/'],
  ]);
  expect(endpointsOf('docker.io', settings, 'write')).toHaveLength(1);
  expect(endpointsOf('registry.test', settings, 'read')).toHaveLength(1);
});

test.each([
  ['', 'https://index.docker.io/v1/'],
  ['docker.io', 'https://index.docker.io/v1/'],
  ['https://index.docker.io/v1/', 'https://index.docker.io/v1/'],
  ['https://Registry.test:5000/v2/', 'registry.test:5000'],
  ['127.0.0.1:5000', '127.0.0.1:5000'],
])('the key of "%s" is %s', (server, key) => {
  expect(serverKey(server)).toBe(key);
});
