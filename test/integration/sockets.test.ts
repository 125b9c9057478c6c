import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connect, type Socket } from 'node:net';
import { createSocket } from 'node:dgram';
import { fixture } from '../fixtures/compile.ts';
import { buildContext, removeDirectory } from '../support/context.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { hasDocker } from '../support/tools.ts';
import { until } from '../support/until.ts';

const programs = ['tcp-echo', 'tcp-client', 'http-server', 'udp', 'socket-probe', 'listen-fds'] as const;

/** C programs on sockets in containers, in a process of their own and among others in one. */
describe.skipIf(!hasDocker()).each(['process', 'shared'])('sockets of guests, isolation %s', (isolation) => {
  let engine: TestEngine;
  let context: string;
  const sockets: Socket[] = [];
  const started: string[] = [];

  beforeAll(async () => {
    engine = await startEngine();
    context = buildContext({
      ...Object.fromEntries(programs.map((name) => [`${name}.wasm`, { from: fixture(name) }])),
      Dockerfile: `FROM scratch\nCOPY ${programs.map((name) => `${name}.wasm`).join(' ')} /\nCMD ["/socket-probe.wasm"]\n`,
    });
    const built = await engine.docker(['build', '-t', 'sockets', context]);
    expect(built.stderr + built.stdout).toContain('Successfully tagged sockets:latest');
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    if (started.length > 0) await engine.docker(['rm', '-f', ...started.splice(0)]);
  });
  afterAll(async () => {
    await engine?.stop();
    if (context) removeDirectory(context);
  });

  const run = (options: readonly string[], program: string, ...args: readonly string[]) =>
    engine.docker(['run', '--isolation', isolation, ...options, 'sockets', `/${program}.wasm`, ...args]);

  /** Starts a server and waits until it says that it listens; the container's id and host port. */
  async function serve(options: readonly string[], program: string, ...args: readonly string[]) {
    const { stdout, stderr, code } = await run(['-d', ...options], program, ...args);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const id = stdout.trim();
    started.push(id);
    await until('its first line', async () => (await logs(id)).includes('\n'));
    const port = (await engine.docker(['port', id])).stdout.split('\n')[0]?.split(':').pop() ?? '';
    return { id, port: Number(port) };
  }
  const logs = async (id: string): Promise<string> => (await engine.docker(['logs', id])).stdout;

  /** Sends all, closes its side, and gives what comes back until the end. */
  function exchange(port: number, data: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' });
      sockets.push(socket);
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.on('error', reject);
      socket.on('end', () => resolve(Buffer.concat(chunks)));
      socket.end(data);
    });
  }

  it('a guest has a loopback of its own, in which everything is as the ABI says', async () => {
    const probe = await run(['--rm'], 'socket-probe', 'loopback');
    expect(probe.stdout.trimEnd().split('\n')).toEqual([
      ...['bind 0', 'listen 0', 'family 4 port 1', 'taken 3', 'connect 0', 'accept 0', 'write 4', 'recv 0 ping'],
      ...['send 0 5', 'read 5', 'poll 1 1', 'end 0', 'half 1'],
    ]);
    const options = await run(['--rm'], 'socket-probe', 'options');
    expect(options.stdout).toBe(
      'type 2\nreuse 0\nreuse 1\nerror 0\nlistens 0\ntimeout 1.500000\nunknown 28\nsocket 1\n',
    );
    const refused = await run(['--rm'], 'socket-probe', 'connect', '127.0.0.1', '9');
    expect(refused.stdout).toMatch(/^connect (26\npoll 1\nerror 14|14\npoll 1\nerror 0)\n$/);
    expect((await run(['--rm'], 'socket-probe', 'resolve', 'no-such-name.invalid')).stdout).toMatch(/^error 8[34]\n$/);
    expect((await run(['--rm'], 'socket-probe', 'resolve', '192.0.2.7', 'https')).stdout).toBe(
      'inet4 192.0.2.7 port 443\n',
    );
  });

  it('a published port leads to a blocking server', async () => {
    const { id, port } = await serve(['-p', '127.0.0.1::7'], 'tcp-echo', '7');
    expect((await exchange(port, Buffer.from('hello'))).toString()).toBe('hello');
    const big = Buffer.alloc(3_000_000, 'drydock ');
    expect((await exchange(port, big)).equals(big)).toBe(true);
    await until('the second connection in the log', async () => (await logs(id)).split('\n').length > 3);
    expect(await logs(id)).toMatch(/^listening on 7\n5 bytes from [\d.]+\n3000000 bytes from [\d.]+\n$/);
  });

  it('one server with poll answers many connections at once', async () => {
    const { port } = await serve(['-p', '127.0.0.1::80'], 'http-server');
    const url = `http://127.0.0.1:${port}`;
    expect(await (await fetch(`${url}/path?x=1`)).text()).toMatch(/^\/path\?x=1 from [\d.]+\n$/);
    const body = 'body '.repeat(20_000);
    expect(await (await fetch(`${url}/echo`, { method: 'POST', body })).text()).toBe(body);
    expect((await fetch(`${url}/blob/2000000`).then((answer) => answer.arrayBuffer())).byteLength).toBe(2_000_000);
    expect((await fetch(`${url}/x`, { method: 'DELETE' })).status).toBe(405);

    const many = await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        exchange(port, Buffer.from(`GET /${index} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)),
      ),
    );
    for (const [index, answer] of many.entries()) expect(answer.toString()).toContain(`\r\n\r\n/${index} from `);
  });

  it('containers of one network find each other by name, others do not', async () => {
    const network = `n-${isolation}`;
    await engine.docker(['network', 'create', network]);
    const { id } = await serve(['--network', network, '--name', `web-${isolation}`], 'tcp-echo', '7');
    const ask = (options: readonly string[], ...args: readonly string[]) =>
      run(['--rm', ...options], 'tcp-client', `web-${isolation}`, '7', ...args);
    const friend = await ask(['--network', network], 'hi');
    expect([friend.stdout, friend.stderr, friend.code]).toEqual(['hi\n', '', 0]);
    expect((await ask([], 'hi')).stderr).toMatch(/^getaddrinfo: errno \d+\n$/);
    expect((await ask(['--network', network], 'again', '200')).stdout).toBe('200 connections\n');
    expect(await logs(id)).toMatch(/3 bytes from 172\.\d+\.\d+\.\d+\n6 bytes from/);
  });

  it('datagrams go both ways, and a receive gives up at its timeout', async () => {
    const { port, id } = await serve(['-p', '127.0.0.1::53/udp'], 'udp', 'serve', '53');
    const socket = createSocket('udp4');
    try {
      const answers: string[] = [];
      socket.on('message', (message) => answers.push(message.toString()));
      socket.send('hello', port, '127.0.0.1');
      await until('answer 1', () => answers.length === 1);
      socket.send('', port, '127.0.0.1');
      await until('answer 2', () => answers.length === 2);
      socket.send('quit', port, '127.0.0.1');
      await until('answer 3', () => answers.length === 3);
      expect(answers).toEqual(['hello', '', 'quit']);
    } finally {
      socket.close();
    }
    expect((await engine.docker(['wait', id])).stdout).toBe('0\n');
    expect((await run(['--rm'], 'udp', 'ask', '127.0.0.1', '9', 'anybody?')).code).not.toBe(0);
  });

  it('a program that knows the standard calls only is given its socket', async () => {
    const { id, port } = await serve(
      ['-p', '127.0.0.1::8080', '--label', 'drydock.listen=tcp:8080'],
      'listen-fds',
      '2',
    );
    expect(await logs(id)).toBe('sockets 1\n');
    expect((await exchange(port, Buffer.from('one'))).toString()).toBe('one');
    expect((await exchange(port, Buffer.from('two'))).toString()).toBe('two');
    expect((await engine.docker(['wait', id])).stdout).toBe('0\n');
    const wrong = await run(['--rm', '--label', 'drydock.listen=8080'], 'listen-fds');
    expect(wrong.stderr).toContain('invalid label drydock.listen: "8080": not a protocol and a port');
  });

  it('a guest that waits for a connection is stopped at once', async () => {
    const { id } = await serve([], 'tcp-echo', '7');
    expect((await engine.docker(['stop', id])).code).toBe(0);
    expect((await engine.docker(['inspect', '-f', '{{.State.ExitCode}}', id])).stdout).toBe('143\n');
  });
});
