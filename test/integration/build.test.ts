/** `docker build` by the unmodified CLI: what crosses parts. Instructions one by one are tested beside electron/engine/builder. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fixture } from '../fixtures/compile.ts';
import { startEngine, type DockerAnswer, type TestEngine } from '../support/engine.ts';
import { hasDocker } from '../support/tools.ts';
import { until } from '../support/until.ts';

const programs = ['tool', 'limits', 'threads', 'tcp-client', 'tcp-echo', 'sh'] as const;

describe.skipIf(!hasDocker())('docker build', () => {
  let engine: TestEngine;
  let scratch: string;
  let count = 0;

  beforeAll(async () => {
    engine = await startEngine();
    scratch = mkdtempSync(join(tmpdir(), 'drydock-build-'));
    const files = Object.fromEntries(programs.map((name) => [`bin/${name}.wasm`, readFileSync(fixture(name))]));
    const built = await build({ ...files, Dockerfile: 'FROM scratch\nCOPY bin /bin\n' }, '-t', 'base');
    expect(built.stdout + built.stderr).toContain('Successfully tagged base:latest');
  });
  afterAll(async () => {
    await engine?.stop();
    if (scratch) rmSync(scratch, { recursive: true, force: true });
  });

  type Files = Readonly<Record<string, string | Uint8Array>>;
  const directory = (files: Files): string => {
    const path = join(scratch, `context-${++count}`);
    for (const [name, content] of Object.entries({ ...files })) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), content);
    }
    return path;
  };
  const build = (files: Files, ...args: string[]): Promise<DockerAnswer> =>
    engine.docker(['build', ...args, directory(files)]);
  /** A build on the image with the programs. @throws when it fails */
  const made = async (lines: string, ...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await build({ Dockerfile: `FROM base\n${lines}` }, '-t', 't', ...args);
    if (code !== 0) throw new Error(`${stdout}${stderr}`);
    return stdout;
  };
  /** What a build that fails says on stderr. */
  const failing = async (lines: string, ...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await build({ Dockerfile: `FROM base\n${lines}` }, ...args);
    expect([code, stdout.includes('Successfully built')]).toEqual([1, false]);
    return stderr.trim();
  };
  const file = async (path: string): Promise<string> =>
    (await engine.docker(['run', '--rm', '--entrypoint', '/bin/tool.wasm', 't', 'read', path])).stdout;
  const inspect = async (format: string): Promise<string> =>
    (await engine.docker(['inspect', '--format', format, 't'])).stdout.trim();
  const leftInTmp = (): string[] => readdirSync(join(engine.home, 'tmp/images'));

  describe('RUN', () => {
    it('runs programs of the stage and keeps what they write and remove', async () => {
      const out = await made(
        [
          'ENV E=env',
          'ARG A=arg',
          'WORKDIR /w',
          'RUN ["tool", "write", "/w/one", "1"]',
          'RUN ["tool", "echo", "two", "words"]',
          'RUN ["/bin/tool.wasm", "both"]',
          'RUN ["tool", "env"]',
          'RUN ["tool", "remove", "/bin/limits.wasm"]',
        ].join('\n'),
      );
      expect(out).toContain('two|words\n');
      expect(out).toContain('OUT\nERR\n');
      expect(out).toMatch(/^E=env$/m);
      expect(out).toMatch(/^A=arg$/m);
      expect(out).toMatch(/^PWD=\/w$/m);
      expect(out).toMatch(/^PATH=/m);
      expect(await file('/w/one')).toBe('1\n');
      const left = await engine.docker(['run', '--rm', '--entrypoint', '/bin/tool.wasm', 't', 'ls', '/bin']);
      expect(left.stdout).not.toContain('limits');
      const history = await engine.docker(['history', '--no-trunc', '--format', '{{.CreatedBy}}', 't']);
      expect(history.stdout.split('\n')[0]).toBe('RUN |1 A=arg tool remove /bin/limits.wasm');
      expect(
        (await made('ENV E=env\nARG A=arg\nWORKDIR /w\nRUN ["tool", "write", "/w/one", "1"]')).match(/Using cache/g),
      ).toHaveLength(4);
    });

    it('in shell form runs the shell of the image, heredocs included', async () => {
      const out = await made(
        [
          'ENV X=value',
          'RUN echo "$X"  is $X > /x && cat /x',
          'RUN <<END',
          'echo one > /h',
          'echo two >> /h',
          'END',
          'RUN cat <<E > /doc',
          'text of $X',
          'E',
          'SHELL ["/bin/tool.wasm", "echo"]',
          'RUN not a shell',
        ].join('\n'),
      );
      expect(out).toContain('value is value\n');
      expect(out).toContain('not a shell\n');
      expect([await file('/h'), await file('/doc')]).toEqual(['one\ntwo\n', 'text of $X\n']);
    });

    it('without a shell says what to do', async () => {
      const answer = await build({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /x\nRUN echo hi' });
      expect(answer.code).toBe(1);
      expect(answer.stderr).toMatch(
        /^RUN failed: the image has no shell: \/bin\/sh is not in it \(Use the exec form, RUN \["program.wasm"/m,
      );
      expect(answer.stdout).toContain('Step 3/3 : RUN echo hi\n');
      const native = await build({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /bin/sh\nRUN echo hi' });
      expect(native.stderr).toMatch(/^RUN failed: .*\/bin\/sh/m);
    });

    it.each([
      ['["tool", "exit", "3"]', "The command 'tool exit 3' returned a non-zero code: 3"],
      ['nope', "The command '/bin/sh -c nope' returned a non-zero code: 127"],
      ['["tool", "abort"]', "The command 'tool abort' returned a non-zero code: 134: unreachable"],
      ['["nope"]', 'RUN failed: exec: "nope": stat nope: no such file or directory'],
    ])('RUN %s fails with its reason', async (run, message) => {
      expect(await failing(`RUN ["tool", "write", "/kept", "x"]\nRUN ${run}\nENV A=1`)).toContain(message);
      // What came before is not done again.
      expect(await made('RUN ["tool", "write", "/kept", "x"]\nENV B=1')).toContain('Using cache');
    });

    it('has the limits of -m, --cpu-quota and --ulimit nofile', async () => {
      expect(await failing('RUN ["limits", "oom"]', '-m', '32m')).toContain(
        "The command 'limits oom' returned a non-zero code: 137: unreachable: the memory limit of 32 MiB was reached",
      );
      expect(await failing('RUN ["tool", "echo"]', '-m', '4k')).toContain('Minimum memory limit allowed is 64KB');
      expect(await made('RUN ["/bin/limits.wasm", "files", "10000"]', '--ulimit', 'nofile=64')).toContain(
        'No file descriptors',
      );
      expect(await made('RUN ["/bin/limits.wasm", "files", "1000"]', '--no-cache')).toContain('1000 all\n');
      expect(await made('RUN ["tool", "echo", "slow"]', '--cpu-quota', '50000')).toContain('slow\n');
      expect(await failing('RUN ["tool", "echo"]', '--cpu-quota', '99900000')).toContain('range of CPUs');
      const warned = await made('ENV A=2', '--ulimit', 'nproc=5', '--shm-size', '1m');
      expect(warned).toContain('[Warning] --ulimit nproc has no effect');
    });

    it('reads nothing from stdin, and may have threads', async () => {
      expect(await made('RUN ["tool", "cat"]\nRUN ["tool", "isatty"]')).toContain('000\n');
      expect(await made('RUN ["threads", "sum", "4", "10"]', '--no-cache')).toContain('sum 40\n');
    });

    it('is on the default network, on another, or on none', async () => {
      await engine.docker(['network', 'create', 'lab']);
      const serve = async (name: string, ...args: string[]): Promise<void> => {
        await engine.docker(['run', '-d', '--name', name, ...args, '--entrypoint', '/bin/tcp-echo.wasm', 'base', '7']);
        await until('it to listen', async () => (await engine.docker(['logs', name])).stdout.includes('listening'));
      };
      await serve('echo');
      await serve('named', '--network', 'lab');
      const ip = (await engine.docker(['inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'echo'])).stdout.trim();
      const ask = (host: string, flags = '') => `RUN ${flags} ["tcp-client", "${host}", "7", "over the wire"]`;
      expect(await made(ask(ip), '--no-cache')).toContain('over the wire\n ---> ');
      expect(await made(ask('named'), '--no-cache', '--network', 'lab')).toContain('over the wire\n');
      expect(await made(ask('127.0.0.1'), '--no-cache', '--network', 'container:named')).toContain('over the wire\n');
      expect(await made(ask('that'), '--no-cache', '--add-host', `that:${ip}`)).toContain('over the wire\n');
      for (const args of [
        [ask(ip), '--network', 'none'],
        [ask(ip, '--network=none')],
        [ask(ip), '--network', 'lab'],
      ] as const)
        expect(await failing(args[0], '--no-cache', ...args.slice(1))).toMatch(/returned a non-zero code: \d+/);
      expect(await failing(ask(ip), '--no-cache', '--network', 'nope')).toContain('network nope not found');
      // Nobody is left on them.
      await engine.docker(['rm', '-f', 'echo', 'named']);
      expect((await engine.docker(['network', 'rm', 'lab'])).stderr).toBe('');
    });

    it('streams what is said as it is said, and ends with the client, leaving nothing', async () => {
      const path = directory({ Dockerfile: 'FROM base\nRUN ["tool", "tick", "20"]' });
      const client: ChildProcess = spawn('docker', ['build', '--no-cache', path], {
        env: { ...process.env, DOCKER_HOST: engine.dockerHost, DOCKER_BUILDKIT: '0', DOCKER_CONFIG: scratch },
      });
      let out = '';
      client.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
      await until('some lines', () => out.includes('tick 3\n'));
      const runner = (): string =>
        execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(engine.pid)], { encoding: 'utf8' });
      expect(runner()).toContain('runner');
      client.kill('SIGKILL');
      await until('all to be removed', () => leftInTmp().length === 0);
      const seen = (await engine.docker(['network', 'inspect', 'bridge', '-f', '{{len .Containers}}'])).stdout.trim();
      expect(seen).toBe('0');
    });
  });

  describe('the command line', () => {
    const dockerfile = 'FROM base\nARG V=none\nCOPY f /f\nENV V=$V\nFROM base AS last\nCOPY --from=0 /f /g\n';
    beforeEach(() => engine.docker(['rmi', '-f', 't', 'u:2']));

    it('--target, --build-arg, --label, --iidfile, several tags', async () => {
      const iid = join(scratch, 'iid');
      const args = [
        '--target',
        '0',
        '--build-arg',
        'V=7',
        '--label',
        'a=b c',
        '--iidfile',
        iid,
        '-t',
        't',
        '-t',
        'u:2',
      ];
      const { stdout } = await build({ Dockerfile: dockerfile, f: 'x' }, ...args);
      expect(stdout).toMatch(/Successfully tagged t:latest\nSuccessfully tagged u:2\n$/);
      expect(await inspect('{{.Id}} {{.Config.Labels.a}} {{json .Config.Env}}')).toBe(
        `${readFileSync(iid, 'utf8')} b c ["V=7"]`,
      );
      expect((await build({ Dockerfile: dockerfile, f: 'x' }, '--target', 'nope')).stderr).toContain(
        'failed to reach build target nope in Dockerfile',
      );
    });

    it('-q says the id and no more; a failure says all', async () => {
      const good = await build({ Dockerfile: dockerfile, f: 'x' }, '-q', '-t', 't');
      expect(good.stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
      expect(await inspect('{{.Id}}')).toBe(good.stdout.trim());
      const bad = await build({ Dockerfile: dockerfile }, '-q');
      expect([bad.code, bad.stdout]).toEqual([1, expect.not.stringContaining('sha256')]);
      expect(bad.stderr).toContain('COPY failed');
    });

    it('a Dockerfile, or a whole context, from stdin', async () => {
      const alone = await engine.docker(['build', '-t', 't', '-'], { input: 'FROM base\nENV from=stdin\n' });
      expect(alone.stdout).toContain('Successfully tagged t:latest');
      const other = directory({ f: 'beside it' });
      const beside = await engine.docker(['build', '-t', 't', '-f', '-', other], { input: 'FROM base\nCOPY f /f\n' });
      expect(beside.stderr + beside.stdout).toContain('Successfully tagged t:latest');
      expect(await file('/f')).toBe('beside it');
      const tar = execFileSync('tar', ['c', '-C', directory({ Dockerfile: 'FROM base\nCOPY f /f', f: 'packed' }), '.']);
      for (const input of [tar, gzipSync(tar)]) {
        const packed = await engine.docker(['build', '-t', 't', '-'], { input });
        expect(packed.stderr + packed.stdout).toContain('Successfully tagged t:latest');
        expect(await file('/f')).toBe('packed');
      }
    });

    it('the cache stays over a restart, and does not look at times', async () => {
      const files = { Dockerfile: dockerfile, f: 'x' };
      await build(files, '-t', 't');
      const id = await inspect('{{.Id}}');
      await engine.restart();
      const path = directory(files);
      execFileSync('touch', ['-d', '2001-01-01', join(path, 'f')]);
      const again = await engine.docker(['build', '-t', 't', path]);
      expect([again.stdout.match(/Using cache/g)?.length, await inspect('{{.Id}}')]).toEqual([4, id]);
      execFileSync('chmod', ['700', join(path, 'f')]);
      expect((await engine.docker(['build', '-t', 't', path])).stdout.match(/Using cache/g)).toHaveLength(1);
    });

    it('.dockerignore of the directory counts', async () => {
      const files = { '.dockerignore': '*\n!keep/**\nkeep/**/*.o\n', 'keep/a.c': 'c', 'keep/sub/a.o': 'o', other: 'x' };
      await build({ ...files, Dockerfile: 'FROM base\nCOPY . /src' }, '-t', 't');
      const ls = async (path: string) =>
        (await engine.docker(['run', '--rm', '--entrypoint', '/bin/tool.wasm', 't', 'ls', path])).stdout;
      expect(await ls('/src')).not.toContain('other');
      expect([await file('/src/keep/a.c'), await ls('/src/keep/sub')]).toEqual(['c', '']);
    });

    it.each([
      ['RUN --mount=type=cache,target=/c x', 'the --mount option of RUN requires BuildKit'],
      ['COPY --parents f /', 'the --parents option of COPY requires BuildKit'],
      ['FOO x', 'unknown instruction: FOO'],
      ['HEALTHCHECK --interval=5 CMD x', 'invalid duration "5" for interval'],
    ])('%s is refused before anything is done', async (line, message) => {
      const { code, stdout, stderr } = await build({ Dockerfile: `FROM base\n${line}`, f: 'x' });
      expect([code, stdout]).toEqual([1, expect.not.stringContaining('Step')]);
      expect(stderr).toContain(`dockerfile parse error line 2: ${message}`);
    });

    it('a health check of the image probes its containers', async () => {
      await made('HEALTHCHECK --interval=100ms --start-interval=50ms CMD ["/bin/tool.wasm", "read", "/bin/sh.wasm"]');
      await engine.docker(['run', '-d', '--name', 'probed', '--entrypoint', '/bin/tool.wasm', 't', 'sleep', '60']);
      await until('it to be healthy', async () => {
        const { stdout } = await engine.docker(['inspect', '-f', '{{.State.Health.Status}}', 'probed']);
        return stdout.trim() === 'healthy';
      });
      await engine.docker(['rm', '-f', 'probed']);
    });

    it('leaves nothing in the temporary directory', () => {
      expect(leftInTmp()).toEqual([]);
    });
  });
});
