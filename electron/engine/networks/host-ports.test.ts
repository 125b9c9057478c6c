import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { HostPorts, type PortRequest, type Probe } from './host-ports.ts';

const request = (change: Partial<PortRequest> = {}): PortRequest => ({
  protocol: 'tcp',
  port: 80,
  hostIp: '127.0.0.1',
  first: 0,
  last: 0,
  ...change,
});
/** A host on which strangers have these ports, and whose next free ones are 40001, 40002, … */
function host(...taken: number[]): Probe {
  let next = 40000;
  return (_protocol, _ip, port) => Promise.resolve(port === 0 ? ++next : taken.includes(port) ? undefined : port);
}
const shown = ({ ports }: { readonly ports: readonly { hostIp: string; hostPort: number }[] }): string =>
  ports.map(({ hostIp, hostPort }) => `${hostIp} ${hostPort}`).join(', ');

test('no address is both of them, with one number', async () => {
  const ports = new HostPorts(host(40001));
  expect(shown(await ports.book('a', [request({ hostIp: '', first: 8080, last: 8080 })]))).toBe(
    '0.0.0.0 8080, :: 8080',
  );
  const chosen = await ports.book('b', [request({ hostIp: '' })]);
  const [v4, v6] = chosen.ports;
  expect(v4?.hostPort).toBe(v6?.hostPort);
  expect(v4?.hostPort).not.toBe(40001);
  expect(chosen.chosen).toBe(true);
});

test('a host without IPv6 has one', async () => {
  const ports = new HostPorts((_protocol, ip, port) => Promise.resolve(ip === '::' ? undefined : port || 1));
  expect(shown(await ports.book('a', [request({ hostIp: '', first: 8080, last: 8080 })]))).toBe('0.0.0.0 8080');
});

test('a port is one container’s, on overlapping addresses of one protocol, until it is freed', async () => {
  const ports = new HostPorts(host());
  const fixed = (hostIp: string, more: Partial<PortRequest> = {}) =>
    request({ hostIp, first: 8080, last: 8080, ...more });
  await ports.book('a'.repeat(64), [fixed('0.0.0.0')]);
  await expect(ports.book('b', [fixed('127.0.0.1')])).rejects.toMatchObject({
    kind: 'conflict',
    message: 'Bind for 127.0.0.1:8080 failed: port is already allocated',
    hint: 'Container aaaaaaaaaaaa has it: stop that one, or publish another port.',
  });
  await ports.book('c', [fixed('127.0.0.1', { protocol: 'udp' }), fixed('::1')]);
  await expect(ports.book('d', [request({ first: 1, last: 1 }), fixed('0.0.0.0')])).rejects.toThrow(
    'Bind for 0.0.0.0:8080',
  );
  await ports.book('e', [request({ first: 1, last: 1 })]); // d got none
  ports.free('a'.repeat(64));
  await ports.book('b', [fixed('127.0.0.1')]);
  await ports.book('f', [fixed('127.0.0.2')]);
  await expect(ports.book('g', [fixed('127.0.0.3'), fixed('127.0.0.3')])).rejects.toMatchObject({
    hint: 'The container asks for this port twice.',
  });
});

test('the first free of a range: neither ours nor a stranger’s', async () => {
  const ports = new HostPorts(host(8001));
  const range = request({ first: 8000, last: 8002 });
  expect(shown(await ports.book('a', [range]))).toBe('127.0.0.1 8000');
  expect(shown(await ports.book('b', [range]))).toBe('127.0.0.1 8002');
  await expect(ports.book('c', [range])).rejects.toThrow('Bind for 127.0.0.1:8000-8002 failed');
  ports.free('a');
  expect(shown(await ports.book('c', [range]))).toBe('127.0.0.1 8000');
});

test('many at once get different ones', async () => {
  const ports = new HostPorts(host());
  const booked = await Promise.all(
    Array.from({ length: 50 }, (_, n) => ports.book(`${n}`, [request({ first: 9000, last: 9049 })])),
  );
  expect(new Set(booked.map(shown)).size).toBe(50);
});

let server: Server | undefined;
afterEach(() => server?.close());

test('the real host is asked', async () => {
  const stranger = (server = createServer());
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  const address = stranger.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const ports = new HostPorts();
  await expect(
    ports.book('a', [request({ first: port, last: port + 0 }), request({ first: port, last: port })]),
  ).rejects.toThrow();
  expect(shown(await ports.book('b', [request({ first: port, last: Math.min(port + 50, 65535) })]))).not.toBe(
    `127.0.0.1 ${port}`,
  );
  for (const protocol of ['tcp', 'udp'] as const) {
    const { ports: free } = await ports.book(protocol, [request({ protocol, hostIp: '' })]);
    expect(free[0]?.hostPort).toBeGreaterThan(1023);
  }
});

test('every port that there is', async () => {
  const ports = new HostPorts(host());
  const all = Array.from({ length: 65_535 }, (_, at) => request({ hostIp: '', first: at + 1, last: at + 1 }));
  expect((await ports.book('a', all)).ports).toHaveLength(2 * 65_535);
  await expect(ports.book('b', [request({ hostIp: '0.0.0.0', first: 8000, last: 9000 })])).rejects.toThrow(
    'Bind for 0.0.0.0:8000-9000 failed: all ports are allocated',
  );
  ports.free('a');
  expect((await ports.book('b', all)).ports).toHaveLength(2 * 65_535);
});
