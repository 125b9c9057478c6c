import { spawn, type ChildProcess } from 'node:child_process';

/** Remembers the line it read last; when nobody can send another, continues the processes named there. */
const script = 'p=; while read -r x; do p=$x; done; [ -z "$p" ] || kill -CONT $p 2>/dev/null';

/**
 * Sees to it that no process stands for ever. A stopped process does not notice that the engine has gone; when the engine was killed while runners stood (paused, or
 * for their CPU quota), they would hold their memory until somebody found them. So a small shell is told which may stand, and continues them when
 * the engine's end of its pipe is closed; they then see it for themselves. It is started when the first process is stopped. POSIX only.
 */
export class Waker {
  readonly #pids = new Set<number>();
  #shell: ChildProcess | undefined;
  #closed = false;

  /** The process may be stopped from now on. */
  watch(pid: number): void {
    if (pid <= 0 || this.#closed || this.#pids.has(pid)) return;
    this.#pids.add(pid);
    this.#shell ??= this.#start();
    this.#tell();
  }

  /** It stands no more, or is gone. */
  unwatch(pid: number): void {
    if (this.#pids.delete(pid)) this.#tell();
  }

  /** Of the shell, for tests. */
  get pid(): number | undefined {
    return this.#shell?.pid;
  }

  close(): void {
    this.#closed = true;
    this.#shell?.kill('SIGKILL');
    this.#shell = undefined;
  }

  #start(): ChildProcess {
    // A session of its own: ^C in the engine's terminal must not end it before the engine.
    const shell = spawn('/bin/sh', ['-c', script], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH: '/usr/bin:/bin' },
      cwd: '/',
      detached: true,
    });
    const gone = (): void => {
      if (this.#shell === shell) this.#shell = undefined;
    };
    shell.on('error', gone);
    shell.on('exit', gone);
    shell.stdin?.on('error', gone);
    shell.unref();
    (shell.stdin as unknown as { unref?(): void } | null)?.unref?.();
    return shell;
  }

  #tell(): void {
    this.#shell?.stdin?.write(`${[...this.#pids].join(' ')}\n`);
  }
}
