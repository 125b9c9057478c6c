/** A container that writes 1 M lines of 100 B: MB/s into the log, and MB/s out of it through `docker logs`. */
import { spawn } from 'node:child_process';
import { fixture } from '../fixtures/compile.ts';
import { api } from '../support/api.ts';
import { buildContext, removeDirectory } from '../support/context.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { median, type Row } from './table.ts';

const lines = 1_000_000;
const megabytes = (lines * 100) / 1e6;
const rounds = 5;

/** Start → exit acknowledged, that is with the last byte in the log. MB/s of payload. */
async function write(engine: TestEngine, name: string, command: readonly string[]): Promise<number> {
  const host = engine.dockerHost;
  await api(host, 'POST', `/containers/create?name=${name}`, { Image: 'tool', Cmd: command });
  const wait = api(host, 'POST', `/containers/${name}/wait?condition=next-exit`);
  const started = performance.now();
  await api(host, 'POST', `/containers/${name}/start`);
  const { StatusCode } = (await wait).json<{ StatusCode: number }>();
  if (StatusCode !== 0) throw new Error(`flood exited with ${StatusCode}`);
  return megabytes / ((performance.now() - started) / 1000);
}

/** `docker logs` into a reader that counts. */
function read(engine: TestEngine, name: string): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn('docker', ['logs', name], {
      env: { ...process.env, DOCKER_HOST: engine.dockerHost },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let bytes = 0;
    child.stdout.on('data', (chunk: Buffer) => (bytes += chunk.length));
    child.on('close', (code) =>
      code === 0 && bytes === lines * 100
        ? resolve(megabytes / ((performance.now() - started) / 1000))
        : reject(new Error(`docker logs: ${code}, ${bytes} bytes`)),
    );
  });
}

export default async function bench(): Promise<Row[]> {
  const engine = await startEngine();
  const context = buildContext({
    'tool.wasm': { from: fixture('tool') },
    Dockerfile: 'FROM scratch\nCOPY tool.wasm /tool.wasm\nENTRYPOINT ["/tool.wasm"]\n',
  });
  try {
    await engine.docker(['build', '-q', '-t', 'tool', context]);
    await write(engine, 'warm', ['flood', String(lines)]);
    const narrow: number[] = [];
    const wide: number[] = [];
    const out: number[] = [];
    for (let i = 0; i < rounds; i++) {
      narrow.push(await write(engine, `n${i}`, ['flood', String(lines)]));
      wide.push(await write(engine, `w${i}`, ['flood', String(lines), 'wide']));
    }
    for (let i = 0; i < 20; i++) out.push(await read(engine, `n${i % rounds}`));
    return [
      { what: '1 M lines of 100 B, one write each', p50: median(narrow), n: rounds, unit: 'MB/s', goal: '≥150' },
      { what: 'the same in 1 KB writes', p50: median(wide), n: rounds, unit: 'MB/s', goal: '≥400' },
      { what: 'docker logs of it', p50: median(out), n: out.length, unit: 'MB/s', goal: '≥100' },
    ];
  } finally {
    await engine.stop();
    removeDirectory(context);
  }
}
