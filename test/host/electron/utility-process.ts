import { fork, type ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import type Electron from 'electron';
import { host, requireReady } from './host.ts';

const shim = fileURLToPath(new URL('./utility-child.ts', import.meta.url));
const live = new Set<ChildProcess>();
host.events.on('exit', () => live.forEach((child) => child.kill('SIGKILL')));

/** A utility process as a Node child with `process.parentPort`, and with Electron's habits: pid only between spawn and exit, kill() reports 0, piped output is cut off at exit. */
export class FakeUtilityProcess
  extends EventEmitter
  implements Pick<Electron.UtilityProcess, 'pid' | 'stdout' | 'stderr' | 'kill' | 'postMessage'>
{
  pid: number | undefined = undefined;
  stdout: NodeJS.ReadableStream | null;
  stderr: NodeJS.ReadableStream | null;
  readonly #child: ChildProcess;
  #killed = false;
  #exited = false;

  constructor(modulePath: string, args: string[] = [], options: Electron.ForkOptions = {}) {
    super();
    const stdio = options.stdio ?? 'inherit';
    const [stdin, out, err] = typeof stdio === 'string' ? [stdio, stdio, stdio] : stdio;
    if (typeof stdio !== 'string' && stdin !== 'ignore')
      throw new Error('stdin of a utility process can only be ignored');
    const kind = (value: string | undefined): 'pipe' | 'ignore' | 'inherit' =>
      value === 'pipe' || value === 'ignore' ? value : 'inherit';
    this.#child = fork(modulePath, args, {
      execArgv: [
        '--disable-warning=ExperimentalWarning',
        '--import',
        shim,
        ...(options.execArgv ?? []).flatMap(nodeFlags),
      ],
      env: (options.env as NodeJS.ProcessEnv | undefined) ?? process.env,
      ...(options.cwd ? { cwd: options.cwd } : {}),
      serialization: 'advanced',
      stdio: ['ignore', kind(out), kind(err), 'ipc'],
    });
    live.add(this.#child);
    this.stdout = this.#child.stdout;
    this.stderr = this.#child.stderr;
    this.#child.on('spawn', () => {
      this.pid = this.#child.pid;
      this.emit('spawn');
    });
    this.#child.on('message', (message) => this.emit('message', message));
    this.#child.on('error', (error) => process.stderr.write(`test host: utility process: ${String(error)}\n`));
    this.#child.on('exit', (code, signal) => {
      live.delete(this.#child);
      this.#exited = true;
      this.emit('exit', this.#killed ? 0 : (code ?? (signal ? 128 + 9 : 1)));
      this.pid = undefined;
      for (const stream of [this.stdout, this.stderr]) stream?.removeAllListeners();
      this.stdout = this.stderr = null;
    });
  }

  postMessage(message: unknown, transfer: readonly unknown[] = []): void {
    if (transfer.length > 0) throw new Error('test host: ports to a utility process are not bridged');
    if (this.#exited) throw new Error('test host: postMessage after exit (crashes Electron 44.0.0)');
    if (this.#child.connected) this.#child.send(message as object, () => undefined);
  }

  kill(): boolean {
    if (this.#exited) return false;
    this.#killed = true;
    this.#child.kill('SIGTERM');
    const child = this.#child;
    setTimeout(() => child.kill('SIGKILL'), 2000).unref();
    return true;
  }
}

/** Electron takes V8's flags only wrapped, Node only bare. */
function nodeFlags(flag: string): string[] {
  const wrapped = /^--js-flags=(.*)$/.exec(flag)?.[1];
  if (wrapped === undefined && !/^--(inspect|dns-result-order|diagnostic-dir)/.test(flag))
    throw new Error(`test host: Electron is not known to take ${flag} in execArgv; V8 flags go into --js-flags=`);
  return wrapped?.split(' ') ?? [flag];
}

export const utilityProcess = {
  fork(modulePath: string, args?: string[], options?: Electron.ForkOptions): FakeUtilityProcess {
    requireReady('utilityProcess.fork');
    return new FakeUtilityProcess(modulePath, args, options);
  },
};
