import { expect, test } from 'vitest';
import type { ImageDetails } from '../../electron/contract/images.ts';
import {
  dockerCommand,
  initialFields,
  joinArguments,
  splitArguments,
  toRequest,
  type RunFields,
  type RunSubject,
} from './run-form.ts';
import { sampleModule } from './sample-modules.ts';

const staged: RunSubject = {
  kind: 'staged',
  staged: {
    stageId: 's1',
    fileName: 'hello.wasm',
    suggestedReference: 'hello:latest',
    module: sampleModule({ capabilities: { filesRead: true } }),
  },
};
const image: RunSubject = {
  kind: 'image',
  reference: 'web:1',
  details: { command: ['-b', '0.0.0.0:80'], exposedPorts: ['80/tcp'], module: null } as unknown as ImageDetails,
};
const run = (subject: RunSubject, change: Partial<RunFields>): ReturnType<typeof toRequest> =>
  toRequest({ ...initialFields(subject), ...change }, subject);

test('a dropped file runs as it is, with nothing given to it', () => {
  expect(run(staged, {})).toEqual({
    request: {
      image: 'hello:latest',
      env: [],
      mounts: [],
      ports: [],
      memory: 0,
      tty: false,
      openStdin: false,
      autoRemove: false,
      restart: 'no',
    },
  });
});

test('an image’s own arguments are not sent, others are; its ports are offered', () => {
  const same = run(image, {});
  expect(same).toHaveProperty('request.ports', [{ hostPort: 80, port: 80 }]);
  expect(same).not.toHaveProperty('request.command');
  expect(run(image, { args: '-v' })).toHaveProperty('request.command', ['-v']);
  expect(run(image, { args: '' })).toHaveProperty('request.command', []);
});

test('what is switched off is not given, what is on is', () => {
  const fields = {
    folders: [{ source: '/srv', target: '/data', readOnly: true }],
    variables: ['A=1', ''],
    memory: '64',
  };
  expect(run(staged, fields)).toMatchObject({ request: { mounts: [], env: [], memory: 64_000_000 } });
  expect(run(staged, { ...fields, files: true, env: true })).toMatchObject({
    request: { mounts: [{ type: 'bind', source: '/srv', target: '/data', readOnly: true }], env: ['A=1'] },
  });
});

test('everything that is wrong is named at once', () => {
  const result = run(staged, {
    reference: 'Hello',
    args: "it's",
    listen: true,
    ports: [
      { host: '8080', port: '80' },
      { host: '8080', port: '81' },
      { host: 'x', port: '1' },
    ],
    files: true,
    folders: [{ source: 'sites', target: '/', readOnly: true }],
    env: true,
    variables: ['NAME'],
    memory: 'lots',
    restart: 'always',
    autoRemove: true,
  });
  expect(result).toEqual({
    problems: [
      { field: 'reference', problem: 'upperCase' },
      { field: 'args', problem: 'quote' },
      { field: 'ports.1', problem: 'portTwice' },
      { field: 'ports.2', problem: 'port' },
      { field: 'folders.0.source', problem: 'absolute' },
      { field: 'folders.0.target', problem: 'targetRoot' },
      { field: 'variables.0', problem: 'equals' },
      { field: 'memory', problem: 'memory' },
      { field: 'restart', problem: 'restartRemove' },
    ],
  });
});

test('arguments split as in a shell and join back', () => {
  expect(splitArguments(` a  'b c' "d\\"e" f\\ g '' `)).toEqual(['a', 'b c', 'd"e', 'f g', '']);
  expect(splitArguments('"open')).toBeUndefined();
  for (const words of [['a'], ["it's", 'a b', ''], ['$HOME', '*']])
    expect(splitArguments(joinArguments(words))).toEqual(words);
});

test('the docker command says the same', () => {
  const result = run(image, { name: 'web', memory: '64', restart: 'always', args: '-x "a b"', interactive: true });
  if (!('request' in result)) throw new Error('problems');
  expect(dockerCommand(result.request)).toBe(
    "docker run -it --name web -p 80:80 -m 64000000 --restart always web:1 -x 'a b'",
  );
});
