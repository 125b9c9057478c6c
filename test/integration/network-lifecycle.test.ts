import { existsSync, readdirSync } from 'node:fs';
import { createServer, connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../fixtures/compile.ts';
import { buildContext, removeDirectory } from '../support/context.ts';
import { startEngine, type DockerAnswer, type TestEngine } from '../support/engine.ts';
import { hasDocker } from '../support/tools.ts';
import { until } from '../support/until.ts';

/** However a run ends, its ports and gates are free. */
describe.skipIf(!hasDocker())('ports and gates over the life of containers', () => {
  let engine: TestEngine;
  let context: string;

  beforeAll(async () => {
    engine = await startEngine();
    const programs = ['http-server', 'tcp-client', 'tool'] as const;
    context = buildContext({
      ...Object.fromEntries(programs.map((name) => [`${name}.wasm`, { from: fixture(name) }])),
      Dockerfile: `FROM scratch\n${programs.map((name) => `COPY ${name}.wasm /${name}`).join('\n')}\nENTRYPOINT ["/http-server"]\n`,
    });
    const built = await engine.docker(['build', '-q', '-t', 'net', context]);
    if (built.code !== 0) throw new Error(built.stderr);
  });
  afterEach(async () => {
    const all = (await engine.docker(['ps', '-aq'])).stdout.split('\n').filter(Boolean);
    if (all.length > 0) await engine.docker(['rm', '-f', ...all]);
    await engine.docker(['network', 'prune', '-f']);
  });
  afterAll(async () => {
    await engine?.stop();
    if (context) removeDirectory(context);
  });

  const docker = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await engine.docker(args);
    if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${code} ${stderr}`);
    return stdout.trim();
  };
  const inspect = (name: string, format: string): Promise<string> => docker('inspect', '-f', format, name);
  const listens = (name: string, times = 1): Promise<true> =>
    until(`${name} to listen`, async () => (await docker('logs', name)).split('listening').length > times || undefined);
  const answers = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve((socket.destroy(), true)));
      socket.once('error', () => resolve(false));
    });
  /** A port of the host that nobody has. */
  const freePort = (): Promise<number> =>
    new Promise((resolve) => {
      const server = createServer();
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo;
        server.close(() => resolve(port));
      });
    });
  const gates = (): readonly string[] => {
    const directory = join(engine.home, 'tmp', 'net');
    return existsSync(directory) ? readdirSync(directory) : [];
  };
  const web = (name: string, port: number, ...args: string[]): Promise<string> =>
    docker('run', '-d', '--name', name, '-p', `127.0.0.1:${port}:80`, ...args, 'net');
  const fetchFrom = (args: readonly string[], host: string, port = '80'): Promise<DockerAnswer> =>
    engine.docker([
      'run',
      '--rm',
      ...args,
      '--entrypoint',
      '/tcp-client',
      'net',
      host,
      port,
      'GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    ]);

  it('a runner that is killed, and a container that is removed by force', async () => {
    const port = await freePort();
    await web('one', port);
    await listens('one');
    expect(gates()).toHaveLength(1);
    process.kill(Number(await inspect('one', '{{.State.Pid}}')), 'SIGKILL');
    expect(await docker('wait', 'one')).toBe('137');
    expect(await answers(port)).toBe(false);
    expect(gates()).toEqual([]);
    await web('two', port);
    await listens('two');
    await docker('rm', '-f', 'two');
    expect(await answers(port)).toBe(false);
    expect(gates()).toEqual([]);
  });

  it('a start that fails after the ports were opened', async () => {
    const port = await freePort();
    const failed = await engine.docker([
      'run',
      '-d',
      '--name',
      'one',
      '-p',
      `127.0.0.1:${port}:80`,
      '--entrypoint',
      '/nothing',
      'net',
    ]);
    expect(failed.code).toBe(127);
    expect(await inspect('one', '{{json .NetworkSettings.Ports}}')).toBe('{}');
    expect(await answers(port)).toBe(false);
    await web('two', port);
    await listens('two');
    expect(await answers(port)).toBe(true);
  });

  it('restarts with a fixed port', async () => {
    const port = await freePort();
    await docker(
      'run',
      '-d',
      '--name',
      'loop',
      '--restart',
      'always',
      '-p',
      `127.0.0.1:${port}:80`,
      '--entrypoint',
      '/tool',
      'net',
      'exit',
      '3',
    );
    await until('three restarts', async () => Number(await inspect('loop', '{{.RestartCount}}')) >= 3 || undefined);
    expect(await inspect('loop', '{{.State.Error}}')).toBe('');
    await docker('rm', '-f', 'loop');
    await web('one', port);
    for (let times = 1; times <= 5; times++) {
      await listens('one', times);
      expect(await answers(port)).toBe(true);
      await docker('restart', '-t', '0', 'one');
    }
  });

  it('two that want one port at the same moment', async () => {
    const port = await freePort();
    for (let round = 0; round < 5; round++) {
      const both = await Promise.all(
        ['one', 'two'].map((name) => engine.docker(['run', '-d', '--name', name, '-p', `${port}:80`, 'net'])),
      );
      expect(both.map(({ code }) => code).sort()).toEqual([0, 125]);
      const [winner, loser] = both[0]?.code === 0 ? ['one', 'two'] : ['two', 'one'];
      expect(both.find(({ code }) => code === 125)?.stderr).toContain(
        `Bind for 0.0.0.0:${port} failed: port is already allocated`,
      );
      await docker('rm', '-f', winner as string);
      await docker('start', loser as string);
      await listens(loser as string);
      expect(await answers(port)).toBe(true);
      await docker('rm', '-f', loser as string);
    }
  });

  it('an engine that is killed', async () => {
    const port = await freePort();
    await web('one', port);
    await listens('one');
    await engine.kill9();
    await until('the port to be free', async () => !(await answers(port)) || undefined);
    await engine.restart();
    expect(await inspect('one', '{{.State.Status}}')).toBe('exited');
    expect(gates()).toEqual([]);
    await docker('start', 'one');
    await listens('one', 2);
    expect(await answers(port)).toBe(true);
  });

  it('an exec that ends while it listens', async () => {
    await docker('network', 'create', 'n');
    await docker('run', '-d', '--name', 'main', '--network', 'n', '--entrypoint', '/tool', 'net', 'sleep', '600');
    for (let times = 0; times < 3; times++) {
      await docker('exec', '-d', 'main', '/http-server', '80');
      await until('it to answer', async () => (await fetchFrom(['--network', 'n'], 'main')).code === 0 || undefined);
      // The runner of the exec, beside that of the program.
      const [titles = '', ...rows] = (await docker('top', 'main')).split('\n');
      const column = titles.trim().split(/\s+/).indexOf('PID');
      const pids = rows.map((row) => Number(row.trim().split(/\s+/)[column]));
      const own = Number(await inspect('main', '{{.State.Pid}}'));
      const exec = pids.find((pid) => pid !== own) as number;
      process.kill(exec, 'SIGKILL');
      await until('its gate to be gone', () => gates().length === 0);
      expect((await fetchFrom(['--network', 'n'], 'main')).code).not.toBe(0);
    }
  });

  it('who shares the network of a container that was restarted or removed', async () => {
    await docker('network', 'create', 'n');
    await docker('run', '-d', '--name', 'xx', '--network', 'n', 'net');
    await docker('run', '-d', '--name', 'peer', '--network', 'n', 'net');
    await docker(
      'run',
      '-d',
      '--name',
      'yy',
      '--network',
      'container:xx',
      '--entrypoint',
      '/tool',
      'net',
      'sleep',
      '600',
    );
    for (const name of ['xx', 'peer']) await listens(name);
    const from = (host: string): Promise<DockerAnswer> =>
      engine.docker([
        'exec',
        'yy',
        '/tcp-client',
        host,
        '80',
        'GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      ]);
    expect((await from('127.0.0.1')).stdout).toContain('/x from 127.0.0.1');
    expect((await from('peer')).stdout).toContain('/x from 172.');
    await docker('restart', '-t', '0', 'xx');
    await listens('xx', 2);
    const peer = await inspect('peer', '{{.NetworkSettings.Networks.n.IPAddress}}');
    // Nothing but an empty loopback.
    expect((await from('127.0.0.1')).code).toBe(14);
    expect((await from(peer)).code).toBe(23);
    // Started anew it is with the new one.
    await docker('restart', '-t', '0', 'yy');
    expect((await from('peer')).stdout).toContain('/x from 172.');
    await docker('rm', '-f', 'xx');
    expect((await from('127.0.0.1')).code).toBe(14);
    await docker('stop', '-t', '0', 'yy');
    const failed = await engine.docker(['start', 'yy']);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('No such container');
  });
});
