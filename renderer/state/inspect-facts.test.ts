import { expect, test } from 'vitest';
import { readInspect } from './inspect-facts.ts';

test('reads what is there and survives what is not', () => {
  expect(readInspect({})).toEqual({
    restart: 'no',
    runtime: '',
    workingDir: '',
    env: [],
    labels: [],
    networks: [],
    mounts: [],
  });
  const facts = readInspect({
    Config: { Env: ['A=1', 7], Labels: { a: 'b' }, WorkingDir: '/app' },
    HostConfig: { RestartPolicy: { Name: 'always' }, Runtime: 'wasi' },
    NetworkSettings: { Networks: { bridge: { IPAddress: '172.17.0.2' } } },
    Mounts: [
      { Type: 'bind', Source: '/srv', Destination: '/data', RW: false },
      { Type: 'volume', Name: 'v', Source: '/x', Destination: '/v', RW: true },
    ],
  });
  expect(facts.env).toEqual(['A=1']);
  expect(facts.networks).toEqual([{ name: 'bridge', address: '172.17.0.2' }]);
  expect(facts.mounts).toEqual([
    { type: 'bind', source: '/srv', target: '/data', readOnly: true },
    { type: 'volume', source: 'v', target: '/v', readOnly: false },
  ]);
});
