import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { isDefinedError, safe, type ORPCError } from '@orpc/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunRequest } from '../../electron/contract/containers.ts';
import type { Failure } from '../../electron/contract/errors.ts';
import type { WatchMessage } from '../../electron/contract/events.ts';
import type { StagedModule } from '../../electron/contract/modules.ts';
import { fixture } from '../fixtures/compile.ts';
import { api } from '../support/api.ts';
import { launch, startEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';
import { logIn, openWindow, type TestWindow } from '../support/window.ts';

/** Status of a raw GET with these headers. */
function statusOf(url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', reject);
    request.end();
  });
}

async function failureOf(call: Promise<unknown>): Promise<Failure> {
  const { error } = await safe(call);
  if (!isDefinedError(error)) throw error ?? new Error('it did not fail');
  return (error as ORPCError<'DRYDOCK', Failure>).data;
}

describe('starting and stopping', () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await startEngine();
  });
  afterAll(() => engine?.stop());

  it('prints two lines and nothing else', () => {
    expect(engine.stdout.split('\n')).toEqual([
      `DOCKER_HOST=${engine.dockerHost}`,
      expect.stringMatching(/^Open http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}$/),
      '',
    ]);
    expect(engine.stderr).toBe('');
  });

  it('refuses a second start on the same home, naming the pid', async () => {
    const second = launch(['--home', engine.home, '--docker-host', `${engine.dockerHost}2`]);
    expect(await second.ended).toBe(1);
    expect(second.output.stderr).toContain(String(engine.pid));
    expect(second.output.stderr).not.toMatch(/^\s+at /m);
    expect(second.output.stdout).toBe('');
    expect((await api(engine.dockerHost, 'GET', '/_ping')).status).toBe(200);
  });

  it.each([
    [['--hom', '/x'], /Unknown option '--hom'[\s\S]*Usage:/],
    [['--port', 'x'], /--port x is not a port/],
    [['--docker-host', 'tcp://1.2.3.4'], /is not a Unix socket/],
  ])('%j is refused with a sentence', async (args, message) => {
    const run = launch(args);
    expect(await run.ended).toBe(1);
    expect(run.output.stderr).toMatch(message);
    expect(run.output.stderr).not.toMatch(/^\s+at /m);
  });

  it('names a port that is taken, and lets go of the home', async () => {
    const { port } = new URL(engine.url);
    const home = `${engine.home}2`;
    const second = launch(['--home', home, '--docker-host', `${engine.dockerHost}2`, '--port', port]);
    expect(await second.ended).toBe(1);
    expect(second.output.stderr).toMatch(new RegExp(`^drydock: Port ${port} is in use\\n.*--port`));
    expect(existsSync(join(home, 'lock'))).toBe(false);
    expect(existsSync(`${engine.dockerHost.slice('unix://'.length)}2`)).toBe(false);
  });

  it('a stale lock is taken over after kill -9', async () => {
    await engine.kill9();
    expect(existsSync(join(engine.home, 'lock'))).toBe(true);
    await engine.restart();
    expect((await api(engine.dockerHost, 'GET', '/_ping')).status).toBe(200);
  });

  it('SIGTERM ends it with 0, the lock and the socket go', async () => {
    expect(await engine.terminate()).toBe(0);
    expect(existsSync(join(engine.home, 'lock'))).toBe(false);
    expect(existsSync(engine.dockerHost.slice('unix://'.length))).toBe(false);
    await engine.restart();
  });

  it('one ^C may arrive twice (npm hands it on), also while it is opening', async () => {
    const code = await Promise.all([engine.terminate(), process.kill(engine.pid, 'SIGTERM')]);
    expect(code[0]).toBe(0);
    const run = launch(['--home', engine.home, '--docker-host', engine.dockerHost]);
    const lock = join(engine.home, 'lock');
    await until('the lock', () => existsSync(lock));
    run.child.kill('SIGINT');
    run.child.kill('SIGINT');
    expect(await run.ended).toBe(0);
    expect(existsSync(lock)).toBe(false);
    await engine.restart();
  });

  it('a home of a newer Drydock is refused and left alone', async () => {
    await engine.terminate();
    const file = join(engine.home, 'version.json');
    const text = '{"layout":999}';
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, text);
    const run = launch(['--home', engine.home, '--docker-host', engine.dockerHost]);
    expect(await run.ended).toBe(1);
    expect(run.output.stderr).toMatch(/^drydock: .*999/);
    expect(readFileSync(file, 'utf8')).toBe(text);
    writeFileSync(file, before);
    await engine.restart();
  });
});

describe('the window over HTTP', () => {
  let engine: TestEngine;
  let window: TestWindow;
  const messages: WatchMessage[] = [];

  beforeAll(async () => {
    engine = await startEngine();
    window = await openWindow(engine.url);
    const watching = await window.client.events.watch();
    void (async () => {
      for await (const message of watching) messages.push(message);
    })().catch(() => undefined);
    await until('the snapshot', () => messages.length > 0);
  });
  afterAll(async () => {
    window?.close();
    await engine?.stop();
  });

  const rowOf = (id: string) =>
    messages
      .flatMap((message) => (message.type === 'containers' ? message.upsert : []))
      .findLast((row) => row.id === id);
  const run = (change: Partial<RunRequest> = {}) =>
    window.client.containers.run({
      image: 'tool',
      env: [],
      mounts: [],
      ports: [],
      memory: 0,
      tty: false,
      openStdin: false,
      autoRemove: false,
      restart: 'no',
      ...change,
    });
  const linesOf = (id: string) => {
    const channel = window.channel({ t: 'logs', id, tail: -1, follow: true });
    return {
      channel,
      lines: () => channel.messages.flatMap((m) => (m.t === 'lines' ? m.lines.map((line) => line[2]) : [])),
    };
  };

  it('refuses the used link, no cookie, other hosts and other origins; prints the next link', async () => {
    expect(await statusOf(engine.url, {})).toBe(401);
    expect(await statusOf(`${window.origin}/`, {})).toBe(401);
    expect(await statusOf(`${window.origin}/`, { Cookie: window.cookie })).toBe(200);
    expect(await statusOf(`${window.origin}/`, { Cookie: window.cookie, Host: 'evil.example' })).toBe(403);
    expect(await statusOf(`${window.origin}/`, { Cookie: window.cookie, Origin: 'https://evil.example' })).toBe(403);
    const links = engine.stdout.match(/^Open .*$/gm) ?? [];
    expect(links).toHaveLength(2);
    expect(await logIn(links[1]?.slice('Open '.length) ?? '')).not.toBe(window.cookie);
  });

  it('a dropped module becomes an image that runs, and its lines arrive', async () => {
    const staged = (await window.stage('tool.wasm', readFileSync(fixture('tool')))) as StagedModule;
    expect(staged).toMatchObject({
      suggestedReference: 'tool:latest',
      module: { kind: 'core', entry: 'command', refusal: null },
    });
    const image = await window.client.modules.importStaged({ stageId: staged.stageId, reference: 'tool' });
    expect(image.reference).toBe('tool:latest');
    await until('the image’s row', () =>
      messages.some((m) => m.type === 'images' && m.upsert.some(({ id }) => id === image.imageId)),
    );
    expect(await window.client.images.inspect({ id: image.imageId })).toMatchObject({
      row: { tags: ['tool:latest'], os: 'wasi', architecture: 'wasm' },
      module: { digest: staged.module.digest },
      modulePath: '/tool.wasm',
    });

    const { id } = await run({ command: ['echo', 'hello', 'wörld'] });
    const row = await until('its end', () => rowOf(id)?.state === 'exited' && rowOf(id));
    expect(row).toMatchObject({ exitCode: 0, image: 'tool' });
    const { channel, lines } = linesOf(id);
    await channel.closed;
    expect(lines()).toEqual(['hello|wörld']);
    expect(channel.messages.slice(-2)).toEqual([{ t: 'caughtUp' }, { t: 'end' }]);
    expect((await window.client.containers.inspect({ id })).inspect).toMatchObject({ Id: id, State: { ExitCode: 0 } });
  });

  it('a running container: lines as they come, stats a second, stop', async () => {
    const { id } = await run({ name: 'ticking', command: ['tick', '50'] });
    const { channel, lines } = linesOf(id);
    await until('caught up and more', () => channel.messages.some((m) => m.t === 'caughtUp') && lines().length > 3);
    const stats = await window.client.containers.stats({ ids: [id] });
    const found = await until('a sample', async () => {
      const next = await stats.next();
      return next.done ? undefined : next.value.samples[0];
    });
    expect(found).toMatchObject({ id, threads: expect.any(Number) });
    expect(found.memory).toBeGreaterThan(0);
    await stats.return();
    await window.client.containers.stop({ id });
    await channel.closed;
    expect(await until('its end', () => rowOf(id)?.state === 'exited' && rowOf(id))).toMatchObject({ exitCode: 143 });
    await window.client.containers.remove({ id, force: false, volumes: true });
    await until('its going', () => messages.some((m) => m.type === 'containers' && m.removed.includes(id)));
  });

  it('a terminal: typed lines come back', async () => {
    const { id } = await run({ command: ['cat'], openStdin: true });
    const channel = window.channel({ t: 'attach', id, logs: true, rows: 24, columns: 80 });
    const text = () =>
      channel.messages.map((m) => (m.t === 'output' ? Buffer.from(m.data, 'base64').toString() : '')).join('');
    await until('the row', () => rowOf(id)?.state === 'running');
    channel.send({ t: 'input', data: Buffer.from('one\n').toString('base64') });
    await until('the echo', () => text() === 'one\n');
    channel.send({ t: 'input', data: Buffer.from('two\n').toString('base64') });
    channel.send({ t: 'inputEnd' });
    await channel.closed;
    expect(text()).toBe('one\ntwo\n');
    expect(channel.messages.at(-1)).toEqual({ t: 'end' });
  });

  it('bad input: each is named, nothing is left', async () => {
    const tool = readFileSync(fixture('tool'));
    expect(await window.stage('text.wasm', Buffer.from('just text'))).toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(/^text\.wasm: not a WebAssembly module \(text\)/),
    });
    expect(await window.stage('elf.wasm', readFileSync(process.execPath).subarray(0, 4096))).toMatchObject({
      message: expect.stringMatching(/^elf\.wasm: .*ELF/),
    });
    expect(await window.stage('cut.wasm', tool.subarray(0, 5000))).toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(/^cut\.wasm: /),
    });
    const before = (await api(engine.dockerHost, 'GET', '/containers/json?all=1')).json<unknown[]>().length;
    expect(await failureOf(run({ image: 'absent' }))).toMatchObject({
      kind: 'notFound',
      message: expect.stringMatching(/absent/),
    });
    expect(await failureOf(run({ name: 'no/slash' }))).toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(/no\/slash/),
    });
    const missing = { type: 'bind', source: '/nonexistent-source', target: '/x', readOnly: true } as const;
    expect(await failureOf(run({ mounts: [missing] }))).toMatchObject({
      message: expect.stringMatching(/\/nonexistent-source/),
    });
    expect((await api(engine.dockerHost, 'GET', '/containers/json?all=1')).json<unknown[]>()).toHaveLength(before);

    const { id } = await run({ name: 'taken', command: ['echo', 'x'] });
    expect(await failureOf(run({ name: 'taken' }))).toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining('/taken'),
    });
    await until('its end', () => rowOf(id)?.state === 'exited');
    expect(await failureOf(window.client.images.remove({ id: 'tool', force: false }))).toMatchObject({
      kind: 'conflict',
    });
    expect(await failureOf(window.client.containers.start({ id: 'nobody' }))).toMatchObject({
      kind: 'notFound',
      message: 'No such container: nobody',
    });
    const channel = window.channel({ t: 'logs', id: 'nobody', tail: 1, follow: true });
    await channel.closed;
    expect(channel.messages).toEqual([{ t: 'error', message: 'No such container: nobody' }]);
  });

  it('settings are in the home and survive a restart', async () => {
    await window.client.settings.set({ theme: 'dark' });
    expect(JSON.parse(readFileSync(join(engine.home, 'config.json'), 'utf8'))).toMatchObject({ theme: 'dark' });
  });

  it('what the docker CLI’s side does is seen', async () => {
    const made = await api(engine.dockerHost, 'POST', '/containers/create?name=outside', {
      Image: 'tool',
      Cmd: ['echo', 'x'],
    });
    const { Id } = made.json<{ Id: string }>();
    await until('the row', () => rowOf(Id)?.name === 'outside');
    await api(engine.dockerHost, 'POST', `/containers/${Id}/rename?name=renamed`);
    await until('the new name', () => rowOf(Id)?.name === 'renamed');
    await api(engine.dockerHost, 'DELETE', `/containers/${Id}`);
    await until('its going', () => messages.some((m) => m.type === 'containers' && m.removed.includes(Id)));
  });

  it('SIGTERM with a container running: it is stopped, and its record is true', async () => {
    const { id } = await run({ name: 'kept', command: ['tick', '50'] });
    await until('it runs', () => rowOf(id)?.state === 'running');
    expect(await engine.terminate()).toBe(0);
    await engine.restart();
    const found = (await api(engine.dockerHost, 'GET', `/containers/kept/json`)).json<{ State: { Status: string } }>();
    expect(found.State.Status).toBe('exited');
  });
});
