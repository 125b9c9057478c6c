import { expect, test } from 'vitest';
import { readCreate } from './create.ts';
import { logDetails } from './logging.ts';

const read = (body: Record<string, unknown>, query = {}) => readCreate({ Image: 't', ...body }, query);
const host = (HostConfig: Record<string, unknown>) => read({ HostConfig });

test('null is absent, and absent is left to the image', () => {
  const { spec, warnings } = read({
    Cmd: null,
    Entrypoint: null,
    Env: null,
    Labels: null,
    HostConfig: null,
    Volumes: null,
  });
  expect(spec).toMatchObject({ image: 't', mounts: [], autoRemove: false });
  for (const key of [
    'command',
    'entrypoint',
    'env',
    'labels',
    'volumes',
    'memory',
    'runtime',
    'isolation',
    'restartPolicy',
  ])
    expect(spec).not.toHaveProperty(key);
  expect(warnings).toEqual([]);
});

test('names of fields are read without regard to case, as Go does', () => {
  expect(readCreate({ image: 't', cmd: ['a'], hostconfig: { memory: 65536 } }, {}).spec).toMatchObject({
    image: 't',
    command: ['a'],
    memory: 65536,
  });
});

test('entrypoints: a string, a list, and the empty ones that take it away', () => {
  expect(read({ Entrypoint: '/a.wasm' }).spec.entrypoint).toEqual(['/a.wasm']);
  expect(read({ Entrypoint: ['/a', 'b'] }).spec.entrypoint).toEqual(['/a', 'b']);
  expect(read({ Entrypoint: [''] }).spec.entrypoint).toEqual([]);
  expect(read({ Entrypoint: [] }).spec.entrypoint).toEqual([]);
});

test('the common options', () => {
  const { spec } = readCreate(
    {
      Image: 't',
      Env: ['A=1', 'B'],
      Labels: { a: 'b' },
      WorkingDir: '/x',
      Tty: true,
      OpenStdin: true,
      StdinOnce: true,
      StopTimeout: 4,
      ExposedPorts: { '80': {}, '53/UDP': {} },
      Volumes: { '/anon': {} },
      Healthcheck: { Test: ['CMD', '/h.wasm'], Interval: 5_000_000_000, StartInterval: 2_000_000_000 },
      HostConfig: {
        Memory: 67108864,
        NanoCpus: 1_500_000_000,
        RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
        PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '18080' }], '81/tcp': null },
        NetworkMode: 'net',
        ExtraHosts: ['db:10.1.2.3'],
        VolumesFrom: ['other:ro'],
        ReadonlyRootfs: true,
        Runtime: 'io.containerd.wasmedge.v1',
        Isolation: 'strict',
        ConsoleSize: [24, 80],
        LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
      },
      NetworkingConfig: {
        EndpointsConfig: { net: { Aliases: ['web'], IPAMConfig: { IPv4Address: '10.5.0.9' } }, other: null },
      },
    },
    { name: 'n', platform: 'wasi/wasm' },
  );
  expect(spec).toMatchObject({
    name: 'n',
    platform: 'wasi/wasm',
    env: ['A=1', 'B'],
    exposedPorts: ['80/tcp', '53/udp'],
    volumes: ['/anon'],
    healthcheck: {
      test: ['CMD', '/h.wasm'],
      interval: 5_000_000_000,
      startInterval: 2_000_000_000,
      timeout: 0,
      retries: 0,
    },
    memory: 67108864,
    nanoCpus: 1_500_000_000,
    restartPolicy: { name: 'on-failure', maximumRetryCount: 3 },
    portBindings: { '80/tcp': [{ hostIp: '', hostPort: '18080' }], '81/tcp': [] },
    networkMode: 'net',
    networks: { net: { aliases: ['web'], ipv4Address: '10.5.0.9' }, other: { aliases: [] } },
    extraHosts: ['db:10.1.2.3'],
    volumesFrom: [{ container: 'other', readOnly: true }],
    readOnlyRoot: true,
    runtime: 'io.containerd.wasmedge.v1',
    isolation: 'strict',
    consoleSize: [24, 80],
    logOptions: { 'max-size': '10m', 'max-file': '3' },
    stopTimeout: 4,
  });
  expect(spec.hostConfig).toMatchObject({ Memory: 67108864, Isolation: 'strict' });
});

test('quota and period are CPUs too', () => {
  expect(host({ CpuQuota: 150_000 }).spec.nanoCpus).toBe(1_500_000_000);
  expect(host({ CpuQuota: 50_000, CpuPeriod: 200_000 }).spec.nanoCpus).toBe(250_000_000);
});

test('isolation and runtime "as usual" are not asked for', () => {
  expect(host({ Isolation: 'default', Runtime: '' }).spec).not.toHaveProperty('isolation');
});

test('what has no effect is said, once each', () => {
  const { warnings } = read({
    User: '7:8',
    HostConfig: {
      Privileged: true,
      CapAdd: ['NET_ADMIN'],
      SecurityOpt: ['x'],
      Ulimits: [{ Name: 'nofile' }, { Name: 'nproc', Soft: 5, Hard: 5 }],
      MemorySwap: -1,
      IpcMode: 'private',
      PidsLimit: 5,
      PortBindings: { '80/tcp': [{ HostPort: '80' }] },
    },
  });
  expect(warnings.map((text) => text.split(' has')[0])).toEqual([
    '--privileged',
    '--cap-add',
    '--security-opt',
    '--memory-swap',
    'User',
    '--ulimit nproc',
  ]);
});

test.each<[Record<string, unknown>, RegExp]>([
  [{ Devices: [{ PathOnHost: '/dev/x' }] }, /devices \(--device\) are not available to WebAssembly modules/],
  [{ DeviceRequests: [{ Count: -1 }] }, /--gpus\) are not available to WebAssembly modules/],
  [{ Runtime: 'runc' }, /^unknown or invalid runtime name: runc$/],
  [{ Isolation: 'hyperv' }, /^invalid isolation: "hyperv"$/],
  [{ RestartPolicy: { Name: 'sometimes' } }, /unknown policy 'sometimes'; use one of/],
  [{ RestartPolicy: { Name: 'always', MaximumRetryCount: 2 } }, /only be used with 'on-failure'/],
  [{ RestartPolicy: { Name: 'always' }, AutoRemove: true }, /can't create 'AutoRemove' container with restart policy/],
  [{ PortBindings: { '99999/tcp': [] } }, /^invalid port specification: "99999\/tcp"$/],
  [{ PortBindings: { '80/tcp': [{ HostPort: '80x' }] } }, /^invalid port specification: "80x"$/],
  [{ PortBindings: { '80/tcp': [{ HostPort: '9-8' }] } }, /^invalid port specification: "9-8"$/],
  [{ PortBindings: { '80/tcp': [{ HostIp: '1.2.3' }] } }, /^invalid IP address: "1.2.3"$/],
  [{ LogConfig: { Type: 'syslog' } }, /no log driver named 'syslog'/],
  [{ LogConfig: { Type: 'json-file', Config: { 'max-size': 'big' } } }, /invalid size: 'big'/],
  [{ LogConfig: { Config: { colour: 'red' } } }, /unknown log opt 'colour'/],
  [{ Memory: -1 }, /invalid memory limit/],
  [{ Memory: 'lots' }, /^HostConfig\.Memory must be a whole number, got "lots"$/],
  [{ NanoCpus: 1, CpuQuota: 1 }, /Conflicting options/],
])('HostConfig %j is refused', (config, message) => expect(() => host(config)).toThrow(message));

test.each<[Record<string, unknown>, RegExp]>([
  [{ WorkingDir: 'rel' }, /the working directory 'rel' is invalid, it needs to be an absolute path/],
  [{ Env: ['=x'] }, /^invalid environment variable: =x$/],
  [{ Volumes: { rel: {} } }, /mount path must be absolute/],
  [{ ExposedPorts: { 'http/tcp': {} } }, /invalid port specification: "http\/tcp"/],
  [{ Cmd: [1] }, /^Cmd must be a list of strings, got \[1\]$/],
  [{ Healthcheck: { Interval: 5 } }, /Interval in Healthcheck cannot be less than 1ms/],
])('config %j is refused', (config, message) => expect(() => read(config)).toThrow(message));

test('details of a log line are the named labels and variables', () => {
  expect(logDetails({ labels: 'b,a,none', env: 'FOO' }, { a: '1', b: 'x y' }, ['FOO=bar'])).toBe(
    'FOO=bar,a=1,b=x%20y ',
  );
  expect(logDetails({}, { a: '1' }, [])).toBe(' ');
});
