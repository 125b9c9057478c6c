import { fork } from 'node:child_process';
import type { HostedProcess, ProcessHost } from './api.ts';

export interface NodeHostOptions {
  /** Absolute path of dist/main/runner.cjs. */
  readonly runnerPath: string;
}

/** One worker of V8's garbage collector less for each process, and 10–20 % more starts a second (reference runner.md §1). */
const execArgv = ['--title=drydock-runner', '--single-threaded-gc', '--disable-warning=ExperimentalWarning'];

/** What Node itself needs; nothing of the engine's environment (tokens, proxies with passwords) reaches a process that runs guests. */
const kept = process.platform === 'win32' ? ['SystemRoot', 'SystemDrive', 'TEMP', 'TMP'] : ['TMPDIR'];

/** Runner processes as children of plain Node. Their stderr is the engine's own. */
export function nodeHost({ runnerPath }: NodeHostOptions): ProcessHost {
  return {
    canSuspend: process.platform !== 'win32',
    spawn(_serviceName, args): HostedProcess {
      const env: NodeJS.ProcessEnv = {};
      for (const name of kept) if (process.env[name] !== undefined) env[name] = process.env[name];
      const child = fork(runnerPath, [...args], {
        execArgv,
        env,
        cwd: process.platform === 'win32' ? undefined : '/',
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        windowsHide: true,
      });
      const exitListeners: ((code: number | null, signal: string | null) => void)[] = [];
      let over = false;
      const end = (code: number | null, signal: string | null): void => {
        if (over) return;
        over = true;
        for (const listener of exitListeners) listener(code, signal);
      };
      child.on('exit', end);
      // Not started at all (no memory, no such file), or the channel broke: 'exit' may never come for the first.
      child.on('error', () => {
        if (child.pid === undefined) end(null, null);
      });
      return {
        get pid() {
          return child.pid;
        },
        post: (message) => {
          if (child.connected) child.send(message as object, () => undefined);
        },
        onMessage: (listener) => void child.on('message', listener),
        onExit: (listener) => void exitListeners.push(listener),
        kill: () => void child.kill('SIGKILL'),
      };
    },
  };
}
