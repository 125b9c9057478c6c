import type { ForkOptions, UtilityProcess } from 'electron';
import type { HostedProcess, ProcessHost } from '../supervisor/api.ts';

export interface UtilityHostOptions {
  /** Absolute path of runner.cjs; may lie in app.asar. */
  readonly runnerPath: string;
  /** utilityProcess.fork: works after ready only. */
  fork(path: string, args: string[], options: ForkOptions): UtilityProcess;
  /** Runner crashes and what they wrote to stderr, for the app's own log. */
  log(line: string): void;
  /** The app's environment. */
  readonly env: NodeJS.ProcessEnv;
  /** False on Windows. */
  readonly posix: boolean;
  /** process.kill; for tests. */
  signal?(pid: number, signal: NodeJS.Signals): void;
}

/** As supervisor/node-host.ts: a garbage collector thread less for each process. Electron takes V8's flags only in this form. */
const execArgv = ['--js-flags=--single-threaded-gc'];

/**
 * What a process that runs guests need not know. Not a list of what it may have: Chromium's own start needs variables that differ between systems and
 * packages (AppImage sets LD_LIBRARY_PATH), and guests see none of them anyway.
 */
const secret = /token|secret|passw|credential|auth|api_?key|private_?key|access_?key|proxy/i;
const environment = (all: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined && !secret.test(entry[0])),
  );

/** The last bytes of a runner's stderr that are logged when it ends. */
const stderrKept = 4096;

/** Runner processes as Electron's utility processes. */
export function utilityHost(options: UtilityHostOptions): ProcessHost {
  return {
    canSuspend: options.posix,
    spawn: (serviceName, args) => hosted(options, serviceName, args),
  };
}

function hosted(options: UtilityHostOptions, serviceName: string, args: readonly string[]): HostedProcess {
  const { log, posix, signal = (pid, name) => void process.kill(pid, name) } = options;
  // Output of programs goes to their log, never here: Electron loses the end of stdout. stderr is for crashes, and must be read or it blocks.
  const child = options.fork(options.runnerPath, [...args], {
    serviceName,
    execArgv,
    env: environment(options.env),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let live: UtilityProcess | undefined = child;
  let doomed = false;
  let exitListener: ((code: number | null, signal: string | null) => void) | undefined;
  let stderr = '';

  child.stderr?.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString('utf8')).slice(-stderrKept)));
  child.stderr?.on('error', () => undefined);
  child.on('error', (type, location) => log(`${serviceName}: ${type} in ${location}`));

  /** The forced kill: kill() would wait for a stopped process, which cannot hear SIGTERM. Its exit code says nothing; whoever kills remembers. */
  const kill = (): void => {
    if (!live) return;
    const { pid } = live;
    if (pid === undefined) doomed = true;
    if (!posix || pid === undefined) return void live.kill();
    try {
      signal(pid, 'SIGKILL');
    } catch {
      live.kill();
    }
  };
  child.on('spawn', () => {
    if (doomed) kill();
  });
  // Electron has been seen to tell twice, and to crash when something is posted from here: the handle goes first.
  child.on('exit', (code) => {
    if (!live) return;
    live = undefined;
    if (stderr.trim() !== '') log(`${serviceName} (exit ${code}): ${stderr.trim()}`);
    exitListener?.(code, null);
  });

  return {
    get pid() {
      return live?.pid;
    },
    post: (message) => live?.postMessage(message),
    onMessage: (listener) => void child.on('message', listener),
    onExit(listener) {
      exitListener = listener;
    },
    kill,
  };
}
