import { expect, it } from 'vitest';
import { dockerHostOf, socketPathOf } from './docker-host.ts';

it.each([
  ['/run/user/0/d.sock', 'unix:///run/user/0/d.sock'],
  ['\\\\.\\pipe\\drydock', 'npipe:////./pipe/drydock'],
])('%s and %s are the same place', (socketPath, dockerHost) => {
  expect(dockerHostOf(socketPath)).toBe(dockerHost);
  expect(socketPathOf(dockerHost)).toBe(socketPath);
});

it.each(['unix://relative', 'tcp://127.0.0.1:2375', '/run/d.sock', ''])('%j is no local socket', (host) => {
  expect(socketPathOf(host)).toBeUndefined();
});
