import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { createORPCClient, safe } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import type { ContractRouterClient } from '@orpc/contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Contract } from '../contract/index.ts';
import { openTestEngine, type TestEngine } from '../engine/containers/testing.ts';
import { settingsStore } from '../platform/settings.ts';
import { serveRpcPort } from './port.ts';
import { createRouter } from './router.ts';

let t: TestEngine;
let port: MessagePort;
let client: ContractRouterClient<Contract>;
beforeEach(async () => {
  t = await openTestEngine();
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
  client = createORPCClient(new RPCLink({ port: port2 as unknown as globalThis.MessagePort }));
  port2.start();
  port = port2;
  await t.engine.containers.create({ image: 'app', name: 'web', labels: { 'drydock.net.allow': 'ok.example:443' } });
  await t.engine.containers.start('web');
});
afterEach(async () => {
  port.close();
  await t.engine.close();
});

const connect = (): Promise<unknown> =>
  t.supervisor.last.ask({ ask: 'route', protocol: 'tcp', address: '1.1.1.1', port: 443 });

test('what was refused is there to be allowed', async () => {
  expect(await connect()).toEqual({ error: 'denied' });
  const { rules, refusals } = await client.networks.access({ id: 'web' });
  expect(rules).toEqual(['ok.example:443']);
  expect(refusals).toMatchObject([{ host: '1.1.1.1', address: '1.1.1.1', port: 443, protocol: 'tcp', count: 1 }]);
  await client.networks.setRules({ id: 'web', rules: ['ok.example:443', '1.1.1.1:443'] });
  expect(await connect()).toMatchObject({ address: '1.1.1.1' });
});

test('watched: now, after a refusal, after a change, until it is removed', async () => {
  const watching = await client.networks.watchAccess({ id: 'web' });
  const next = async () => {
    const { value, done } = await watching.next();
    return done ? 'done' : { rules: value.rules, refused: value.refusals.map(({ host }) => host) };
  };
  expect(await next()).toEqual({ rules: ['ok.example:443'], refused: [] });
  await connect();
  expect(await next()).toEqual({ rules: ['ok.example:443'], refused: ['1.1.1.1'] });
  await client.networks.setRules({ id: 'web', rules: 'none' });
  expect(await next()).toEqual({ rules: 'none', refused: ['1.1.1.1'] });
  const last = next();
  await t.engine.containers.remove('web', { force: true });
  // Its end may be told on the way.
  expect([await last, await next()]).toContain('done');
});

test('a rule that is none is refused by name, and nothing changes', async () => {
  const { error } = await safe(client.networks.setRules({ id: 'web', rules: ['http://x'] }));
  expect(error).toMatchObject({
    code: 'DRYDOCK',
    data: { kind: 'invalid', message: 'invalid outbound rule "http://x"' },
  });
  const wrong = await safe(client.networks.setRules({ id: 'web', rules: 'some' as 'all' }));
  expect(wrong.error).toMatchObject({ code: 'BAD_REQUEST' });
  const absent = await safe(client.networks.access({ id: 'nope' }));
  expect(absent.error).toMatchObject({ data: { kind: 'notFound', message: 'No such container: nope' } });
  expect((await client.networks.access({ id: 'web' })).rules).toEqual(['ok.example:443']);
});

test('a row shows what is open on the host, once for both families; of one that does not run what it asks for', async () => {
  await t.engine.containers.create({
    image: 'app',
    name: 'shop',
    portBindings: { '80/tcp': [{ hostIp: '', hostPort: '' }], '81/tcp': [{ hostIp: '127.0.0.1', hostPort: '' }] },
  });
  const ports = async () => (await client.containers.inspect({ id: 'shop' })).row.ports;
  expect(await ports()).toEqual([
    { hostIp: '', hostPort: 0, port: 80, protocol: 'tcp' },
    { hostIp: '127.0.0.1', hostPort: 0, port: 81, protocol: 'tcp' },
  ]);
  await t.engine.containers.start('shop');
  const open = await ports();
  expect(open.map(({ port }) => port)).toEqual([80, 81]);
  expect(open.every(({ hostPort }) => hostPort > 0)).toBe(true);
  expect(open[1]?.hostIp).toBe('127.0.0.1');
});
