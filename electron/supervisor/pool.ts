import { unavailable } from '../base/errors.ts';
import type { ProcessHost } from './api.ts';
import { RunnerProcess, SHARED_CAPACITY } from './runner-process.ts';

export interface PoolOptions {
  /** Milliseconds after which an idle process is ended. */
  readonly idleTime?: number;
  /** Idle processes kept at most, over all images. */
  readonly idleLimit?: number;
  /** Processes that may be starting at the same time; more only slow each other down. */
  readonly startLimit?: number;
  /** Keep one blank process ready (default). */
  readonly spare?: boolean;
}

/** A run that needs a process. Exactly one of both is called. */
export interface Seeker {
  readonly imageId: string;
  /** Wants a fresh process, never used again. */
  readonly strict: boolean;
  /** Lives among other runs. */
  readonly shared: boolean;
  take(runner: RunnerProcess): void;
  fail(error: Error): void;
}

/** An image that takes longer than this to compile rather waits for its own process to finish collecting than starts in a blank one. */
const SLOW_COMPILE = 15;
/** Milliseconds after which a taken spare is replaced: the first moments of the run that took it are not shared with the start of a process. */
const REFILL_DELAY = 30;
const FIRST_BACKOFF = 1000;
const MAX_BACKOFF = 30_000;
/** A process that is not ready by then is stuck. */
const START_TIMEOUT = 30_000;

/** Which process takes which run; owns all processes. */
export class Pool {
  readonly #host: ProcessHost;
  readonly #idleTime: number;
  readonly #idleLimit: number;
  readonly #startLimit: number;
  readonly #spare: boolean;
  readonly #runners = new Set<RunnerProcess>();
  readonly #seekers: Seeker[] = [];
  readonly #startTimers = new Map<RunnerProcess, NodeJS.Timeout>();
  #refill: NodeJS.Timeout | undefined;
  #reaper: NodeJS.Timeout | undefined;
  #backoff = FIRST_BACKOFF;
  #closed: (() => void) | undefined;
  #isClosed = false;

  constructor(host: ProcessHost, options: PoolOptions = {}) {
    this.#host = host;
    this.#idleTime = options.idleTime ?? 30_000;
    this.#idleLimit = options.idleLimit ?? 4;
    this.#startLimit = options.startLimit ?? 4;
    this.#spare = options.spare ?? true;
    if (this.#spare) this.#refillIn(0);
  }

  /** Calls `take` at once when a process is there. */
  acquire(seeker: Seeker): void {
    if (this.#isClosed) return seeker.fail(unavailable('the engine is shutting down'));
    const runner = this.#choose(seeker);
    if (runner) return this.#give(runner, seeker);
    this.#seekers.push(seeker);
    this.#startWanted();
  }

  /** The run does not want a process any more. */
  forget(seeker: Seeker): void {
    const at = this.#seekers.indexOf(seeker);
    if (at >= 0) this.#seekers.splice(at, 1);
  }

  get runners(): ReadonlySet<RunnerProcess> {
    return this.#runners;
  }

  /** Ends every process at once and resolves when all are gone. */
  close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#refill);
    clearTimeout(this.#reaper);
    for (const seeker of this.#seekers.splice(0)) seeker.fail(unavailable('the engine is shutting down'));
    for (const runner of this.#runners) runner.kill();
    return new Promise((resolve) => {
      this.#closed = resolve;
      if (this.#runners.size === 0) resolve();
    });
  }

  #choose({ imageId, strict, shared }: Seeker): RunnerProcess | undefined {
    // The oldest that has room, so that younger ones get empty and are ended.
    if (shared) return [...this.#runners].find((runner) => runner.shared && runner.room > 0);
    let idle: RunnerProcess | undefined;
    let blank: RunnerProcess | undefined;
    let resting: RunnerProcess | undefined;
    for (const runner of this.#runners) {
      if (runner.shared) continue;
      if (runner.state === 'blank') blank ??= runner;
      if (strict || runner.imageId !== imageId || runner.single) continue;
      // The one used last has the warmest caches.
      if (runner.state === 'idle' && (!idle || runner.idleSince > idle.idleSince)) idle = runner;
      if (runner.state === 'resting') resting ??= runner;
    }
    if (idle) return idle;
    if (resting && resting.coldStart > SLOW_COMPILE) return resting;
    return blank ?? resting;
  }

  #give(runner: RunnerProcess, seeker: Seeker): void {
    if (runner.state === 'blank' && this.#spare) this.#refillIn(REFILL_DELAY);
    runner.single = seeker.strict;
    seeker.take(runner);
  }

  #startWanted(): void {
    const shared = this.#seekers.filter((seeker) => seeker.shared).length;
    if (!this.#startSome(this.#seekers.length - shared, false)) return;
    this.#startSome(Math.ceil(shared / SHARED_CAPACITY), true);
  }

  /** Sees to it that `wanted` processes of the kind are starting, or as many as may. False when none can be started. */
  #startSome(wanted: number, shared: boolean): boolean {
    let starting = 0;
    for (const runner of this.#runners) if (runner.state === 'starting' && runner.shared === shared) starting++;
    for (; starting < Math.min(wanted, this.#startLimit); starting++) if (!this.#start(shared)) return false;
    return true;
  }

  #start(shared = false): boolean {
    let runner: RunnerProcess;
    try {
      runner = new RunnerProcess(this.#host, { changed: (which) => this.#changed(which) }, shared);
    } catch (error) {
      const cause = error as Error;
      for (const seeker of this.#seekers.splice(0))
        seeker.fail(unavailable(`no runner process can be started: ${cause.message}`, { cause }));
      return false;
    }
    this.#runners.add(runner);
    this.#startTimers.set(
      runner,
      setTimeout(() => runner.kill(), START_TIMEOUT),
    );
    return true;
  }

  #changed(runner: RunnerProcess): void {
    const starting = this.#startTimers.get(runner);
    clearTimeout(starting);
    this.#startTimers.delete(runner);
    if (runner.state === 'gone') return this.#gone(runner, starting !== undefined);
    if (starting) this.#backoff = FIRST_BACKOFF;
    if (this.#isClosed) return runner.kill();
    if (runner.shared) return this.#fill(runner);
    const at = this.#seekers.findIndex(
      (seeker) => !seeker.shared && (runner.state === 'blank' || (!seeker.strict && seeker.imageId === runner.imageId)),
    );
    const seeker = this.#seekers[at];
    if (seeker) {
      this.#seekers.splice(at, 1);
      this.#give(runner, seeker);
      // One fewer is starting: the next may.
      return this.#startWanted();
    }
    this.#trim();
  }

  /** A shared process is ready, or has lost a run. */
  #fill(runner: RunnerProcess): void {
    while (runner.room > 0) {
      const at = this.#seekers.findIndex((seeker) => seeker.shared);
      if (at < 0) break;
      const [seeker] = this.#seekers.splice(at, 1);
      seeker?.take(runner);
    }
    this.#startWanted();
    this.#trim();
  }

  #gone(runner: RunnerProcess, neverReady: boolean): void {
    this.#runners.delete(runner);
    if (this.#isClosed) {
      if (this.#runners.size === 0) this.#closed?.();
      return;
    }
    if (neverReady) {
      const at = this.#seekers.findIndex((seeker) => seeker.shared === runner.shared);
      const [seeker] = at < 0 ? [] : this.#seekers.splice(at, 1);
      seeker?.fail(
        unavailable('the runner process ended before it was ready', { hint: "The engine's own log says why." }),
      );
      if (this.#spare) this.#refillIn(this.#backoff);
      this.#backoff = Math.min(this.#backoff * 2, MAX_BACKOFF);
    } else if (this.#spare) this.#refillIn(REFILL_DELAY);
    this.#startWanted();
  }

  /** Makes sure that, some time from now, one blank process is there. */
  #refillIn(delay: number): void {
    if (this.#refill) return;
    this.#refill = setTimeout(() => {
      this.#refill = undefined;
      for (const { state, shared } of this.#runners) if (!shared && (state === 'blank' || state === 'starting')) return;
      this.#start();
    }, delay);
    this.#refill.unref();
  }

  /** Ends idle processes that are too many or too old, and blank ones but one; looks again when the next is due. */
  #trim(): void {
    const now = performance.now();
    const idle: RunnerProcess[] = [];
    let blanks = 0;
    for (const runner of this.#runners) {
      if (runner.state === 'idle') idle.push(runner);
      // More than one when runs were cancelled while processes were starting for them.
      if (runner.state === 'blank' && ++blanks > (this.#spare ? 1 : 0)) runner.kill();
    }
    idle.sort((a, b) => b.idleSince - a.idleSince);
    let next: number | undefined;
    idle.forEach((runner, place) => {
      const left = runner.idleSince + this.#idleTime - now;
      if (place >= this.#idleLimit || left <= 0) runner.kill();
      else next = left;
    });
    clearTimeout(this.#reaper);
    this.#reaper = undefined;
    if (next === undefined) return;
    this.#reaper = setTimeout(() => this.#trim(), next + 1);
    this.#reaper.unref();
  }
}
