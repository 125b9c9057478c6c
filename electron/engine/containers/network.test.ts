import { beforeEach, expect, test } from 'vitest';
import { DrydockError } from '../../base/errors.ts';
import type { NetAnswer, NetAsk, PublishedPort } from '../../supervisor/protocol.ts';
import { HostPorts } from '../networks/host-ports.ts';
import { HostResolver } from '../networks/host-resolver.ts';
import { openTestEngine, settle, type PlayedRun, type TestEngine } from './testing.ts';

let t: TestEngine;
/** Ports of the host that strangers have. */
let strangers: Set<number>;
let nextFree: number;
beforeEach(async () => {
  strangers = new Set();
  nextFree = 40000;
  t = await openTestEngine(undefined, {
    resolver: new HostResolver((_name, _family, done) => done(null, ['9.9.9.9'])),
    ports: new HostPorts((_protocol, _ip, port) =>
      Promise.resolve(port === 0 ? ++nextFree : strangers.has(port) ? undefined : port),
    ),
  });
});

const { containers, networks } = { containers: () => t.engine.containers, networks: () => t.engine.networks };
async function run(name: string, spec: Partial<Parameters<TestEngine['engine']['containers']['create']>[0]> = {}) {
  await containers().create({ image: 'app', name, ...spec });
  await containers().start(name);
  return t.supervisor.last;
}
const listen = (run: PlayedRun, port: number): Promise<NetAnswer> =>
  run.ask({ ask: 'listen', protocol: 'tcp', address: '0.0.0.0', port });
const route = (run: PlayedRun, address: string, port: number): Promise<NetAnswer> =>
  run.ask({ ask: 'route', protocol: 'tcp', address, port });
const lookup = (run: PlayedRun, name: string): Promise<NetAnswer> => run.ask({ ask: 'lookup', name, family: 4 });
const gate = (run: PlayedRun): string => run.request.spec.net?.gate ?? '';
const address = (name: string): string => containers().get(name).networks[0]?.ipAddress ?? '';
const shown = (ports: readonly PublishedPort[]): string =>
  ports.map((port) => `${port.hostIp}:${port.hostPort}->${port.port}/${port.protocol}`).join(' ');

test('a container finds another by name and reaches what listens there, until it stops', async () => {
  await networks().create({ name: 'n' });
  const web = await run('web', { networkMode: 'n', networks: { n: { aliases: ['www'] } } });
  const client = await run('client', { networkMode: 'n' });
  const stranger = await run('stranger');
  await listen(web, 80);
  expect(await lookup(client, 'www')).toEqual({ addresses: [address('web')] });
  expect(await route(client, address('web'), 80)).toEqual({ gate: gate(web), port: 80, source: address('client') });
  expect(await route(stranger, address('web'), 80)).toEqual({ error: 'unreachable' });
  await containers().rename('web', 'shop');
  expect(await lookup(client, 'shop')).toEqual({ addresses: [address('shop')] });
  const before = address('shop');
  await containers().stop('shop');
  expect(await route(client, before, 80)).toEqual({ error: 'unreachable' });
  expect(await route(web, '127.0.0.1', 80)).toEqual({ error: 'unreachable' });
});

test('connect and disconnect count at once for one that runs', async () => {
  await networks().create({ name: 'n', subnet: '10.5.0.0/24' });
  const web = await run('web', { networkMode: 'n' });
  const client = await run('client');
  await listen(web, 80);
  await networks().connect('n', 'client', ['c'], { ipv4Address: '10.5.0.77' });
  expect(await route(client, address('web'), 80)).toEqual({ gate: gate(web), port: 80, source: '10.5.0.77' });
  expect(await lookup(web, 'c')).toEqual({ addresses: ['10.5.0.77'] });
  expect(containers().get('client').networks).toMatchObject([
    { name: 'bridge' },
    {
      name: 'n',
      ipAddress: '10.5.0.77',
      requestedAddress: '10.5.0.77',
      dnsNames: ['client', 'c', containers().get('client').id.slice(0, 12)],
    },
  ]);
  await networks().disconnect('n', 'client', { force: false });
  expect(await route(client, address('web'), 80)).toEqual({ error: 'unreachable' });
  await containers().stop('client');
  await networks().connect('n', 'client', [], { ipv4Address: '10.5.0.78' });
  await containers().start('client');
  expect(containers().get('client').networks[1]?.ipAddress).toBe('10.5.0.78');
});

test('what a network cannot do is refused in moby’s words', async () => {
  await networks().create({ name: 'n' });
  const create = (spec: object) => containers().create({ image: 'app', ...spec });
  await expect(create({ networks: { bridge: { aliases: ['a'] } } })).rejects.toThrow(
    'network-scoped aliases are only supported for user-defined networks',
  );
  await expect(create({ networks: { default: { aliases: [], ipv4Address: '172.17.0.9' } } })).rejects.toThrow(
    'user specified IP address is supported on user defined networks only',
  );
  for (const [spec, text] of [
    [{ hostname: 'h' }, 'hostname and the network mode'],
    [{ extraHosts: ['a:1.2.3.4'] }, 'custom host-to-IP mapping and the network mode'],
    [{ portBindings: { '80/tcp': [] } }, 'port publishing and the container type network mode'],
    [{ exposedPorts: ['80/tcp'] }, 'port exposing and the container type network mode'],
  ] as const)
    await expect(create({ networkMode: 'container:x', ...spec })).rejects.toThrow(`conflicting options: ${text}`);
  await expect(create({ extraHosts: ['a'] })).rejects.toThrow('bad format for add-host: "a"');
  await expect(create({ extraHosts: ['a:b'] })).rejects.toThrow('invalid IP address in add-host: "b"');
  await expect(create({ portBindings: { '80/sctp': [] } })).rejects.toThrow('port 80/sctp cannot be published');
  await create({ name: 'late', networkMode: 'n', networks: { n: { aliases: [], ipv4Address: '9.9.9.9' } } });
  await expect(containers().start('late')).rejects.toThrow('no configured subnet contains IP address 9.9.9.9');
});

test('network container:X: X’s addresses, loopback and ports; X must run', async () => {
  const web = await run('web', { hostname: 'shop' });
  const { id } = containers().get('web');
  const side = await run('side', { networkMode: 'container:web' });
  expect(containers().get('side').config.networkMode).toBe(`container:${id}`);
  expect(side.request.spec.env).toContain('HOSTNAME=shop');
  expect(await listen(side, 80)).toEqual({ port: 80 });
  expect(await listen(web, 80)).toEqual({ error: 'inUse' });
  expect(await route(web, '127.0.0.1', 80)).toMatchObject({ gate: gate(side) });
  const other = await run('other');
  expect(await route(other, address('web'), 80)).toMatchObject({ gate: gate(side) });
  await expect(networks().connect('bridge', 'side', [])).rejects.toThrow(/sharing network namespace with another/);
  await containers().stop('web');
  expect(await route(side, '127.0.0.1', 80)).toMatchObject({ gate: gate(side) });
  expect(await route(side, '1.1.1.1', 80)).toEqual({ error: 'unreachable' });
  await containers().stop('side');
  await expect(containers().start('side')).rejects.toThrow(
    `cannot join network namespace of a non running container: ${id}`,
  );
  await containers().create({ image: 'app', name: 'lone', networkMode: 'container:gone' });
  await expect(containers().start('lone')).rejects.toThrow('No such container: gone');
  await containers().create({ image: 'app', name: 'self', networkMode: 'container:self' });
  await expect(containers().start('self')).rejects.toThrow('cannot join own network namespace');
});

test('published ports: real numbers while it runs, nothing before and after', async () => {
  const bindings = { '80/tcp': [{ hostIp: '', hostPort: '8080' }], '53/udp': [{ hostIp: '127.0.0.1', hostPort: '' }] };
  await containers().create({
    image: 'app',
    name: 'web',
    portBindings: bindings,
    exposedPorts: ['81/tcp'],
    publishAllPorts: true,
  });
  expect(containers().get('web').ports).toEqual([]);
  await containers().start('web');
  const { net } = t.supervisor.last.request.spec;
  expect(shown(net?.ports ?? [])).toBe(shown(containers().get('web').ports));
  const ports = containers().get('web').ports;
  expect(shown(ports.slice(0, 2))).toBe('0.0.0.0:8080->80/tcp :::8080->80/tcp');
  expect(ports.slice(2).map(({ hostIp, port, protocol }) => `${hostIp} ${port}/${protocol}`)).toEqual([
    '127.0.0.1 53/udp',
    '0.0.0.0 81/tcp',
    ':: 81/tcp',
  ]);
  const listed = (publish: string) =>
    containers().list({ all: false, filters: new Map([['publish', [publish]]]) }).length;
  expect([listed('80'), listed('8080'), listed('8081'), listed(`${ports[2]?.hostPort}/udp`)]).toEqual([1, 1, 0, 1]);
  t.supervisor.last.exit(0);
  await settle();
  expect(containers().get('web').ports).toEqual([]);
  await containers().start('web');
  expect(shown(containers().get('web').ports.slice(0, 2))).toBe('0.0.0.0:8080->80/tcp :::8080->80/tcp');
});

test('what the runner really opened is what is shown', async () => {
  t.supervisor.hold = true;
  await containers().create({
    image: 'app',
    name: 'web',
    portBindings: { '80/tcp': [{ hostIp: '127.0.0.1', hostPort: '' }] },
  });
  const starting = containers().start('web');
  (await t.supervisor.run(1)).begin([45678]);
  await starting;
  expect(shown(containers().get('web').ports)).toBe('127.0.0.1:45678->80/tcp');
});

test('a port that another container has fails the start and changes nothing', async () => {
  const portBindings = { '80/tcp': [{ hostIp: '', hostPort: '8080' }] };
  await run('one', { portBindings });
  await containers().create({ image: 'app', name: 'two', portBindings });
  await expect(containers().start('two')).rejects.toMatchObject({
    kind: 'conflict',
    message: expect.stringMatching(
      /^driver failed programming external connectivity on endpoint two \([0-9a-f]{64}\): Bind for 0\.0\.0\.0:8080 failed: port is already allocated$/,
    ) as string,
    data: { exitCode: 125 },
  });
  expect(containers().get('two')).toMatchObject({ state: 'created', exitCode: 125, ports: [] });
  expect(t.supervisor.runs).toHaveLength(1);
  expect(
    networks()
      .get('bridge')
      .containers.map(({ name }) => name),
  ).toEqual(['one']);
  await containers().stop('one');
  await containers().start('two');
  expect(shown(containers().get('two').ports)).toBe('0.0.0.0:8080->80/tcp :::8080->80/tcp');
});

const taken = (port: number): DrydockError =>
  new DrydockError('conflict', `Bind for 0.0.0.0:${port} failed: port is already allocated`, {
    data: { exitCode: 125 },
  });

test('a port that a stranger has fails the start; of a range, or any, the next one is tried', async () => {
  t.supervisor.hold = true;
  strangers.add(8000);
  await containers().create({
    image: 'app',
    name: 'fixed',
    portBindings: { '80/tcp': [{ hostIp: '', hostPort: '8000' }] },
  });
  const failing = containers().start('fixed');
  (await t.supervisor.run(1)).failWith(taken(8000));
  await expect(failing).rejects.toThrow(
    /^driver failed programming external connectivity on endpoint fixed \([0-9a-f]{64}\): Bind for 0\.0\.0\.0:8000 failed: port is already allocated$/,
  );
  await containers().create({
    image: 'app',
    name: 'range',
    openStdin: true,
    portBindings: { '80/tcp': [{ hostIp: '127.0.0.1', hostPort: '8000-8003' }] },
  });
  const attachment = containers().attach('range', {
    stdin: true,
    stdout: true,
    stderr: true,
    logs: false,
    stream: true,
  });
  await attachment.stdin?.write(Buffer.from('typed'));
  const starting = containers().start('range');
  const first = await t.supervisor.run(2);
  expect(shown(first.request.spec.net?.ports ?? [])).toBe('127.0.0.1:8001->80/tcp');
  strangers.add(8001); // faster than our runner
  first.failWith(taken(8001));
  (await t.supervisor.run(3)).begin();
  await starting;
  expect(shown(containers().get('range').ports)).toBe('127.0.0.1:8002->80/tcp');
  expect(t.supervisor.last.stdin).toEqual(['typed']);
  expect(first.stdin).toEqual([]);
});

test('ports on none and host are discarded, with a warning; a module without sockets is told', async () => {
  const portBindings = { '80/tcp': [{ hostIp: '', hostPort: '8080' }] };
  for (const networkMode of ['none', 'host']) {
    const { id, warnings } = await containers().create({ image: 'app', networkMode, portBindings });
    expect(warnings).toContain(`Published ports are discarded when using ${networkMode} network mode`);
    expect(warnings).toContain(
      'Published ports lead nowhere: /app.wasm imports no sockets, so nothing will listen on them',
    );
    await containers().start(id);
    expect(containers().get(id).ports).toEqual([]);
  }
  expect((await containers().create({ image: 'app' })).warnings).toEqual([]);
});

test('rules come from the label, are set while it runs, and are kept', async () => {
  await expect(containers().create({ image: 'app', labels: { 'drydock.net.allow': 'a b' } })).rejects.toThrow(
    'the label drydock.net.allow: invalid outbound rule "a b"',
  );
  const web = await run('web', { labels: { 'drydock.net.allow': 'good.example:443' } });
  expect(networks().rules('web')).toEqual(['good.example:443']);
  expect(await lookup(web, 'bad.example')).toEqual({ error: 'denied' });
  expect(await lookup(web, 'good.example')).toEqual({ addresses: ['9.9.9.9'] });
  expect(await route(web, '9.9.9.9', 443)).toMatchObject({ address: '9.9.9.9', source: address('web') });
  expect(await route(web, '9.9.9.9', 80)).toEqual({ error: 'denied' });
  expect(await route(web, '9.9.9.9', 80)).toEqual({ error: 'denied' });
  const refusals = t.events.filter(({ action }) => action === 'net_refuse');
  expect(refusals.map(({ attributes: { name, host, port, protocol } }) => ({ name, host, port, protocol }))).toEqual([
    { name: 'web', host: 'bad.example', port: '0', protocol: 'dns' },
    { name: 'web', host: 'good.example', port: '80', protocol: 'tcp' },
  ]);
  expect(networks().refusals('web')).toMatchObject([
    { host: 'bad.example', count: 1 },
    { host: 'good.example', port: 80, count: 2 },
  ]);
  await expect(networks().setRules('web', ['x:99999'])).rejects.toMatchObject({ kind: 'invalid' });
  await networks().setRules('web', 'all');
  expect(await route(web, '9.9.9.9', 80)).toMatchObject({ address: '9.9.9.9' });
  await networks().setRules('web', 'none');
  expect(await route(web, '9.9.9.9', 443)).toEqual({ error: 'denied' });
  await containers().stop('web');
  expect(networks().refusals('web')).toEqual([]);
  await t.engine.close();
  t = await openTestEngine(t.home);
  expect(networks().rules('web')).toBe('none');
  await containers().start('web');
  expect(await route(t.supervisor.last, '9.9.9.9', 443)).toEqual({ error: 'denied' });
});

test('each container of a shared namespace has its own rules', async () => {
  const web = await run('web');
  const side = await run('side', { networkMode: 'container:web', labels: { 'drydock.net.allow': 'none' } });
  expect(await route(web, '1.1.1.1', 1)).toMatchObject({ address: '1.1.1.1' });
  expect(await route(side, '1.1.1.1', 1)).toEqual({ error: 'denied' });
  expect(networks().refusals('web')).toEqual([]);
  expect(networks().refusals('side')).toMatchObject([{ host: '1.1.1.1', port: 1 }]);
});

test('compose: a network that was removed and made again is joined by its name', async () => {
  await networks().create({ name: 'p_default' });
  await containers().create({ image: 'app', name: 'web', networkMode: 'p_default' });
  await networks().disconnect('p_default', 'web', { force: false });
  await networks().connect('p_default', 'web', ['web']);
  await networks().remove('p_default');
  const { id } = await networks().create({ name: 'p_default' });
  await containers().start('web');
  expect(containers().get('web').networks).toMatchObject([
    { networkId: id, ipAddress: expect.stringMatching(/^172\./) as string },
  ]);
  await networks().disconnect('p_default', 'web', { force: false });
  expect(containers().get('web').networks).toEqual([]);
});

test('everything is asked in vain once the run is over', async () => {
  const web = await run('web');
  web.exit(0);
  await settle();
  const asks: NetAsk[] = [
    { ask: 'listen', protocol: 'tcp', address: '0.0.0.0', port: 80 },
    { ask: 'lookup', name: 'localhost', family: 0 },
    { ask: 'route', protocol: 'tcp', address: '1.1.1.1', port: 80 },
  ];
  for (const ask of asks) expect(await web.ask(ask)).toEqual({ error: 'unreachable' });
});
