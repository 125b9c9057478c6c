import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { createORPCClient, safe } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import type { ContractRouterClient } from '@orpc/contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../test/support/until.ts';
import type { BuildMessage, BuildRequest } from '../contract/builds.ts';
import type { Contract } from '../contract/index.ts';
import { openTestEngine, type TestEngine } from '../engine/containers/testing.ts';
import { settingsStore } from '../platform/settings.ts';
import { serveRpcPort } from './port.ts';
import { createRouter } from './router.ts';

let t: TestEngine;
let port: MessagePort;
let client: ContractRouterClient<Contract>;
let directory: string;

function connect(allowPaths: boolean): void {
  const router = createRouter({
    engine: t.engine,
    settings: settingsStore({ get: (key) => ({ theme: 'system', language: 'system' })[key], set: () => undefined }),
    dockerHost: 'unix:///d.sock',
    home: t.home,
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

beforeEach(async () => {
  t = await openTestEngine();
  directory = mkdtempSync(join(tmpdir(), 'drydock-builds-'));
  connect(true);
});
afterEach(async () => {
  port.close();
  await t.engine.close();
  rmSync(directory, { recursive: true });
});

const write = (files: Readonly<Record<string, string>>): void => {
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
};

async function build(request: Partial<BuildRequest> = {}): Promise<BuildMessage[]> {
  const messages: BuildMessage[] = [];
  for await (const message of await client.builds.build({ directory, ...request })) messages.push(message);
  return messages;
}

/** What a build failed with. */
async function failureOf(request: Partial<BuildRequest>): Promise<unknown> {
  const { error } = await safe(build(request));
  return error;
}

test('a directory, with its steps, its text and its image', async () => {
  write({ D: 'FROM scratch\nARG V\nCOPY . /\nENV V=$V', f: 'x', '.dockerignore': 'D\n.dockerignore' });
  const messages = await build({ dockerfile: 'D', tags: ['t', 't:2'], buildArgs: { V: '7' }, labels: { l: 'm' } });
  expect(messages.find(({ type }) => type === 'context')).toEqual({ type: 'context', files: 3, bytes: 52, done: true });
  expect(
    messages.flatMap((message) =>
      message.type === 'step' && message.milliseconds !== undefined ? [[message.index, message.cached]] : [],
    ),
  ).toEqual([
    [1, true],
    [2, false],
    [3, false],
    [4, false],
    [5, false],
  ]);
  const text = messages.map((message) => (message.type === 'text' ? message.text : '')).join('');
  expect(text).toContain('Step 3/5 : COPY . /\n');
  expect(text).toContain('Successfully tagged t:2\n');
  const image = t.engine.images.get('t:2');
  expect(messages.at(-1)).toEqual({ type: 'done', image: image.id });
  expect(image).toMatchObject({ repoTags: ['t:2', 't:latest'], size: 1, config: { env: ['V=7'], labels: { l: 'm' } } });
});

test('a failing step ends the stream with the failure', async () => {
  write({ Dockerfile: 'FROM scratch\nENV A=1\n\nCOPY missing /\nENV B=1' });
  const messages: BuildMessage[] = [];
  const run = async () => {
    for await (const message of await client.builds.build({ directory })) messages.push(message);
  };
  expect((await safe(run())).error).toMatchObject({
    code: 'DRYDOCK',
    data: { kind: 'notFound', message: expect.stringContaining('COPY failed') },
  });
  const last = messages.findLast(({ type }) => type === 'step');
  expect(last).toEqual({ type: 'step', index: 3, total: 4, text: 'COPY missing /', line: 4, stage: '0' });
  write({ Dockerfile: 'FROM scratch\nFOO' });
  expect(await failureOf({})).toMatchObject({ code: 'DRYDOCK', data: { kind: 'invalid' } });
});

test('what is no context is refused by name', async () => {
  for (const [request, data] of [
    [{ directory: join(directory, 'nope') }, { kind: 'notFound' }],
    [{ directory: 'relative' }, { kind: 'invalid', message: 'the build context relative is not an absolute path' }],
    [{ dockerfile: 'nope' }, { kind: 'invalid', message: 'Cannot locate specified Dockerfile: nope' }],
  ] as const)
    expect(await failureOf(request)).toMatchObject({ code: 'DRYDOCK', data });
  port.close();
  connect(false);
  expect(await failureOf({})).toMatchObject({ code: 'DRYDOCK', data: { kind: 'denied' } });
});

test('a page that stops listening cancels it, and the program of its RUN ends', async () => {
  write({ Dockerfile: 'FROM app\nRUN ["/app.wasm"]' });
  const messages = await client.builds.build({ directory });
  for await (const message of messages)
    if (message.type === 'step' && message.index === 2) {
      await until('the program to run', () => t.supervisor.runs.length > 0);
      break;
    }
  await until('its end', () => t.supervisor.last.terminated);
});
