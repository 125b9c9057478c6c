import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { ORPCError } from '@orpc/client';
import { createORPCClient, isDefinedError, safe } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import type { ContractRouterClient } from '@orpc/contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeEngine, imageView } from '../../test/support/fake-engine.ts';
import { until } from '../../test/support/until.ts';
import { conflict, invalid } from '../base/errors.ts';
import type { Contract } from '../contract/index.ts';
import type { RunRequest } from '../contract/containers.ts';
import { settingsStore } from '../platform/settings.ts';
import { serveRpcPort } from './port.ts';
import { createRouter } from './router.ts';

type Client = ContractRouterClient<Contract>;

let engine: FakeEngine;
let home: string;
let port: MessagePort;
let client: Client;

/** The router on one end of a real MessagePort pair, the window's client on the other. */
function connect(allowPaths: boolean): void {
  const values: Record<string, unknown> = { theme: 'system', language: 'system' };
  const router = createRouter({
    engine: engine.api,
    settings: settingsStore({ get: (key) => values[key], set: (change) => void Object.assign(values, change) }),
    dockerHost: 'unix:///d.sock',
    home,
    inspectContainer: (view) => ({ Id: view.id }),
    inspectImage: (view) => ({ Id: view.id }),
    allowPaths,
  });
  const { port1, port2 } = new MessageChannel();
  serveRpcPort(router, port1);
  client = createORPCClient(new RPCLink({ port: port2 as unknown as globalThis.MessagePort }));
  port2.start();
  port = port2;
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'drydock-router-'));
  engine = new FakeEngine();
  engine.put({ id: 'a', state: 'running' });
  connect(true);
});
afterEach(() => {
  port.close();
  rmSync(home, { recursive: true });
});

/** The contract's failure of a call. @throws when it fails otherwise, or not */
async function failureOf(call: Promise<unknown>): Promise<unknown> {
  const { error } = await safe(call);
  if (!isDefinedError(error) || (error as ORPCError<string, unknown>).code !== 'DRYDOCK')
    throw error ?? new Error('it did not fail');
  return (error as ORPCError<string, unknown>).data;
}

const request: RunRequest = {
  image: 'app',
  env: ['A=1'],
  mounts: [],
  ports: [],
  memory: 0,
  tty: false,
  openStdin: false,
  autoRemove: false,
  restart: 'no',
};

test('a container, with its inspect JSON', async () => {
  expect(await client.containers.inspect({ id: 'a' })).toMatchObject({ row: { id: 'a' }, inspect: { Id: 'a' } });
});

test('what the engine throws arrives as the typed failure, with its hint', async () => {
  expect(await failureOf(client.containers.inspect({ id: 'none' }))).toEqual({
    kind: 'notFound',
    message: 'No such container: none',
  });
  engine.failures.set('rename', conflict('The name "/b" is taken', { hint: 'Choose another.' }));
  expect(await failureOf(client.containers.rename({ id: 'a', name: 'b' }))).toEqual({
    kind: 'conflict',
    message: 'The name "/b" is taken',
    hint: 'Choose another.',
  });
  engine.failures.set('stop', new TypeError('undefined is not a function'));
  expect(await failureOf(client.containers.stop({ id: 'a' }))).toMatchObject({ kind: 'internal' });
});

test('input that the contract does not allow is a BAD_REQUEST that names the field', async () => {
  const { error } = await safe(client.containers.run({ ...request, ports: [{ hostPort: 70_000, port: 80 }] }));
  expect(error).toMatchObject({ code: 'BAD_REQUEST', data: { issues: [{ path: ['ports', 0, 'hostPort'] }] } });
});

test('the verbs reach the engine', async () => {
  for (const verb of ['start', 'stop', 'restart', 'kill', 'pause', 'unpause'] as const)
    await client.containers[verb]({ id: 'a' });
  await client.containers.remove({ id: 'a', force: true, volumes: false });
  await client.images.tag({ id: 'i', reference: 'b:1' });
  await client.images.remove({ id: 'i', reference: 'b:1', force: false });
  expect(engine.asked).toEqual([
    'start a',
    'stop a',
    'restart a',
    'kill a',
    'pause a',
    'unpause a',
    'remove a',
    'tag i',
    'remove image b:1',
  ]);
});

test('run: the dialog’s answers as the engine wants them', async () => {
  const answer = await client.containers.run({
    ...request,
    name: 'web',
    command: ['--port', '80'],
    mounts: [
      { type: 'bind', source: '/src', target: '/src', readOnly: true },
      { type: 'volume', source: '', target: '/data', readOnly: false },
      { type: 'volume', source: 'v', target: '/v', readOnly: false },
      { type: 'tmpfs', source: '', target: '/tmp', readOnly: false },
    ],
    ports: [
      { hostPort: 8080, port: 80 },
      { hostPort: 0, port: 80 },
    ],
    memory: 1 << 20,
  });
  expect(answer).toEqual({ id: 'new', warnings: ['careful'] });
  expect(engine.created).toMatchObject([
    {
      name: 'web',
      command: ['--port', '80'],
      memory: 1 << 20,
      mounts: [
        { type: 'bind', source: '/src', createSource: false, readOnly: true },
        { type: 'volume', target: '/data' },
        { type: 'volume', name: 'v' },
        { type: 'tmpfs', target: '/tmp' },
      ],
      portBindings: {
        '80/tcp': [
          { hostIp: '', hostPort: '8080' },
          { hostIp: '', hostPort: '' },
        ],
      },
      exposedPorts: ['80/tcp'],
    },
  ]);
  expect(engine.created[0]?.mounts?.[1]).not.toHaveProperty('name');
});

test('run: a start that fails names the container, which stays and whose row is told', async () => {
  const messages: unknown[] = [];
  const watching = await client.events.watch();
  const reading = (async () => {
    for await (const message of watching) messages.push(message);
  })();
  await until('the snapshot', () => messages.length > 0);
  engine.failures.set('start', conflict('port 8080 is in use by container "db"', { hint: 'Choose another.' }));
  expect(await failureOf(client.containers.run({ ...request, name: 'web' }))).toEqual({
    kind: 'conflict',
    message: 'Container web was created but could not start: port 8080 is in use by container "db"',
    hint: 'Choose another.',
  });
  await until('its row', () => JSON.stringify(messages).includes('"type":"containers","upsert":[{"id":"new"'));
  reading.catch(() => undefined); // oRPC's client rejects what is pending when it is told to return
  await watching.return();
  await until('the end of the subscription', () => engine.listeners.size === 0);
});

test('run --rm: a start that fails leaves nothing', async () => {
  engine.failures.set('start', invalid('not a WebAssembly module'));
  expect(await failureOf(client.containers.run({ ...request, autoRemove: true }))).toMatchObject({
    message: 'eager_dock could not start: not a WebAssembly module',
  });
  expect(engine.asked.at(-1)).toBe('remove new');
});

test('run: an unknown image and a name that is taken', async () => {
  engine.failures.set('create', conflict('The container name "/web" is already in use by container "abc"'));
  expect(await failureOf(client.containers.run({ ...request, name: 'web' }))).toMatchObject({ kind: 'conflict' });
  expect(engine.asked).toEqual(['create app']);
});

test('an image whose module cannot be read still has its page', async () => {
  engine.pictures.set('i', imageView({ id: 'i' }));
  engine.put({ id: 'a', imageId: 'i' });
  engine.failures.set('module', invalid('app.wasm is cut off at byte 9'));
  expect(await client.images.inspect({ id: 'i' })).toMatchObject({
    row: { id: 'i', usedBy: ['a'] },
    module: null,
    moduleError: 'app.wasm is cut off at byte 9',
    inspect: { Id: 'i' },
  });
  expect(await failureOf(client.images.inspect({ id: 'absent' }))).toMatchObject({ message: 'No such image: absent' });
});

test('settings are kept, and refused when they are none', async () => {
  expect(await client.settings.set({ theme: 'dark' })).toMatchObject({ theme: 'dark', language: 'system' });
  expect(await client.settings.get()).toMatchObject({ theme: 'dark', language: 'system' });
  const { error } = await safe(client.settings.set({ theme: 'pink' as 'dark' }));
  expect(error).toMatchObject({ code: 'BAD_REQUEST' });
});

test('a path is staged on the desktop, and refused from a browser', async () => {
  const path = join(home, 'x.wasm');
  writeFileSync(path, Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const staged = await client.modules.stagePath({ path });
  expect(staged).toMatchObject({ fileName: 'x.wasm', module: { size: 8 } });
  expect(await client.modules.importStaged({ stageId: staged.stageId, reference: 'x' })).toEqual({
    imageId: 'sha256:imported',
    reference: 'x:latest',
  });
  port.close();
  connect(false);
  expect(await failureOf(client.modules.stagePath({ path }))).toMatchObject({ kind: 'denied' });
});

test('a stream that its reader leaves ends, and the port goes on', async () => {
  const watching = await client.events.watch();
  await watching.next();
  await watching.return();
  await until('the end of the subscription', () => engine.listeners.size === 0);
  expect(await client.settings.get()).toMatchObject({ theme: 'system' });
});

test('a port that closes ends the streams it carried', async () => {
  const watching = await client.events.watch();
  await watching.next();
  expect(engine.listeners.size).toBe(1);
  port.close();
  await until('the end of the subscription', () => engine.listeners.size === 0);
});

test('a message that is no frame closes the port, quietly', async () => {
  const closed = new Promise((resolve) => port.once('close', resolve));
  port.postMessage('nonsense');
  await closed;
});
