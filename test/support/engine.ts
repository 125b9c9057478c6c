import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const headless = join(root, 'dist/main/headless.js');
/** The pinned Node, whatever runs the tests. */
const node = join(root, 'node_modules/.bin/node');
/** How long an engine may take to get ready or to stop before the test fails, ms. */
const limit = 30_000;

export interface DockerAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as it came, for binary output. */
  readonly bytes: Buffer;
}

export interface TestEngine {
  readonly home: string;
  /** "unix:///…"; stays the same over restarts. */
  readonly dockerHost: string;
  /** The link of the last start. */
  readonly url: string;
  /** Of the running engine process. @throws when none runs */
  readonly pid: number;
  /** What the last start has written to stderr so far. */
  readonly stderr: string;
  /** What the last start has written to stdout so far. */
  readonly stdout: string;
  /** Runs the unmodified docker CLI against the engine, with an empty configuration of its own. */
  docker(
    args: readonly string[],
    options?: { readonly input?: string | Uint8Array; readonly env?: NodeJS.ProcessEnv },
  ): Promise<DockerAnswer>;
  /** SIGTERM; the exit code of the engine. The home stays. */
  terminate(): Promise<number | null>;
  /** SIGKILL, as the kernel out of memory would. */
  kill9(): Promise<void>;
  /** Starts again on the same home and socket (after kill9 or terminate; ends a running one first). */
  restart(): Promise<void>;
  /** Ends the engine and removes the home. @throws when it did not end cleanly */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Flags after --home and --docker-host. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** A data root of the test's own; absent = a temporary one. Removed by `stop` only when temporary. */
  readonly home?: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly output: { stdout: string; stderr: string };
}

/** Children of this test process; none outlives it. */
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Starts dist/main/headless.js; the caller decides what to wait for. */
export function launch(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  if (!existsSync(headless)) throw new Error(`${headless} is not built: run npm test, or npm run build first`);
  const child = spawn(node, [headless, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      children.delete(child);
      resolve(code);
    });
  });
  ended.catch(() => undefined);
  return { child, ended, output };
}

/** Waits for the two lines that say the engine is ready. @returns the link @throws when it ends or takes too long */
async function ready(running: Running, dockerHost: string): Promise<string> {
  const lines = new RegExp(`^DOCKER_HOST=${dockerHost}\\nOpen (http://127\\.0\\.0\\.1:\\d+/\\?token=\\S+)\\n`, 'm');
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(timer);
      reject(new Error(`the engine ${why}\n${running.output.stdout}${running.output.stderr}`));
    };
    const timer = setTimeout(() => fail(`was not ready in ${limit} ms`), limit);
    const look = (): void => {
      const url = lines.exec(running.output.stdout)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      running.child.stdout?.off('data', look);
      resolve(url);
    };
    running.child.stdout?.on('data', look);
    running.ended.then(
      (code) => fail(`ended with ${code} before it was ready`),
      (error: Error) => fail(error.message),
    );
  });
}

/** An engine on a temporary home and socket, ready to be used. End it with `stop`. */
export async function startEngine(options: StartOptions = {}): Promise<TestEngine> {
  const base = mkdtempSync(join(tmpdir(), 'drydock-'));
  const home = options.home ?? join(base, 'home');
  const dockerHost = `unix://${join(base, 'd.sock')}`;
  let running: Running | undefined;
  let url = '';

  const start = async (): Promise<void> => {
    running = launch(['--web', '--home', home, '--docker-host', dockerHost, ...(options.args ?? [])], options.env);
    url = await ready(running, dockerHost);
  };
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (!running) return 0;
    const { child, ended, output } = running;
    child.kill(signal);
    const timer = setTimeout(() => {
      output.stderr += `\nkilled: it did not end within ${limit} ms of ${signal}`;
      child.kill('SIGKILL');
    }, limit);
    const code = await ended;
    clearTimeout(timer);
    return code;
  };
  const terminate = async (): Promise<number | null> => {
    const code = await end('SIGTERM');
    const { output } = running ?? {};
    running = undefined;
    if (code !== 0) throw new Error(`the engine ended with ${code} instead of 0\n${output?.stderr ?? ''}`);
    return code;
  };

  try {
    await start();
  } catch (error) {
    await end('SIGKILL');
    rmSync(base, { recursive: true, force: true });
    throw error;
  }
  return {
    home,
    dockerHost,
    get url() {
      return url;
    },
    get pid() {
      if (running?.child.pid === undefined) throw new Error('no engine runs');
      return running.child.pid;
    },
    get stderr() {
      return running?.output.stderr ?? '';
    },
    get stdout() {
      return running?.output.stdout ?? '';
    },
    docker: (args, { input = '', env = {} } = {}) =>
      docker(args, input, {
        DOCKER_HOST: dockerHost,
        DOCKER_CONFIG: join(base, 'docker'),
        DOCKER_BUILDKIT: '0',
        ...env,
      }),
    terminate,
    async kill9() {
      await end('SIGKILL');
      running = undefined;
    },
    async restart() {
      if (running) await terminate();
      await start();
    },
    async stop() {
      try {
        if (running) await terminate();
      } finally {
        rmSync(base, { recursive: true, force: true });
      }
    },
  };
}

function docker(args: readonly string[], input: string | Uint8Array, env: NodeJS.ProcessEnv): Promise<DockerAnswer> {
  return new Promise((resolve, reject) => {
    const child = spawn('docker', args, { env: { ...process.env, ...env } });
    children.add(child);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      children.delete(child);
      const bytes = Buffer.concat(stdout);
      resolve({
        code: code ?? -1,
        stdout: bytes.toString('utf8'),
        stderr: Buffer.concat(stderr).toString('utf8'),
        bytes,
      });
    });
    child.stdin.on('error', () => undefined); // it may end without reading
    child.stdin.end(input);
  });
}
