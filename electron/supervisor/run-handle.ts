import { availableParallelism } from 'node:os';
import { DrydockError, unavailable, unsupported } from '../base/errors.ts';
import type { ProcessHost, Run, RunEnd, RunListener, RunRequest, RunStarted } from './api.ts';
import { cpuTimeOf, tellsCpuTime } from './cpu-time.ts';
import type { Pool, Seeker } from './pool.ts';
import type { FromRunner, NetAnswer, NetAsk, RunUsage, TraceReading } from './protocol.ts';
import { Questions } from './questions.ts';
import type { RunnerProcess, Tenant } from './runner-process.ts';
import { StdinSender } from './stdin-sender.ts';
import { noThrottling, Throttle, type Throttling } from './throttle.ts';
import type { Waker } from './waker.ts';

/** Milliseconds that a runner has to end its run before it is killed. */
const DEAF = 2000;
const ANSWER_TIMEOUT = 1000;

const noUsage: RunUsage = {
  cpuUser: 0,
  cpuSystem: 0,
  memory: 0,
  memoryPeak: 0,
  threads: 0,
  readBytes: 0,
  writtenBytes: 0,
  receivedBytes: 0,
  sentBytes: 0,
};

/** One run, from asking for a process to its end. */
export class RunHandle implements Run, Tenant, Seeker {
  readonly id: string;
  readonly imageId: string;
  readonly strict: boolean;
  readonly shared: boolean;
  readonly started: Promise<RunStarted>;
  readonly ended: Promise<RunEnd>;
  readonly #request: RunRequest;
  readonly #listener: RunListener;
  readonly #pool: Pool;
  readonly #host: ProcessHost;
  readonly #waker: Waker;
  readonly #stdin: StdinSender;
  #runner: RunnerProcess | undefined;
  #pid = 0;
  #resolveStarted!: (started: RunStarted) => void;
  #rejectStarted!: (error: DrydockError) => void;
  #resolveEnded!: (end: RunEnd) => void;
  #over = false;
  #hasStarted = false;
  #offset: number | undefined;
  #logRead = 0;
  #usage = noUsage;
  readonly #usages = new Questions<RunUsage>(ANSWER_TIMEOUT);
  readonly #traces = new Questions<TraceReading | undefined>(ANSWER_TIMEOUT);
  #paused = false;
  #cpus: number | undefined;
  #throttle: Throttle | undefined;
  #throttled = noThrottling;
  #hogged = false;
  #terminating: NodeJS.Timeout | undefined;

  constructor(request: RunRequest, listener: RunListener, pool: Pool, host: ProcessHost, waker: Waker) {
    this.#request = request;
    this.#listener = listener;
    this.#pool = pool;
    this.#host = host;
    this.#waker = waker;
    this.#cpus = request.cpus;
    this.id = request.spec.id;
    this.imageId = request.imageId;
    this.strict = request.isolation === 'strict';
    this.shared = request.isolation === 'shared';
    this.started = new Promise((resolve, reject) => {
      this.#resolveStarted = resolve;
      this.#rejectStarted = reject;
    });
    // Whoever asks for `started` gets the rejection; that nobody asked is no crash of the engine.
    this.started.catch(() => undefined);
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    this.#stdin = new StdinSender((bytes) =>
      this.#runner?.post(bytes ? { t: 'stdin', id: this.id, bytes } : { t: 'eof', id: this.id }),
    );
    pool.acquire(this);
  }

  get pid(): number {
    return this.#pid;
  }

  /** True until the run has ended or failed to start. */
  get live(): boolean {
    return !this.#over;
  }

  // ---- Seeker

  take(runner: RunnerProcess): void {
    this.#runner = runner;
    this.#pid = runner.pid;
    runner.occupy(this, this.imageId, { t: 'run', spec: this.#request.spec });
    this.#stdin.open();
    // Said before there was anybody to hear it.
    if (this.#logRead > 0) this.logRead(this.#logRead);
    this.#throttleBy(this.#cpus);
  }

  fail(error: Error): void {
    this.#failStart(
      error instanceof DrydockError
        ? new DrydockError(error.kind, error.message, {
            hint: error.hint,
            data: { ...error.data, exitCode: 125 },
            cause: error.cause,
          })
        : unavailable(error.message, { data: { exitCode: 125 }, cause: error }),
    );
  }

  // ---- Tenant

  receive(message: Extract<FromRunner, { id: string }>): void {
    if (this.#over) return;
    switch (message.t) {
      case 'started':
        return this.#markStarted(message.ports ?? []);
      case 'failed':
        return this.#failStart(
          new DrydockError(message.kind, message.message, { data: { exitCode: message.exitCode } }),
        );
      case 'grown':
        return this.#grown(message.offset);
      case 'stdinAck':
        return this.#stdin.acknowledge(message.bytes);
      case 'hogged':
        this.#hogged = true;
        return;
      case 'netAsk':
        return void this.#ask(message.seq, message.ask);
      case 'usage':
        this.#usage = message.usage;
        return this.#usages.answer(message.seq, message.usage);
      case 'traced':
        return this.#traces.answer(message.seq, message.trace);
      case 'exit':
        this.#grown(message.offset);
        return this.#end({
          outcome: message.outcome,
          offset: message.offset,
          usage: message.usage,
          trace: message.trace,
        });
    }
  }

  lost(code: number | null, signal: string | null): void {
    if (this.#over) return;
    if (this.#terminating) {
      // Killed because it was deaf; whether this guest or a neighbour computed is not known, so this one had better be alone next time.
      if (this.shared && this.#hasStarted) this.#hogged = true;
      return this.#end({ outcome: { kind: 'terminated' }, offset: undefined, usage: this.#lastUsage() });
    }
    if (!this.#hasStarted)
      return this.#failStart(
        unavailable(`the runner process ended before the module was started (${signal ?? `exit code ${code}`})`, {
          data: { exitCode: 125 },
        }),
      );
    this.#end({ outcome: { kind: 'crashed', code, signal }, offset: undefined, usage: this.#lastUsage() });
  }

  // ---- Run

  writeStdin(bytes: Uint8Array): Promise<void> {
    return this.#stdin.write(bytes);
  }

  endStdin(): void {
    this.#stdin.end();
  }

  resize(rows: number, columns: number): void {
    if (!this.#over) this.#runner?.post({ t: 'resize', id: this.id, rows, columns });
  }

  logRead(offset: number): void {
    this.#logRead = offset;
    if (!this.#over) this.#runner?.post({ t: 'logRead', id: this.id, offset });
  }

  terminate(): void {
    if (this.#over || this.#terminating) return;
    const runner = this.#runner;
    if (!runner) {
      this.#pool.forget(this);
      this.#end({ outcome: { kind: 'terminated' }, offset: undefined, usage: undefined });
      return;
    }
    this.#throttleBy(undefined);
    if (this.#paused) this.resume();
    this.#terminating = setTimeout(() => runner.kill(), DEAF);
    runner.post({ t: 'terminate', id: this.id });
  }

  pause(): void {
    if (this.shared)
      throw unsupported('a container with isolation "shared" cannot be paused: others live in its process', {
        hint: 'Stop it instead, or create it with isolation "process".',
      });
    this.#refuseToSuspend();
    this.#throttle?.hold();
    this.#signal('SIGSTOP');
    this.#paused = true;
  }

  resume(): void {
    this.#refuseToSuspend();
    this.#signal('SIGCONT');
    this.#paused = false;
    this.#throttle?.release();
  }

  limitCpus(cpus: number | undefined): void {
    this.#cpus = cpus;
    if (!this.#terminating) this.#throttleBy(cpus);
  }

  limitThreads(limit: number | undefined): void {
    if (!this.#over) this.#runner?.post({ t: 'threadLimit', id: this.id, ...(limit === undefined ? {} : { limit }) });
  }

  get throttling(): Throttling {
    return this.#throttle?.throttling ?? this.#throttled;
  }

  usage(): Promise<RunUsage> {
    const runner = this.#runner;
    if (this.#over || this.#paused || !runner) return Promise.resolve(this.#lastUsage() ?? noUsage);
    return this.#usages.ask(
      (seq) => runner.post({ t: 'usage', id: this.id, seq }),
      () => this.#usage,
    );
  }

  trace(request: { readonly on?: boolean; readonly since?: number }): Promise<TraceReading | undefined> {
    const runner = this.#runner;
    if (this.#over || this.#paused || !runner || this.#request.spec.trace === undefined)
      return Promise.resolve(undefined);
    return this.#traces.ask(
      (seq) => runner.post({ t: 'trace', id: this.id, seq, ...request }),
      () => undefined,
    );
  }

  async #ask(seq: number, ask: NetAsk): Promise<void> {
    const answer = await this.#answer(ask);
    if (!this.#over) this.#runner?.post({ t: 'netAnswer', id: this.id, seq, answer });
  }

  async #answer(ask: NetAsk): Promise<NetAnswer> {
    try {
      return (await this.#listener.ask?.(ask)) ?? { error: 'unreachable' };
    } catch {
      return { error: 'unreachable' };
    }
  }

  #lastUsage(): RunUsage | undefined {
    return this.#usage === noUsage ? undefined : this.#usage;
  }

  #refuseToSuspend(): void {
    if (!this.#host.canSuspend)
      throw unsupported('pausing needs a system that can stop processes (Linux or macOS)', {
        hint: 'Stop the container instead.',
      });
  }

  #signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.#over || this.#pid === 0) return;
    if (signal === 'SIGSTOP') this.#waker.watch(this.#pid);
    try {
      process.kill(this.#pid, signal);
    } catch (error) {
      // It is gone, and 'exit' is on its way.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** A limit that is more than the machine has needs nobody to watch. */
  #throttleBy(cpus: number | undefined): void {
    const needed = cpus !== undefined && cpus > 0 && cpus < availableParallelism();
    if (this.#throttle && needed) this.#throttle.cores = cpus;
    else if (this.#throttle) this.#endThrottle();
    else if (needed && !this.#over && !this.shared && this.#host.canSuspend && this.#pid > 0) {
      this.#throttle = new Throttle(
        {
          cpuTime: () => this.#cpuTime(),
          stop: () => this.#signal('SIGSTOP'),
          go: () => this.#signal('SIGCONT'),
        },
        cpus,
      );
      if (this.#paused) this.#throttle.hold();
    }
  }

  #endThrottle(): void {
    this.#throttle?.end();
    this.#throttled = this.throttling;
    this.#throttle = undefined;
  }

  /** In milliseconds, of the process: whatever it does, it does for this run. */
  #cpuTime(): number | undefined | Promise<number | undefined> {
    if (tellsCpuTime) return cpuTimeOf(this.#pid);
    if (this.#throttle?.stopped) return undefined;
    return this.usage().then(({ cpuUser, cpuSystem }) => (cpuUser + cpuSystem) / 1000);
  }

  #grown(offset: number): void {
    if (this.#offset !== undefined && offset <= this.#offset) return;
    this.#offset = offset;
    this.#listener.grown(offset);
  }

  #markStarted(ports: readonly number[]): void {
    this.#hasStarted = true;
    this.#resolveStarted({ ports });
  }

  #failStart(error: DrydockError): void {
    this.#close();
    this.#rejectStarted(error);
  }

  #end(end: RunEnd): void {
    if (end.usage) this.#usage = end.usage;
    // Ended while it was being started, on request.
    this.#markStarted([]);
    this.#close();
    this.#resolveEnded(this.#hogged ? { ...end, hogged: true } : end);
  }

  #close(): void {
    this.#endThrottle();
    this.#waker.unwatch(this.#pid);
    this.#over = true;
    this.#runner = undefined;
    clearTimeout(this.#terminating);
    this.#stdin.stop();
    this.#usages.giveUp();
    this.#traces.giveUp();
  }
}
