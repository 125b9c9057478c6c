/**
 * Host calls of our WASI host against node:wasi, and bulk reads and writes against the same C program compiled for this machine, alternating in one run.
 * Times are the guest's own.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeHost } from '../../electron/supervisor/node-host.ts';
import { createSupervisor } from '../../electron/supervisor/supervisor.ts';
import { compileFixtures, fixture } from '../fixtures/compile.ts';
import { median, type Row } from './table.ts';

const runnerPath = join(import.meta.dirname, '../../dist/main/runner.cjs');
const source = join(import.meta.dirname, '../fixtures/bench-io.c');
const ROUNDS = 7;

const peerScript = `import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';
const [file, root, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: 'preview1', args: ['bench', ...args], preopens: { '/': root } });
wasi.start(new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), wasi.getImportObject()));
`;

type Timed = (mode: string, count: number) => number | Promise<number>;

function program(command: string, args: readonly string[]): number {
  const run = spawnSync(command, args, { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${run.status} ${run.stderr}`);
  return Number(run.stdout) / 1e6;
}

/** Alternates; the ratio peer ÷ ours of each round. */
async function against(ours: Timed, peer: Timed, mode: string, count: number): Promise<number[]> {
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const theirs = await peer(mode, count);
    ratios.push(theirs / (await ours(mode, count)));
  }
  return ratios;
}

export default async function bench(): Promise<Row[]> {
  await compileFixtures();
  const home = mkdtempSync(join(tmpdir(), 'drydock-bench-'));
  const at = (name: string): string => join(home, name);
  for (const name of ['lower', 'upper', 'data', 'peer', 'logs']) mkdirSync(at(name));
  copyFileSync(fixture('bench-io'), join(at('lower'), 'bench.wasm'));
  writeFileSync(at('peer.mjs'), peerScript);
  const supervisor = createSupervisor(nodeHost({ runnerPath }));
  let runs = 0;
  /** In the container's own layer ('/'), a bind ('/data') or memory ('/tmp'). */
  const inDrydock =
    (directory: string): Timed =>
    async (mode, count) => {
      const log = join(at('logs'), String(++runs));
      const run = supervisor.start(
        {
          spec: {
            id: `bench:${runs}`,
            module: '/bench.wasm',
            args: ['bench', mode, String(count), directory],
            env: [],
            mounts: [
              { type: 'overlay', target: '/', lower: at('lower'), upper: at('upper'), readOnly: false },
              { type: 'bind', target: '/data', source: at('data'), readOnly: false },
              { type: 'tmpfs', target: '/tmp', size: 2 ** 31, readOnly: false },
            ],
            stdin: 'closed',
            log: { directory: log, maxFiles: 1 },
          },
          isolation: 'process',
          imageId: 'bench',
        },
        { grown: () => undefined },
      );
      await run.started;
      await run.ended;
      const text = readdirSync(log)
        .map((name) => readFileSync(join(log, name), 'utf8'))
        .join('');
      const [, nanoseconds] = / stdout F (\d+)\n/.exec(text) ?? [];
      if (nanoseconds === undefined) throw new Error(`${mode}: ${text}`);
      return Number(nanoseconds) / 1e6;
    };
  const inNode: Timed = (mode, count) =>
    program(process.execPath, [
      '--no-warnings',
      at('peer.mjs'),
      fixture('bench-io'),
      at('peer'),
      mode,
      String(count),
      '/',
    ]);
  const native: Timed = (mode, count) => program(at('native'), [mode, String(count), at('peer')]);
  const hasNative =
    spawnSync('clang', ['-O2', '-w', source, '-o', at('native')]).status === 0 && existsSync(at('native'));

  const rows: Row[] = [];
  const ratio = (what: string, samples: readonly number[], goal?: string): void =>
    void rows.push({
      what,
      p50: median(samples),
      n: samples.length,
      unit: 'x',
      ...(goal === undefined ? {} : { goal }),
    });
  try {
    const own = inDrydock('');
    const bind = inDrydock('/data');
    ratio('fd_write of 64 KiB, own layer ÷ node:wasi', await against(own, inNode, 'write', 10_000), '≥ 1');
    ratio('fd_write of 64 KiB, bind ÷ node:wasi', await against(bind, inNode, 'write', 10_000), '≥ 1');
    ratio('open, fstat, close, own layer ÷ node:wasi', await against(own, inNode, 'open', 100_000), '≥ 0.7');
    ratio('open, fstat, close, bind ÷ node:wasi', await against(bind, inNode, 'open', 100_000), '≥ 0.7');
    ratio('stat by path, own layer ÷ node:wasi', await against(own, inNode, 'stat', 100_000));
    ratio('stat by path, bind ÷ node:wasi', await against(bind, inNode, 'stat', 100_000));
    ratio('clock_time_get ÷ node:wasi', await against(own, inNode, 'clock', 3_000_000), '≥ 1');
    if (hasNative) {
      ratio('1 GiB written, bind ÷ native C', await against(bind, native, 'put', 1024), '≥ 0.95');
      ratio('1 GiB read, bind ÷ native C', await against(bind, native, 'get', 1024), '≥ 0.95');
    }
    return rows;
  } finally {
    await supervisor.close();
    rmSync(home, { recursive: true, force: true });
  }
}
