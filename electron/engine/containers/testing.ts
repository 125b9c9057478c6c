/** An engine over runs that a test plays by hand: everything is real (records, logs, images) but the processes. */
import { appendFileSync, mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { nowNano } from '../../base/clock.ts';
import { DrydockError } from '../../base/errors.ts';
import { formatTime, segmentName } from '../../base/log-format.ts';
import type {
  ProcessHost,
  Run,
  RunEnd,
  RunListener,
  RunRequest,
  RunStarted,
  SupervisorApi,
} from '../../supervisor/api.ts';
import type { NetAnswer, NetAsk, RunUsage, TraceReading } from '../../supervisor/protocol.ts';
import { noThrottling, type Throttling } from '../../supervisor/throttle.ts';
import type { EngineApi, EngineEvent } from '../api/index.ts';
import { openEngine, type EngineParts } from '../engine.ts';
import type { Timers } from './context.ts';

export const usage: RunUsage = {
  cpuUser: 1500,
  cpuSystem: 500,
  memory: 65536,
  memoryPeak: 131072,
  threads: 1,
  readBytes: 1,
  writtenBytes: 2,
  receivedBytes: 3,
  sentBytes: 4,
};

/** One run, played by the test. */
export class PlayedRun implements Run {
  readonly pid = 4242;
  readonly request: RunRequest;
  readonly started: Promise<RunStarted>;
  readonly ended: Promise<RunEnd>;
  readonly stdin: string[] = [];
  stdinEnded = false;
  size: readonly number[] = [];
  paused = false;
  /** As last limited while it ran. */
  cpus: number | undefined;
  threads: number | undefined;
  terminated = false;
  /** Bytes in the log after this run's last line. */
  offset: number | undefined;
  readonly #listener: RunListener;
  readonly #starting = Promise.withResolvers<RunStarted>();
  readonly #ending = Promise.withResolvers<RunEnd>();

  constructor(request: RunRequest, listener: RunListener) {
    this.request = request;
    this.#listener = listener;
    this.started = this.#starting.promise;
    this.ended = this.#ending.promise;
    this.started.catch(() => {});
  }

  begin(ports: readonly number[] = []): this {
    this.#starting.resolve({ ports });
    return this;
  }

  fail(exitCode: 125 | 126 | 127, message: string): void {
    this.failWith(new DrydockError('notFound', message, { data: { exitCode } }));
  }

  failWith(error: DrydockError): void {
    this.#starting.reject(error);
  }

  /** What its guest wants to know of the network. */
  async ask(ask: NetAsk): Promise<NetAnswer> {
    return (await this.#listener.ask?.(ask)) ?? { error: 'unreachable' };
  }

  say(text: string, stream: 'stdout' | 'stderr' = 'stdout'): this {
    const { directory } = this.request.spec.log;
    mkdirSync(directory, { recursive: true });
    const file = join(directory, segmentName(0));
    appendFileSync(file, `${formatTime(nowNano())} ${stream} F ${text}\n`);
    this.offset = statSync(file).size;
    this.#listener.grown(this.offset);
    return this;
  }

  exit(code: number): void {
    this.end({ kind: 'exit', code });
  }

  end(outcome: RunEnd['outcome'], more: Pick<RunEnd, 'hogged' | 'trace'> = {}): void {
    this.#ending.resolve({ outcome, offset: outcome.kind === 'crashed' ? undefined : this.offset, usage, ...more });
  }

  async writeStdin(bytes: Uint8Array): Promise<void> {
    this.stdin.push(Buffer.from(bytes).toString());
  }
  endStdin(): void {
    this.stdinEnded = true;
  }
  /** How far its log was read, of an exec. */
  readTo = 0;
  logRead(offset: number): void {
    this.readTo = offset;
  }
  resize(rows: number, columns: number): void {
    this.size = [rows, columns];
  }
  terminate(): void {
    this.terminated = true;
    this.begin();
    this.end({ kind: 'terminated' });
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  limitCpus(cpus: number | undefined): void {
    this.cpus = cpus;
  }
  limitThreads(limit: number | undefined): void {
    this.threads = limit;
  }
  get throttling(): Throttling {
    return noThrottling;
  }
  traced: TraceReading | undefined;
  async trace({ on }: { readonly on?: boolean }): Promise<TraceReading | undefined> {
    if (this.traced && on !== undefined) this.traced = { ...this.traced, on };
    return this.traced;
  }
  async usage(): Promise<RunUsage> {
    return usage;
  }
}

/** Begins every run at once unless `hold` is set; `script` may do more. */
export class PlayedSupervisor implements SupervisorApi {
  readonly runs: PlayedRun[] = [];
  hold = false;
  script: ((run: PlayedRun) => void) | undefined;

  get last(): PlayedRun {
    const run = this.runs.at(-1);
    if (!run) throw new Error('nothing was started');
    return run;
  }

  readonly #watchers = new Set<() => void>();

  /** When the run with this number (from 1) was asked for. */
  async run(number: number): Promise<PlayedRun> {
    for (;;) {
      const run = this.runs[number - 1];
      if (run) return run;
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  start(request: RunRequest, listener: RunListener): Run {
    const run = new PlayedRun(request, listener);
    this.runs.push(run);
    if (!this.hold) run.begin();
    this.script?.(run);
    for (const wake of this.#watchers) wake();
    this.#watchers.clear();
    return run;
  }

  async close(): Promise<void> {
    for (const run of this.runs) run.terminate();
  }
}

/** A clock that only the test moves. */
export class PlayedTimers implements Timers {
  time = 0;
  readonly #waiting = new Set<{ readonly at: number; readonly callback: () => void }>();

  now(): number {
    return this.time;
  }
  after(milliseconds: number, callback: () => void): () => void {
    const entry = { at: this.time + milliseconds, callback };
    this.#waiting.add(entry);
    return () => this.#waiting.delete(entry);
  }
  /** Milliseconds until the next callback of a restart policy (image sweeps are waited for in whole seconds). */
  delays(): number[] {
    return [...this.#waiting].map(({ at }) => at - this.time).sort((a, b) => a - b);
  }
  advance(milliseconds: number): void {
    this.time += milliseconds;
    for (const entry of [...this.#waiting]) {
      if (entry.at > this.time) continue;
      this.#waiting.delete(entry);
      entry.callback();
    }
  }
}

export interface TestEngine {
  readonly home: string;
  readonly engine: EngineApi;
  readonly supervisor: PlayedSupervisor;
  readonly timers: PlayedTimers;
  readonly events: EngineEvent[];
  readonly lines: string[];
  /** "create start die(0)" of containers only. */
  actions(): string;
}

const noHost: ProcessHost = {
  canSuspend: true,
  spawn() {
    throw new Error('no processes here');
  },
};

/** The smallest command: one function of type () -> (), exported as `_start`. */
const emptyModule = Buffer.from(
  '0061736d010000000104016000000302010007 0a01065f73746172740000 0a040102000b'.replaceAll(' ', ''),
  'hex',
);

/** `home`: of an earlier engine; else a new one with the image "app", whose entrypoint is /app.wasm. */
export async function openTestEngine(home?: string, net: NonNullable<EngineParts['net']> = {}): Promise<TestEngine> {
  const directory = home ?? mkdtempSync(join(tmpdir(), 'drydock-engine-'));
  const supervisor = new PlayedSupervisor();
  const timers = new PlayedTimers();
  const lines: string[] = [];
  const engine = await openEngine(
    { home: directory, processHost: noHost, version: '0.0.0-test', log: (line) => void lines.push(line) },
    { supervisor: () => supervisor, timers, net: { hostSubnets: () => [], ...net } },
  );
  if (home === undefined)
    await engine.images.importModule(Readable.from([emptyModule]), { fileName: 'app.wasm', reference: 'app:latest' });
  const events: EngineEvent[] = [];
  engine.events.subscribe((event) => void events.push(event));
  return {
    home: directory,
    engine,
    supervisor,
    timers,
    events,
    lines,
    actions: () =>
      events
        .filter(({ type }) => type === 'container')
        .map(({ action, attributes }) => {
          const more = attributes['exitCode'] ?? attributes['signal'];
          return more === undefined ? action : `${action}(${more})`;
        })
        .join(' '),
  };
}

/** Lets everything that is ready run. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
