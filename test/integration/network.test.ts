import { createServer as createHttpServer, get } from 'node:http';
import { createServer, connect, type AddressInfo, type Server } from 'node:net';
import { createSocket } from 'node:dgram';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../fixtures/compile.ts';
import { buildContext, removeDirectory } from '../support/context.ts';
import { startEngine, type DockerAnswer, type TestEngine } from '../support/engine.ts';
import { hasDocker } from '../support/tools.ts';
import { until } from '../support/until.ts';
import { openWindow, type TestWindow } from '../support/window.ts';

/** What the programs exit with. */
const errno = { acces: 2, addrinuse: 3, connrefused: 14, hostunreach: 23 };

describe.skipIf(!hasDocker()).each(['process', 'shared'])('the virtual network, isolation %s', (isolation) => {
  let engine: TestEngine;
  let window: TestWindow;
  let context: string;
  const strangers: Server[] = [];
  const run = ['run', '--isolation', isolation];

  beforeAll(async () => {
    engine = await startEngine();
    window = await openWindow(engine.url);
    const programs = ['http-server', 'tcp-client', 'tcp-echo', 'udp'] as const;
    context = buildContext({
      ...Object.fromEntries(programs.map((name) => [`${name}.wasm`, { from: fixture(name) }])),
      Dockerfile: `FROM scratch\n${programs.map((name) => `COPY ${name}.wasm /${name}`).join('\n')}\nEXPOSE 80\nENTRYPOINT ["/http-server"]\n`,
    });
    const built = await engine.docker(['build', '-q', '-t', 'net', context]);
    if (built.code !== 0) throw new Error(built.stderr);
  });
  afterEach(async () => {
    for (const server of strangers.splice(0)) server.close();
    const all = (await engine.docker(['ps', '-aq'])).stdout.split('\n').filter(Boolean);
    if (all.length > 0) await engine.docker(['rm', '-f', ...all]);
    await engine.docker(['network', 'prune', '-f']);
  });
  afterAll(async () => {
    window?.close();
    await engine?.stop();
    if (context) removeDirectory(context);
  });

  const docker = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await engine.docker(args);
    if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${code} ${stderr}`);
    return stdout.trim();
  };
  const listening = (name: string): Promise<true> =>
    until(`${name} to listen`, async () => (await docker('logs', name)).includes('listening') || undefined);
  /** Starts a program in the background; one that listens is waited for. */
  const serve = async (name: string, ...args: string[]): Promise<void> => {
    await docker(...run, '-d', '--name', name, ...args);
    await listening(name);
  };
  const web = (name: string, ...args: string[]): Promise<void> => serve(name, ...args, 'net');
  const client = (args: readonly string[], ...command: string[]): Promise<DockerAnswer> =>
    engine.docker([...run, '--rm', ...args, '--entrypoint', '/tcp-client', 'net', ...command]);
  const request = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
  const fetchFrom = (args: readonly string[], host: string, path = '/hi'): Promise<DockerAnswer> =>
    client(args, host, '80', request(path));
  const address = (name: string, network: string): Promise<string> =>
    docker('inspect', '-f', `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, name);
  const hostPort = async (name: string, port: string): Promise<number> =>
    Number(/:(\d+)$/m.exec(await docker('port', name, port))?.[1]);
  const listen = (server: Server, port = 0, host = '127.0.0.1'): Promise<number> =>
    new Promise((resolve, reject) => {
      strangers.push(server);
      server.once('error', reject);
      server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
    });
  const refused = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve((socket.destroy(), false)));
      socket.once('error', () => resolve(true));
    });
  const curl = (port: number, path: string, host = '127.0.0.1'): Promise<string> =>
    new Promise((resolve, reject) => {
      const outgoing = get({ host, port, path, agent: false }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('end', () => resolve(text));
      });
      outgoing.on('error', reject);
    });

  it('a server is reached from the host and by name from its network, and from no other', async () => {
    await docker('network', 'create', 'n');
    await docker('network', 'create', 'm');
    await web('web', '-p', '127.0.0.1::80', '--network', 'n', '--network-alias', 'www');
    const port = await hostPort('web', '80');
    expect(await curl(port, '/from-host')).toMatch(/^\/from-host from \d/);
    const own = await address('web', 'n');
    for (const name of ['web', 'www', 'web.n', own, (await docker('ps', '-q', '--filter', 'name=web')).slice(0, 12)]) {
      const answer = await fetchFrom(['--network', 'n'], name);
      expect(answer, `${name}: ${answer.stderr}`).toMatchObject({ code: 0 });
      expect(answer.stdout).toMatch(/HTTP\/1\.1 200 OK[\s\S]*\/hi from 172\./);
    }
    expect((await fetchFrom(['--network', 'm'], 'web')).code).not.toBe(0);
    expect((await fetchFrom(['--network', 'm'], own)).code).toBe(errno.hostunreach);
    expect((await fetchFrom([], own)).code).toBe(errno.hostunreach);
    expect((await fetchFrom(['--network', 'none'], own)).code).toBe(errno.hostunreach);
    expect((await client(['--network', 'n'], 'web', '81')).code).toBe(errno.connrefused);
    expect(await docker('ps', '--format', '{{.Ports}}')).toBe(`127.0.0.1:${port}->80/tcp`);
    expect(
      await docker('network', 'inspect', 'n', '-f', '{{range .Containers}}{{.Name}} {{.IPv4Address}}{{end}}'),
    ).toBe(`web ${own}/16`);
  });

  it('who comes to a published port from the loopback of the host is seen as the gateway', async () => {
    await docker('network', 'create', 'n');
    await web('web', '-p', '127.0.0.1::80', '--network', 'n');
    const gateway = await docker('network', 'inspect', '-f', '{{(index .IPAM.Config 0).Gateway}}', 'n');
    expect(await curl(await hostPort('web', '80'), '/x')).toBe(`/x from ${gateway}\n`);
  });

  it('two containers listen on the same port, each reached under its own name and port of the host', async () => {
    await docker('network', 'create', 'n');
    await web('one', '--network', 'n', '-p', '127.0.0.1::80');
    await web('two', '--network', 'n', '-P');
    const [one, two] = [await hostPort('one', '80'), await hostPort('two', '80')];
    expect(one).not.toBe(two);
    expect(await curl(one, '/one')).toMatch(/^\/one from/);
    expect(await curl(two, '/two')).toMatch(/^\/two from/);
    expect(await curl(two, '/six', '::1').catch((error: NodeJS.ErrnoException) => error.code)).toMatch(
      /^\/six from|^(EADDRNOTAVAIL|EAFNOSUPPORT|ECONNREFUSED)$/,
    );
    for (const name of ['one', 'two'])
      expect((await fetchFrom(['--network', 'n'], name, `/${name}`)).stdout).toContain(`/${name} from`);
  });

  it('a port is free again when its container has stopped, and opened again when it starts', async () => {
    const free = createServer();
    const port = await listen(free);
    await new Promise((resolve) => free.close(resolve));
    await web('web', '-p', `127.0.0.1:${port}:80`);
    expect(await curl(port, '/a')).toMatch(/^\/a/);
    expect(await docker('inspect', '-f', '{{json .NetworkSettings.Ports}}', 'web')).toBe(
      `{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"${port}"}]}`,
    );
    await docker('stop', 'web');
    expect(await refused(port)).toBe(true);
    expect(await docker('inspect', '-f', '{{json .NetworkSettings.Ports}}', 'web')).toBe('{}');
    expect(await docker('port', 'web')).toBe('');
    await docker('start', 'web');
    await until(
      'it to listen again',
      async () => (await docker('logs', 'web')).split('listening').length > 2 || undefined,
    );
    expect(await curl(port, '/b')).toMatch(/^\/b/);
    await docker('kill', 'web');
    expect(await refused(port)).toBe(true);
  });

  it('a port that is taken is named: by another container, and by a stranger; the next of a range is tried', async () => {
    await web('one', '-p', '127.0.0.1::80');
    const port = await hostPort('one', '80');
    const second = await engine.docker([...run, '--name', 'two', '-p', `127.0.0.1:${port}:80`, 'net']);
    expect(second.code).toBe(125);
    expect(second.stderr).toMatch(
      new RegExp(
        `driver failed programming external connectivity on endpoint two \\([0-9a-f]{64}\\): Bind for 127\\.0\\.0\\.1:${port} failed: port is already allocated`,
      ),
    );
    expect(await docker('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'two')).toBe('created 125');
    const stranger = await listen(createServer());
    const third = await engine.docker([...run, '--rm', '--name', 'three', '-p', `127.0.0.1:${stranger}:80`, 'net']);
    expect(third.code).toBe(125);
    expect(third.stderr).toContain(`Bind for 127.0.0.1:${stranger} failed: port is already allocated`);
    const last = Math.min(stranger + 20, 65_535);
    await web('range', '-p', `127.0.0.1:${stranger}-${last}:80`);
    const chosen = await hostPort('range', '80');
    expect(chosen).toBeGreaterThan(stranger);
    expect(chosen).toBeLessThanOrEqual(last);
    expect(await curl(chosen, '/r')).toMatch(/^\/r/);
  });

  it('udp: between containers, and through a published port', async () => {
    await docker('network', 'create', 'n');
    await serve('udp', '--network', 'n', '-p', '127.0.0.1::5353/udp', '--entrypoint', '/udp', 'net', 'serve', '5353');
    const ask = [...run, '--rm', '--network', 'n', '--entrypoint', '/udp', 'net', 'ask'];
    expect(await docker(...ask, 'udp', '5353', 'hello')).toBe('hello');
    expect(await docker('logs', 'udp')).toMatch(/5 bytes from 172\./);
    const port = await hostPort('udp', '5353/udp');
    const socket = createSocket('udp4');
    const answer = new Promise<string>((resolve) => socket.once('message', (bytes) => resolve(bytes.toString())));
    socket.send('from the host', port, '127.0.0.1');
    expect(await answer).toBe('from the host');
    socket.close();
  });

  it('the loopback is a container’s own; the host is host.docker.internal, but for internal networks', async () => {
    const host = await listen(createHttpServer((_request, response) => response.end('this is the host')));
    await docker('network', 'create', 'n');
    await docker('network', 'create', '--internal', 'inner');
    const ask = (args: readonly string[], name: string) => client(args, name, String(host), request('/'));
    const found = await ask(['--network', 'n'], 'host.docker.internal');
    expect(found.stdout).toContain('this is the host');
    expect((await ask(['--add-host', 'me:host-gateway'], 'me')).stdout).toContain('this is the host');
    for (const name of ['127.0.0.1', 'localhost', '0.0.0.0'])
      expect((await ask(['--network', 'n'], name)).code).toBe(errno.connrefused);
    expect((await ask(['--network', 'inner'], 'host.docker.internal')).code).not.toBe(0);
    const gateway = await docker('network', 'inspect', 'inner', '-f', '{{(index .IPAM.Config 0).Gateway}}');
    expect((await ask(['--network', 'inner'], gateway)).code).toBe(errno.hostunreach);
    expect((await ask(['--network', 'host'], '127.0.0.1')).stdout).toContain('this is the host');
    await web('web', '--network', 'inner');
    expect((await fetchFrom(['--network', 'inner'], 'web')).stdout).toContain('/hi from');
  });

  it('rules: by label, changed while it runs, each refusal told', async () => {
    const host = await listen(createServer((socket) => socket.on('error', () => undefined).end('this is the host\n')));
    const label = 'drydock.net.allow=host.docker.internal:1';
    await docker(...run, '-d', '--name', 'web', '--label', label, 'net');
    await listening('web');
    const ask = () => engine.docker(['exec', 'web', '/tcp-client', 'host.docker.internal', String(host), 'hello']);
    expect((await ask()).code).toBe(errno.acces);
    expect(await window.client.networks.access({ id: 'web' })).toMatchObject({
      rules: ['host.docker.internal:1'],
      refusals: [{ host: 'host.docker.internal', port: host, protocol: 'tcp' }],
    });
    const past = ['events', '--since', '60s', '--until', '0s', '--format', '{{json .Actor.Attributes}}'];
    const told = await until(
      'the event',
      async () => (await docker(...past, '--filter', 'event=net_refuse', '--filter', 'container=web')) || undefined,
    );
    expect(JSON.parse(told)).toMatchObject({ name: 'web', host: 'host.docker.internal', port: String(host) });
    await window.client.networks.setRules({ id: 'web', rules: [`host.docker.internal:${host}`] });
    expect((await ask()).stdout).toContain('this is the host');
    await window.client.networks.setRules({ id: 'web', rules: 'none' });
    expect((await ask()).code).not.toBe(0);
    await docker('restart', 'web');
    expect(await window.client.networks.access({ id: 'web' })).toEqual({ rules: 'none', refusals: [] });
    const wrong = await engine.docker([...run, '--rm', '--label', 'drydock.net.allow=http://x', 'net']);
    expect(wrong.code).toBe(125);
    expect(wrong.stderr).toContain('the label drydock.net.allow: invalid outbound rule "http://x"');
  });

  it('network container:X shares everything, connect and disconnect count at once', async () => {
    await docker('network', 'create', 'n', '--subnet', '10.211.0.0/24');
    await web('web', '--network', 'n', '--ip', '10.211.0.77');
    expect(await address('web', 'n')).toBe('10.211.0.77');
    expect((await fetchFrom(['--network', 'container:web'], '127.0.0.1')).stdout).toContain('/hi from 127.0.0.1');
    const same = await engine.docker([...run, '--rm', '--network', 'container:web', 'net', '80']);
    expect(same.code).toBe(1);
    expect(same.stderr).toContain(`errno ${errno.addrinuse}`);
    expect(await docker('exec', 'web', '/tcp-client', 'localhost', '80', request('/x'))).toContain('/x from 127.0.0.1');
    await web('other');
    const ask = () => engine.docker(['exec', 'other', '/tcp-client', '10.211.0.77', '80', request('/y')]);
    expect((await ask()).code).toBe(errno.hostunreach);
    await docker('network', 'connect', '--alias', 'o', 'n', 'other');
    expect((await ask()).stdout).toContain('/y from 10.211.0.');
    expect((await fetchFrom(['--network', 'n'], 'o')).stdout).toContain('/hi from 10.211.0.');
    await docker('network', 'disconnect', 'n', 'other');
    expect((await ask()).code).toBe(errno.hostunreach);
    await docker('stop', 'web');
    const gone = await engine.docker([...run, '--rm', '--network', 'container:web', 'net']);
    expect(gone.code).toBe(125);
    expect(gone.stderr).toContain('cannot join network namespace of a non running container');
  });
});
