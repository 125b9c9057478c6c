import { expect, test } from 'vitest';
import { containerView, imageView } from '../testing/fake-engine.ts';
import { containerInspectJson, containerRowJson } from './container.ts';
import { eventLine } from './event.ts';
import { imageInspectJson, imageRowJson } from './image.ts';
import { networkJson } from './network.ts';
import { statsJson } from './stats.ts';
import { duration, statusText } from './status-text.ts';

const minute = 60_000;
const hour = 60 * minute;

test.each([
  [0, 'Less than a second'],
  [1999, '1 second'],
  [59_999, '59 seconds'],
  [minute, 'About a minute'],
  [2 * minute, '2 minutes'],
  [59 * minute, '59 minutes'],
  [hour, 'About an hour'],
  [hour + 31 * minute, '2 hours'],
  [47 * hour, '47 hours'],
  [48 * hour, '2 days'],
  [14 * 24 * hour, '2 weeks'],
  [60 * 24 * hour, '2 months'],
  [800 * 24 * hour, '2 years'],
  [-5, 'Less than a second'],
])('%d ms are "%s"', (span, text) => expect(duration(span)).toBe(text));

test('status texts', () => {
  const now = Date.parse('2026-01-01T00:00:05Z');
  const at = { startedAt: '2026-01-01T00:00:03.000000001Z', finishedAt: '2026-01-01T00:00:02Z', exitCode: 7 };
  const text = (state: Parameters<typeof containerView>[0]) => statusText(containerView({ ...at, ...state }), now);
  expect(text({ state: 'running' })).toBe('Up 2 seconds');
  expect(text({ state: 'paused' })).toBe('Up 2 seconds (Paused)');
  const health = (status: 'starting' | 'healthy' | 'unhealthy') => ({ health: { status, failingStreak: 0, log: [] } });
  expect(text({ state: 'running', ...health('starting') })).toBe('Up 2 seconds (health: starting)');
  expect(text({ state: 'running', ...health('healthy') })).toBe('Up 2 seconds (healthy)');
  expect(text({ state: 'running', ...health('unhealthy') })).toBe('Up 2 seconds (unhealthy)');
  expect(text({ state: 'exited', ...health('unhealthy') })).toBe('Exited (7) 3 seconds ago');
  expect(text({ state: 'exited' })).toBe('Exited (7) 3 seconds ago');
  expect(text({ state: 'restarting' })).toBe('Restarting (7) 3 seconds ago');
  expect(text({ state: 'created' })).toBe('Created');
  expect(text({ state: 'removing' })).toBe('Removal In Progress');
  expect(text({ state: 'dead' })).toBe('Dead');
});

test('health in inspect: as moby, and absent without a check', () => {
  expect(containerInspectJson(containerView())['State']).not.toHaveProperty('Health');
  const log = [{ start: 'a', end: 'b', exitCode: 1, output: 'no\n' }];
  const view = containerView({ health: { status: 'unhealthy', failingStreak: 3, log } });
  expect(containerInspectJson(view)['State']).toMatchObject({
    Health: { Status: 'unhealthy', FailingStreak: 3, Log: [{ Start: 'a', End: 'b', ExitCode: 1, Output: 'no\n' }] },
  });
});

test('ports: what is open, then what is only exposed; nothing of a container that does not run', () => {
  const ports = [
    { hostIp: '0.0.0.0', hostPort: 8080, port: 80, protocol: 'tcp' },
    { hostIp: '::', hostPort: 8080, port: 80, protocol: 'tcp' },
    { hostIp: '127.0.0.1', hostPort: 5353, port: 53, protocol: 'udp' },
  ] as const;
  const config = { exposedPorts: ['80/tcp', '9/tcp'], portBindings: { '80/tcp': [{ hostIp: '', hostPort: '8080' }] } };
  const view = containerView({ ports }, config);
  expect(containerRowJson(view, { image: 't' })['Ports']).toEqual([
    { PrivatePort: 9, Type: 'tcp' },
    { IP: '127.0.0.1', PrivatePort: 53, PublicPort: 5353, Type: 'udp' },
    { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
    { IP: '::', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
  ]);
  expect(containerInspectJson(view)['NetworkSettings']).toMatchObject({
    Ports: {
      '9/tcp': null,
      '53/udp': [{ HostIp: '127.0.0.1', HostPort: '5353' }],
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '8080' },
        { HostIp: '::', HostPort: '8080' },
      ],
    },
  });
  const stopped = containerView({ state: 'exited' }, config);
  expect(containerRowJson(stopped, { image: 't' })['Ports']).toEqual([]);
  expect(containerInspectJson(stopped)['NetworkSettings']).toMatchObject({ Ports: {} });
});

test('endpoints, as inspect of a container and of a network show them', () => {
  const endpoint = {
    networkId: 'n1',
    name: 'front',
    aliases: ['web'],
    ipAddress: '10.5.0.9',
    gateway: '10.5.0.1',
    prefixLength: 24,
    macAddress: '02:42:0a:05:00:09',
    endpointId: 'e1',
    dnsNames: ['tk', 'web'],
    requestedAddress: '10.5.0.9',
  };
  const view = containerView({ networks: [endpoint, { ...endpoint, name: 'bridge', aliases: [] }] });
  expect(containerInspectJson(view)['NetworkSettings']).toMatchObject({
    Networks: {
      front: {
        IPAMConfig: { IPv4Address: '10.5.0.9' },
        Aliases: ['web'],
        NetworkID: 'n1',
        EndpointID: 'e1',
        Gateway: '10.5.0.1',
        IPAddress: '10.5.0.9',
        IPPrefixLen: 24,
        DNSNames: ['tk', 'web'],
      },
      bridge: { Aliases: null },
    },
    IPAddress: '10.5.0.9',
    Gateway: '10.5.0.1',
  });
  const network = networkJson({
    id: 'n1',
    name: 'front',
    created: '',
    driver: 'bridge',
    internal: true,
    attachable: false,
    labels: {},
    options: {},
    subnet: '10.5.0.0/24',
    gateway: '10.5.0.1',
    containers: [{ id: 'c', name: 'tk', ipAddress: '10.5.0.9', macAddress: 'm', endpointId: 'e1' }],
  });
  expect(network).toMatchObject({
    Internal: true,
    IPAM: { Config: [{ Subnet: '10.5.0.0/24', Gateway: '10.5.0.1' }] },
    Containers: { c: { Name: 'tk', EndpointID: 'e1', MacAddress: 'm', IPv4Address: '10.5.0.9/24', IPv6Address: '' } },
  });
});

test('inspect of a container', () => {
  const view = containerView(
    { state: 'paused', mounts: [{ type: 'volume', name: 'v', source: '/h', target: '/data', readOnly: true }] },
    {
      hostConfig: { Memory: 1, CapAdd: null, Isolation: 'default', Extra: 'kept' },
      memory: 64,
      portBindings: { '80/tcp': [{ hostIp: '', hostPort: '18080' }] },
      exposedPorts: ['80/tcp'],
    },
  );
  const json = containerInspectJson(view, { size: { rw: 1, root: 2 } });
  expect(json).toMatchObject({
    Id: view.id,
    Name: '/tk',
    Path: '/t.wasm',
    Args: ['tick', '200'],
    Image: view.imageId,
    State: { Status: 'paused', Running: true, Paused: true, Restarting: false },
    HostConfig: {
      Memory: 64,
      Extra: 'kept',
      CapAdd: null,
      PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '18080' }] },
      RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
      LogConfig: { Type: 'json-file', Config: {} },
    },
    Config: {
      Image: 't',
      Labels: { role: 'a' },
      Entrypoint: ['/t.wasm'],
      ExposedPorts: { '80/tcp': {} },
      Volumes: null,
    },
    Mounts: [{ Type: 'volume', Name: 'v', Source: '/h', Destination: '/data', Driver: 'local', Mode: 'ro', RW: false }],
    NetworkSettings: { Ports: { '80/tcp': null }, Networks: {} },
    SizeRw: 1,
    SizeRootFs: 2,
  });
});

test('a row of ps', () => {
  expect(containerRowJson(containerView(), { image: 't' })).toMatchObject({
    Names: ['/tk'],
    Image: 't',
    Command: '/t.wasm tick 200',
    Created: 1767225600,
    State: 'running',
    HostConfig: { NetworkMode: 'default' },
  });
});

test('images without a name look as the client of that version expects', () => {
  const nameless = imageView({ repoTags: [] });
  expect(imageRowJson(nameless, '1.42')).toMatchObject({ RepoTags: ['<none>:<none>'], VirtualSize: 1234 });
  expect(imageRowJson(nameless, '1.50')).toMatchObject({ RepoTags: [] });
  expect(imageRowJson(nameless, '1.50')).not.toHaveProperty('VirtualSize');
  expect(imageInspectJson(imageView())).toMatchObject({
    Config: { Entrypoint: ['/t.wasm'], Cmd: null, Labels: null },
    RootFS: { Type: 'layers' },
    Metadata: { LastTagTime: '0001-01-01T00:00:00Z' },
  });
});

test('events keep all digits of their time', () => {
  const line = eventLine({
    type: 'container',
    action: 'die',
    actorId: 'abc',
    attributes: { image: 't', exitCode: '4' },
    timeNano: 1_767_225_600_123_456_789n,
  });
  expect(line).toMatch(/,"timeNano":1767225600123456789\}\n$/);
  expect(JSON.parse(line)).toMatchObject({
    status: 'die',
    id: 'abc',
    from: 't',
    Type: 'container',
    Action: 'die',
    Actor: { ID: 'abc', Attributes: { exitCode: '4' } },
    scope: 'local',
    time: 1767225600,
  });
  const volume = eventLine({ type: 'volume', action: 'create', actorId: 'v', attributes: {}, timeNano: 1n });
  expect(JSON.parse(volume)).not.toHaveProperty('status');
});

test('stats: the previous reading, and zeros when nothing runs', () => {
  const sample = {
    read: '2026-01-01T00:00:01.000000000Z',
    cpuUser: 30,
    cpuSystem: 12,
    systemCpu: 1000,
    onlineCpus: 2,
    memory: 5,
    memoryPeak: 6,
    memoryLimit: 7,
    threads: 1,
    readBytes: 8,
    writtenBytes: 9,
    receivedBytes: 10,
    sentBytes: 11,
  };
  expect(
    statsJson({ id: 'i', name: 'n', running: true, current: sample, previous: { ...sample, cpuUser: 10 } }),
  ).toMatchObject({
    name: '/n',
    cpu_stats: { cpu_usage: { total_usage: 42 }, system_cpu_usage: 1000, online_cpus: 2 },
    precpu_stats: { cpu_usage: { total_usage: 22 } },
    memory_stats: { usage: 5, limit: 7 },
    pids_stats: { current: 1 },
  });
  const idle = statsJson({ id: 'i', name: 'n', running: false, current: sample, previous: undefined });
  expect(idle).toMatchObject({
    read: '0001-01-01T00:00:00Z',
    cpu_stats: { cpu_usage: { total_usage: 0 } },
    memory_stats: {},
  });
});
