import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'vite';
import { nodeConfigs } from '../../build/build.mjs';
import type { Isolation, Run, RunEnd, SupervisorApi } from '../../electron/supervisor/api.ts';
import { nodeHost } from '../../electron/supervisor/node-host.ts';
import type { PoolOptions } from '../../electron/supervisor/pool.ts';
import type { RunSpec } from '../../electron/supervisor/protocol.ts';
import { createSupervisor } from '../../electron/supervisor/supervisor.ts';

export interface RunOptions extends Partial<Omit<RunSpec, 'id' | 'module' | 'args'>> {
  readonly isolation?: Isolation;
  readonly image?: string;
}

export interface TestRun {
  readonly run: Run;
  /** The first growth of the log. */
  readonly grown: Promise<number>;
  /** Every growth so far. */
  readonly offsets: readonly number[];
  readonly logDirectory: string;
  /** Records as "stdout F text". */
  records(): string[];
  /** What a stream has printed. */
  text(stream?: 'stdout' | 'stderr'): string;
  /** Started and over. */
  end(): Promise<RunEnd>;
}

/** A supervisor with real processes from bundles of this very source, and a file system for its guests. */
export interface TestRunner {
  readonly supervisor: SupervisorApi;
  /** The image: files put here are there for the guest. */
  readonly lower: string;
  readonly upper: string;
  readonly runnerPath: string;
  write(path: string, bytes: Uint8Array | string): void;
  start(module: string, args?: readonly string[], options?: RunOptions): TestRun;
  close(): Promise<void>;
}

/** Builds runner.cjs and guest.cjs (about half a second) into a directory of their own. */
export async function buildRunner(directory: string): Promise<string> {
  for (const config of nodeConfigs) {
    const input = JSON.stringify(config.build?.rolldownOptions?.input ?? {});
    if (!/runner\.ts|guest\.ts|thread\.ts|wasmer/.test(input)) continue;
    await build({ ...config, logLevel: 'warn', build: { ...config.build, outDir: directory } });
  }
  return join(directory, 'runner.cjs');
}

export async function openTestRunner(options: PoolOptions = {}): Promise<TestRunner> {
  const home = mkdtempSync(join(tmpdir(), 'drydock-runner-'));
  const [lower, upper] = [join(home, 'lower'), join(home, 'upper')];
  mkdirSync(lower);
  mkdirSync(upper);
  const runnerPath = await buildRunner(join(home, 'dist'));
  const supervisor = createSupervisor(nodeHost({ runnerPath }), options);
  let count = 0;
  return {
    supervisor,
    lower,
    upper,
    runnerPath,
    write: (path, bytes) => {
      mkdirSync(dirname(join(lower, path)), { recursive: true });
      writeFileSync(join(lower, path), bytes);
    },
    start: (module, args = [], { isolation = 'process', image = 'image', ...rest } = {}) => {
      const id = `run:${++count}`;
      const logDirectory = rest.log?.directory ?? join(home, 'logs', String(count));
      const offsets: number[] = [];
      let first!: (offset: number) => void;
      const grown = new Promise<number>((resolve) => (first = resolve));
      const spec: RunSpec = {
        id,
        module,
        args: [module, ...args],
        env: [],
        mounts: [{ type: 'overlay', target: '/', lower, upper, readOnly: false }],
        stdin: 'closed',
        log: { directory: logDirectory, maxFiles: 1 },
        ...rest,
      };
      const run = supervisor.start(
        { spec, isolation, imageId: image },
        {
          grown: (offset) => {
            offsets.push(offset);
            first(offset);
          },
        },
      );
      const records = (): string[] =>
        readdirSync(logDirectory)
          .sort()
          .map((name) => readFileSync(join(logDirectory, name), 'utf8'))
          .join('')
          .split('\n')
          .slice(0, -1)
          .map((line) => line.slice(31));
      return {
        run,
        grown,
        offsets,
        logDirectory,
        records,
        text: (stream = 'stdout') =>
          records()
            .filter((record) => record.startsWith(stream))
            .map((record) => record.slice(9) + (record[7] === 'F' ? '\n' : ''))
            .join(''),
        end: () => run.started.then(() => run.ended),
      };
    },
    close: async () => {
      await supervisor.close();
      rmSync(home, { recursive: true });
    },
  };
}
