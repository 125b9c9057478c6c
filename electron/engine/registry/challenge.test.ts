import { expect, test } from 'vitest';
import { parseChallenges } from './challenge.ts';

test.each([
  [undefined, []],
  ['Basic realm="r"', [{ scheme: 'basic', parameters: { realm: 'r' } }]],
  [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
    [
      {
        scheme: 'bearer',
        parameters: {
          realm: 'https://auth.docker.io/token',
          service: 'registry.docker.io',
          scope: 'repository:a/b:pull,push',
        },
      },
    ],
  ],
  [
    'BEARER Realm = "a\\"b" , service=plain, Basic realm="x, y"',
    [
      { scheme: 'bearer', parameters: { realm: 'a"b', service: 'plain' } },
      { scheme: 'basic', parameters: { realm: 'x, y' } },
    ],
  ],
  [
    'Negotiate, Basic realm=r',
    [
      { scheme: 'negotiate', parameters: {} },
      { scheme: 'basic', parameters: { realm: 'r' } },
    ],
  ],
  ['"broken', []],
])('%s', (header, challenges) => {
  expect(parseChallenges(header)).toEqual(challenges);
});
