import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileCredentials, storedAuth } from './credentials.ts';
import { dockerConfig } from './docker-config.ts';

let home: string;
const path = process.env['PATH'];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'drydock-credentials-'));
});
afterEach(() => {
  process.env['PATH'] = path;
  rmSync(home, { recursive: true });
});

const write = (config: unknown): void => writeFileSync(join(home, 'config.json'), JSON.stringify(config));
const joined = (text: string): string => Buffer.from(text).toString('base64');

test('the file is for its owner alone, and forgets what it is told to', async () => {
  const file = join(home, 'logins.json');
  const store = fileCredentials(file);
  expect(await store.get('registry.test')).toBeUndefined();
  await store.set('https://registry.test/v2/', { username: 'anna', password: 'secret' });
  await store.set('docker.io', { username: 'bert', password: 'secret', identityToken: 'token' });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await store.get('registry.test')).toMatchObject({ username: 'anna', password: 'secret' });
  // A refresh token takes the password's place.
  expect(await store.get('index.docker.io')).toMatchObject({ username: 'bert', identityToken: 'token' });
  expect(readFileSync(file, 'utf8').match(/secret/g)).toHaveLength(1);
  expect(await store.list()).toEqual([
    { server: 'registry.test', username: 'anna' },
    { server: 'https://index.docker.io/v1/', username: 'bert' },
  ]);
  await store.delete('registry.test');
  await store.delete('registry.test');
  expect(await fileCredentials(file).list()).toHaveLength(1);
  writeFileSync(file, 'secret');
  const error = (await store.get('registry.test').catch((reason: unknown) => reason)) as Error;
  expect(error.message).toMatch(/cannot be read/);
  expect(error.message).not.toMatch(/secret/);
});

test("docker's own file: names and passwords, tokens, all spellings of a server", async () => {
  expect(await dockerConfig(home).get('registry.test')).toBeUndefined();
  write({
    auths: {
      'https://index.docker.io/v1/': { auth: joined('anna:pa:ss') },
      'https://registry.test': { auth: joined('bert:'), identitytoken: 'token' },
      empty: {},
    },
  });
  const docker = dockerConfig(home);
  expect(await docker.get('docker.io')).toMatchObject({ username: 'anna', password: 'pa:ss' });
  expect(await docker.get('registry.test')).toMatchObject({ username: 'bert', identityToken: 'token' });
  expect(await docker.get('empty')).toBeUndefined();
  expect((await docker.list()).map(({ server }) => server)).toContain('registry.test');
  write({ auths: { 'registry.test': { auth: joined('nothing') } } });
  await expect(docker.get('registry.test')).rejects.toThrow('no name and password for registry.test');
  writeFileSync(join(home, 'config.json'), '{');
  await expect(docker.get('registry.test')).rejects.toThrow('is not JSON');
});

/** A credential helper as docker's are: a program on the PATH. */
function helper(name: string, script: string): void {
  const file = join(home, `docker-credential-${name}`);
  writeFileSync(file, `#!/bin/sh\nread server\n${script}\n`);
  chmodSync(file, 0o755);
  process.env['PATH'] = `${home}${delimiter}${path ?? ''}`;
}

test.skipIf(process.platform === 'win32')('credential helpers: one for all, one for a server', async () => {
  helper('all', `echo "{\\"ServerURL\\":\\"$server\\",\\"Username\\":\\"anna\\",\\"Secret\\":\\"of $server\\"}"`);
  helper('token', `echo '{"Username":"<token>","Secret":"refresh"}'`);
  helper('none', `echo 'credentials not found in native keychain'; exit 1`);
  helper('broken', `echo 'the keyring is locked' >&2; exit 2`);
  write({
    auths: { 'a.test': {} },
    credsStore: 'all',
    credHelpers: { 'b.test': 'token', 'c.test': 'none', 'd.test': 'broken', 'e.test': '../evil', 'f.test': 'absent' },
  });
  const docker = dockerConfig(home);
  expect(await docker.get('a.test')).toMatchObject({ username: 'anna', password: 'of a.test' });
  expect(await docker.get('b.test')).toMatchObject({ identityToken: 'refresh' });
  expect(await docker.get('c.test')).toBeUndefined();
  await expect(docker.get('d.test')).rejects.toThrow(
    'docker-credential-broken failed: it ended with 2: the keyring is locked',
  );
  await expect(docker.get('e.test')).rejects.toThrow('is no name of a credential helper');
  await expect(docker.get('f.test')).rejects.toThrow('docker-credential-absent cannot be run: it is not installed');
});

test('Drydock is asked before docker', async () => {
  write({ auths: { 'a.test': { auth: joined('theirs:x') }, 'b.test': { auth: joined('theirs:x') } } });
  const store = fileCredentials(join(home, 'logins.json'));
  await store.set('a.test', { username: 'ours', password: 'y' });
  expect(await storedAuth(store, dockerConfig(home), 'a.test')).toMatchObject({ username: 'ours' });
  expect(await storedAuth(store, dockerConfig(home), 'b.test')).toMatchObject({ username: 'theirs' });
});
