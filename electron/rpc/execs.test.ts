import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { createORPCClient, safe } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import type { ContractRouterClient } from '@orpc/contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../test/support/until.ts';
import type { ChannelMessage, ChannelRequest } from '../contract/channels.ts';
import type { Contract } from '../contract/index.ts';
import { openTestEngine, settle, type TestEngine } from '../engine/containers/testing.ts';
import { settingsStore } from '../platform/settings.ts';
import { serveChannelPort, serveRpcPort } from './port.ts';
import { createRouter } from './router.ts';

let t: TestEngine;
const ports: MessagePort[] = [];
beforeEach(async () => {
  t = await openTestEngine();
  await t.engine.containers.create({ image: 'app', name: 'web' });
  await t.engine.containers.start('web');
});
afterEach(async () => {
  for (const port of ports.splice(0)) port.close();
  await t.engine.close();
  rmSync(t.home, { recursive: true, force: true });
});

/** A channel over a real MessagePort pair. */
function open() {
  const { port1, port2 } = new MessageChannel();
  serveChannelPort(t.engine, port1);
  ports.push(port2);
  const messages: ChannelMessage[] = [];
  port2.on('message', (message: ChannelMessage) => messages.push(message));
  return {
    messages,
    closed: once(port2, 'close'),
    port: port2,
    send: (request: ChannelRequest) => port2.postMessage(request),
    output: () =>
      messages
        .flatMap((message) => (message.t === 'output' ? [Buffer.from(message.data, 'base64').toString()] : []))
        .join(''),
  };
}

function connect(): ContractRouterClient<Contract> {
  const router = createRouter({
    engine: t.engine,
    settings: settingsStore({ get: (key) => ({ theme: 'system', language: 'system' })[key], set: () => undefined }),
    dockerHost: 'unix:///d.sock',
    home: t.home,
    inspectContainer: (view) => ({ Id: view.id }),
    inspectImage: (view) => ({ Id: view.id }),
    allowPaths: false,
  });
  const { port1, port2 } = new MessageChannel();
  serveRpcPort(router, port1);
  ports.push(port2);
  const client: ContractRouterClient<Contract> = createORPCClient(
    new RPCLink({ port: port2 as unknown as globalThis.MessagePort }),
  );
  port2.start();
  return client;
}

const shell: ChannelRequest = {
  t: 'exec',
  id: 'web',
  command: ['/py.wasm', '-i'],
  env: ['A=1'],
  tty: true,
  rows: 24,
  columns: 80,
};

test('a terminal in a container: what is typed early waits, output against credits, the exit code at the end', async () => {
  const channel = open();
  channel.send(shell);
  channel.send({ t: 'input', data: Buffer.from('early ').toString('base64') });
  channel.send({ t: 'input', data: Buffer.from('late').toString('base64') });
  channel.send({ t: 'resize', rows: 30, columns: 100 });
  channel.send({ t: 'inputEnd' });
  const run = await t.supervisor.run(2);
  expect(run.request.spec).toMatchObject({
    module: '/py.wasm',
    args: ['/py.wasm', '-i'],
    env: expect.arrayContaining(['A=1', 'TERM=xterm']),
    tty: { rows: 24, columns: 80 },
    stdin: 'open',
  });
  await until('the input', () => run.stdinEnded);
  expect(run.stdin.join('')).toBe('early late');
  await until('the size', () => run.size[0] === 30);
  run.say('hello');
  await settle();
  expect(channel.messages).toEqual([]);
  channel.send({ t: 'credit', n: 10 });
  await until('the output', () => channel.output() === 'hello\n');
  run.exit(3);
  await channel.closed;
  expect(channel.messages.slice(-2)).toEqual([{ t: 'exit', exitCode: 3 }, { t: 'end' }]);
});

test('a program that cannot run says why in the output, and by its code', async () => {
  t.supervisor.hold = true;
  const channel = open();
  channel.send({ ...shell, command: ['bash'] });
  channel.send({ t: 'credit', n: 10 });
  (await t.supervisor.run(2)).fail(127, 'exec: "bash": executable file not found in $PATH');
  await channel.closed;
  expect(channel.output()).toMatch(/not found in \$PATH: this container has no shell \(WebAssembly\)\r\n$/);
  expect(channel.messages.slice(-2)).toEqual([{ t: 'exit', exitCode: 127 }, { t: 'end' }]);
});

test('closing the channel ends the program', async () => {
  const channel = open();
  channel.send(shell);
  const run = await t.supervisor.run(2);
  channel.port.close();
  await until('the end', () => run.terminated);
  expect(t.engine.containers.get('web').state).toBe('running');
});

test('a container that does not run is an error', async () => {
  await t.engine.containers.stop('web');
  const channel = open();
  channel.send({ t: 'input', data: '' });
  await channel.closed;
  expect(channel.messages).toEqual([{ t: 'error', message: 'A channel begins with "logs", "attach" or "exec"' }]);
  const other = open();
  other.send(shell);
  other.send({ t: 'resize', rows: 1, columns: 1 });
  await other.closed;
  expect(other.messages).toEqual([
    { t: 'error', message: expect.stringMatching(/^container \w{64} is not running$/), hint: 'Start web first.' },
  ]);
});

test('what runs in a container is listed and can be ended', async () => {
  const client = connect();
  expect(await client.execs.list({ container: 'web' })).toEqual([]);
  const channel = open();
  channel.send(shell);
  const run = await t.supervisor.run(2);
  await until('the start', async () => (await client.execs.list({ container: 'web' }))[0]?.running);
  const [row] = await client.execs.list({ container: 'web' });
  expect(row).toMatchObject({ command: ['/py.wasm', '-i'], tty: true, pid: 4242, startedAt: expect.any(Number) });
  expect(Date.now() - (row?.startedAt ?? 0)).toBeLessThan(60_000);
  await client.execs.end({ id: row?.id ?? '' });
  expect(run.terminated).toBe(true);
  expect(await client.execs.list({ container: 'web' })).toEqual([]);
  const { error } = await safe(client.execs.end({ id: 'nope' }));
  expect(error).toMatchObject({ data: { kind: 'notFound', message: 'No such exec instance: nope' } });
});
