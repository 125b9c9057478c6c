import { expect, test } from 'vitest';
import { portsShown } from './ports.ts';
import { sampleRow } from './sample-rows.ts';

const port = (hostIp: string, hostPort: number, protocol = 'tcp') => ({ hostIp, hostPort, port: 80, protocol });

test('where a browser goes', () => {
  const row = sampleRow({
    id: 'a',
    ports: [
      port('', 8080),
      port('0.0.0.0', 8081),
      port('::', 8082),
      port('127.0.0.1', 8083),
      port('::1', 8084),
      port('192.0.2.7', 8085),
      port('', 8080, 'udp'),
      port('', 0),
    ],
  });
  expect(portsShown(row).map(({ text, url }) => `${text} ${url ?? '-'}`)).toEqual([
    'localhost:8080 http://127.0.0.1:8080',
    'localhost:8081 http://127.0.0.1:8081',
    'localhost:8082 http://[::1]:8082',
    '127.0.0.1:8083 http://127.0.0.1:8083',
    '[::1]:8084 http://[::1]:8084',
    '192.0.2.7:8085 http://192.0.2.7:8085',
    'localhost:8080 -',
  ]);
  expect(new Set(portsShown(row).map(({ key }) => key)).size).toBe(7);
});

test('a container that does not run leads nowhere', () => {
  expect(portsShown(sampleRow({ id: 'a', state: 'exited', ports: [port('', 8080)] }))[0]?.url).toBeUndefined();
});
