/** `docker run --rm` end to end against `docker version` on the same socket; dockerd the same way when it is installed (root only). */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixture } from '../fixtures/compile.ts';
import { buildContext, removeDirectory } from '../support/context.ts';
import { startEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';
import { median, times, type Row } from './table.ts';

const rounds = 40;

function cli(dockerHost: string, args: readonly string[]): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn('docker', args, {
      env: { ...process.env, DOCKER_HOST: dockerHost, DOCKER_BUILDKIT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    child.stdout.resume();
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('close', (code) =>
      code === 0
        ? resolve(performance.now() - started)
        : reject(new Error(`docker ${args.join(' ')}: ${code} ${errors}`)),
    );
  });
}

/** Alternating, so that both see the same machine. */
async function pair(dockerHost: string, image: string): Promise<{ version: number[]; run: number[] }> {
  const result = { version: [] as number[], run: [] as number[] };
  for (let i = 0; i < 5; i++) await cli(dockerHost, ['run', '--rm', image, 'echo', 'hello']);
  for (let i = 0; i < rounds; i++) {
    result.version.push(await cli(dockerHost, ['version']));
    result.run.push(await cli(dockerHost, ['run', '--rm', image, 'echo', 'hello']));
  }
  return result;
}

async function dockerd(): Promise<Row[]> {
  if (process.getuid?.() !== 0 || !existsSync('/usr/sbin/dockerd')) return [];
  const directory = mkdtempSync(join(tmpdir(), 'drydock-dockerd-'));
  const host = `unix://${directory}/d.sock`;
  const daemon = spawn(
    'dockerd',
    [
      '-H',
      host,
      '--data-root',
      `${directory}/data`,
      '--exec-root',
      `${directory}/exec`,
      '--pidfile',
      `${directory}/pid`,
      '--iptables=false',
      '--ip6tables=false',
      '--bridge=none',
      '--storage-driver=vfs',
    ],
    { stdio: 'ignore' },
  );
  try {
    await until(
      'dockerd',
      () => spawnSync('docker', ['version'], { env: { ...process.env, DOCKER_HOST: host } }).status === 0 || undefined,
    );
    const source = join(directory, 'hello.c');
    const context = buildContext({
      'hello.c': '#include <stdio.h>\nint main(void){puts("hello");return 0;}\n',
      Dockerfile: 'FROM scratch\nCOPY t /t\nENTRYPOINT ["/t"]\n',
    });
    const compiled = spawnSync('cc', ['-static', '-O2', join(context, 'hello.c'), '-o', join(context, 't')]);
    if (compiled.status !== 0) throw new Error(`cc failed on ${source}`);
    await cli(host, ['build', '-q', '-t', 'native', context]);
    removeDirectory(context);
    const { version, run } = await pair(host, 'native');
    return [
      times('dockerd: docker version', version),
      times('dockerd: docker run --rm, static native program', run),
      { what: 'dockerd: run / version', p50: median(run) / median(version), n: rounds, unit: 'x' },
    ];
  } finally {
    daemon.kill();
    await new Promise((resolve) => daemon.once('exit', resolve));
    rmSync(directory, { recursive: true, force: true });
  }
}

export default async function bench(): Promise<Row[]> {
  const engine = await startEngine();
  const context = buildContext({
    'tool.wasm': { from: fixture('tool') },
    Dockerfile: 'FROM scratch\nCOPY tool.wasm /tool.wasm\nENTRYPOINT ["/tool.wasm"]\n',
  });
  try {
    await cli(engine.dockerHost, ['build', '-q', '-t', 'tool', context]);
    const { version, run } = await pair(engine.dockerHost, 'tool');
    return [
      times('docker version', version),
      times('docker run --rm', run),
      { what: 'run / version', p50: median(run) / median(version), n: rounds, unit: 'x', goal: '≤2.5' },
      ...(await dockerd()),
    ];
  } finally {
    await engine.stop();
    removeDirectory(context);
  }
}
