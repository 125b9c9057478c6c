import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { defaultHome } from '../platform/paths.ts';
import { readFlags } from './flags.ts';

test('everything can be said, nothing must be', () => {
  expect(readFlags(['--web', '--home', 'here', '--docker-host', 'unix:///run/d.sock', '--port', '8080'])).toEqual({
    home: resolve('here'),
    socketPath: '/run/d.sock',
    dockerHost: 'unix:///run/d.sock',
    port: 8080,
    check: false,
    help: false,
    version: false,
  });
  expect(readFlags([])).toMatchObject({ home: defaultHome(), port: 0 });
  expect(readFlags([]).dockerHost).toMatch(/^unix:\/\/\/|^npipe:/);
  expect(readFlags(['--docker-host=npipe:////./pipe/x'])).toMatchObject({
    socketPath: '\\\\.\\pipe\\x',
    dockerHost: 'npipe:////./pipe/x',
  });
});

test.each([
  [['--hom', '/x'], /^Unknown option '--hom'$/],
  [['here'], /Unexpected argument 'here'/],
  [['--home'], /--home/],
  [['--port', 'many'], /^--port many is not a port$/],
  [['--port', '65536'], /^--port 65536 is not a port$/],
  [['--port=-1'], /^--port -1 is not a port$/],
  [['--docker-host', 'tcp://0.0.0.0:2375'], /^--docker-host tcp:\/\/0\.0\.0\.0:2375 is not a Unix socket$/],
  [['--docker-host', 'unix://relative.sock'], /is not a Unix socket$/],
])('%j is refused with what to do', (args, message) => {
  try {
    readFlags(args);
  } catch (error) {
    expect(error).toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/./),
    });
    return;
  }
  expect.unreachable();
});
