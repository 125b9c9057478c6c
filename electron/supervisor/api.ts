/** The supervisor as the engine sees it. Implemented by supervisor/supervisor.ts. */
import type { Throttling } from './throttle.ts';
import type { NetAnswer, NetAsk, RunOutcome, RunSpec, RunUsage, TraceReading } from './protocol.ts';

/**
 * `process` (default): one live run a process, guest in its own thread; the process is recycled for runs of the same image.
 * `strict`: a fresh process, never reused. `shared`: up to 100 sleeping runs, also of different images, in one process and thread, by JSPI; a guest
 * that computes keeps its neighbours from running, and ending it may end them (as `crashed`).
 */
export type Isolation = 'process' | 'strict' | 'shared';

export interface RunRequest {
  readonly spec: RunSpec;
  readonly isolation: Isolation;
  /** Runners are recycled within one image only, but for isolation `shared`. */
  readonly imageId: string;
  /** Cores' time that the run may use, 0.25 = a quarter of one; absent = all there is. No effect where the host cannot stop processes, and in a shared process. */
  readonly cpus?: number;
}

export interface RunListener {
  /** The log now reaches this logical offset. */
  grown(offset: number): void;
  /** The run's network wants to know something. Absent or rejected: refused as `unreachable`. */
  ask?(ask: NetAsk): Promise<NetAnswer>;
}

export interface RunStarted {
  /** Host ports of `spec.net.ports`, in their order. */
  readonly ports: readonly number[];
}

/** How a run ended. `crashed`: the runner process itself is gone (a kill -9 from outside, out of memory). */
export interface RunEnd {
  readonly outcome:
    RunOutcome | { readonly kind: 'crashed'; readonly code: number | null; readonly signal: string | null };
  /** Logical end of the log, when the runner could say. */
  readonly offset: number | undefined;
  readonly usage: RunUsage | undefined;
  /** The last calls of a traced run. */
  readonly trace?: TraceReading | undefined;
  /** In a shared process it computed for long stretches (or had to be ended by ending the process): better run with `process` next time. */
  readonly hogged?: true;
}

export interface Run {
  /** Of the hosting process. */
  readonly pid: number;
  /** Resolves when the module is linked and the guest is about to run. Rejects with a DrydockError whose `data.exitCode` is 125, 126 or 127; then `ended` never settles. */
  readonly started: Promise<RunStarted>;
  readonly ended: Promise<RunEnd>;
  /** Resolves when the runner has room for more; bytes are kept in order. Ignored once the run has ended. */
  writeStdin(bytes: Uint8Array): Promise<void>;
  endStdin(): void;
  resize(rows: number, columns: number): void;
  /** For a run with `log.ahead`: its log was read up to this logical offset. */
  logRead(offset: number): void;
  /** Ends the guest at its next wait or by terminating its thread; a runner that does not answer within 2 s is killed. */
  terminate(): void;
  /** Stops / continues the process as a whole (SIGSTOP). @throws unsupported where the host cannot, and for a run in a shared process. */
  pause(): void;
  resume(): void;
  /** Another limit of CPU time from now on; undefined = none. */
  limitCpus(cpus: number | undefined): void;
  /** Another bound of guest threads from now on; undefined = the runner's own. */
  limitThreads(limit: number | undefined): void;
  /** What the limit of CPU time has done so far. */
  readonly throttling: Throttling;
  /** Switches the trace of a run that has one, and reads its lines after `since`. Undefined: it has none, or the runner does not answer in 1 s. */
  trace(request: { readonly on?: boolean; readonly since?: number }): Promise<TraceReading | undefined>;
  /** Last known usage when the runner is paused or does not answer in 1 s. */
  usage(): Promise<RunUsage>;
}

export interface SupervisorApi {
  start(request: RunRequest, listener: RunListener): Run;
  /** Ends every run and process. */
  close(): Promise<void>;
}

/** A runner process as its host gives it: child_process here, utilityProcess in the desktop. Drop the handle first in `onExit`: never post from there. */
export interface HostedProcess {
  /** Undefined until spawned. */
  readonly pid: number | undefined;
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once. */
  onExit(listener: (code: number | null, signal: string | null) => void): void;
  /** At once (SIGKILL). */
  kill(): void;
}

export interface ProcessHost {
  /** Starts `dist/main/runner.cjs`; `arguments` reach it as process.argv.slice(2). */
  spawn(serviceName: string, args: readonly string[]): HostedProcess;
  /** True when a process can be stopped and continued (POSIX). */
  readonly canSuspend: boolean;
}
