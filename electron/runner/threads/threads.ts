import { type Bridge, gauge } from '../bridge/layout.ts';
import { collectGarbage } from '../garbage.ts';
import { Answerer, SLOTS } from './calls.ts';
import { threadLimitOf } from './limit.ts';
import type { FromThread, ThreadedProgram, ThreadsWanted, Verdict } from './protocol.ts';
import { ThreadWorker } from './thread-worker.ts';

/** WASI errno EAGAIN, negative: what thread-spawn says when there can be no more threads. */
const AGAIN = -6;
/** Numbers of threads, from 1 on; the upper three bits are kept free (WebAssembly/wasi-threads). */
const LAST_TID = 2 ** 29 - 1;
/**
 * Workers that wait for the next thread while a guest runs: starting one takes longer (about 25 ms) than a thread may take. And those kept for the
 * next run, besides one for its main thread.
 */
const SPARE = 2;
const IDLE_LIMIT = 16;
const KEPT = 4;

export interface ThreadsListener {
  /** The main thread is about to run. */
  started(path: string): void;
  /** No thread is left; to be passed to the host thread. */
  over(verdict: Verdict): void;
}

interface Run {
  readonly path: string;
  readonly program: ThreadedProgram;
  readonly calls: Answerer;
  /** By number; 0 is the main one. */
  readonly live: Map<number, ThreadWorker>;
  readonly freeSlots: number[];
  nextTid: number;
  verdict: Verdict | undefined;
  ending: Promise<void> | undefined;
}

/** The control thread's side of a run with threads: starts them, counts them, and ends all of them with the first that ends the process. */
export class Threads {
  readonly #path: string;
  readonly #bridge: Bridge;
  readonly #listener: ThreadsListener;
  readonly #idle: ThreadWorker[] = [];
  #run: Run | undefined;
  #limit = threadLimitOf(undefined);
  /** There has been a run since the last `clean`. */
  used = false;

  /** `path`: the bundle of a thread. */
  constructor(path: string, bridge: Bridge, listener: ThreadsListener) {
    this.#path = path;
    this.#bridge = bridge;
    this.#listener = listener;
  }

  /** True from `begin` until the last thread has ended. */
  get active(): boolean {
    return this.#run !== undefined;
  }

  /** Threads that may live at once from now on, the main one included; undefined = as many as usual. Those that live go on. */
  limit(limit: number | undefined): void {
    this.#limit = threadLimitOf(limit);
  }

  /** Starts the main thread. */
  begin({ path, program }: ThreadsWanted): void {
    this.used = true;
    this.#run = {
      path,
      program,
      calls: new Answerer(program.calls),
      live: new Map(),
      freeSlots: Array.from({ length: SLOTS }, (_, index) => SLOTS - 1 - index),
      nextTid: 1,
      verdict: undefined,
      ending: undefined,
    };
    const error = this.#start(this.#run, 0, 0);
    if (error)
      void this.end({
        kind: 'failed',
        error: 'unavailable',
        exitCode: 125,
        message: `no thread could be started for the guest: ${error.message}`,
      });
  }

  /** Ends all threads; the first verdict holds. Resolves when none is left. */
  end(verdict: Verdict): Promise<void> {
    const run = this.#run;
    if (!run) return Promise.resolve();
    run.verdict ??= verdict;
    return (run.ending ??= this.#end(run, run.verdict));
  }

  /** After a run: gives back what its dead memory holds, in the workers that are kept and in this thread. */
  async clean(): Promise<void> {
    await this.#run?.ending;
    this.used = false;
    await Promise.all(this.#idle.map((worker) => worker.clean()));
    collectGarbage();
  }

  async #end(run: Run, verdict: Verdict): Promise<void> {
    const { words } = this.#bridge;
    run.calls.beginEnd(words);
    await Promise.all([...run.live.values()].map((worker) => worker.end()));
    await Promise.all(this.#superfluous().map((worker) => worker.end()));
    this.#run = undefined;
    this.#listener.over(verdict);
    run.calls.end();
  }

  /** Takes out of the idle ones what the next run will hardly need. */
  #superfluous(): ThreadWorker[] {
    const mains = this.#idle.filter((worker) => worker.main);
    const others = this.#idle.filter((worker) => !worker.main);
    const left = [...mains.slice(1), ...others.slice(KEPT)];
    for (const worker of left) this.#idle.splice(this.#idle.indexOf(worker), 1);
    return left;
  }

  /** Undefined, or why the thread could not be started. */
  #start(run: Run, tid: number, argument: number): Error | undefined {
    let worker: ThreadWorker;
    try {
      worker = this.#take(tid === 0);
    } catch (error) {
      return error as Error;
    }
    worker.tid = tid;
    worker.slot = run.freeSlots.pop() as number;
    run.live.set(tid, worker);
    this.#count(run);
    worker.post({ t: 'begin', program: run.program, slot: worker.slot, tid, argument });
    return undefined;
  }

  #spawn(run: Run, argument: number): number {
    if (run.live.size >= this.#limit) return AGAIN;
    let tid = run.nextTid;
    while (run.live.has(tid)) tid = tid === LAST_TID ? 1 : tid + 1;
    if (this.#start(run, tid, argument)) return AGAIN;
    run.nextTid = tid === LAST_TID ? 1 : tid + 1;
    return tid;
  }

  #message(worker: ThreadWorker, message: Exclude<FromThread, { t: 'cleaned' }>): void {
    const run = this.#run;
    // A thread that is being ended.
    if (!run || worker.tid === undefined) return;
    switch (message.t) {
      case 'started':
        this.#listener.started(run.path);
        return this.#keepSpare(run);
      case 'spawn':
        if (run.ending) return;
        run.calls.answer(worker.slot, this.#spawn(run, message.argument));
        return this.#keepSpare(run);
      case 'done':
        return this.#release(run, worker);
      case 'over':
        this.#release(run, worker);
        void this.end(message.verdict);
    }
  }

  /** The worker's thread is over. */
  #release(run: Run, worker: ThreadWorker): void {
    run.live.delete(worker.tid as number);
    run.freeSlots.push(worker.slot);
    worker.tid = undefined;
    this.#count(run);
    // One that is being ended with the others is of no more use.
    if (run.ending) return;
    if (this.#idle.length < IDLE_LIMIT) this.#idle.push(worker);
    else void worker.end();
  }

  #gone(worker: ThreadWorker, error: Error | undefined): void {
    const at = this.#idle.indexOf(worker);
    if (at >= 0) this.#idle.splice(at, 1);
    const run = this.#run;
    const { tid } = worker;
    if (!run || run.ending || tid === undefined || run.live.get(tid) !== worker) return;
    run.live.delete(tid);
    const message = `${tid === 0 ? 'the main thread' : `thread ${tid}`} has failed: ${error?.message ?? 'no reason given'}`;
    void this.end({ kind: 'trap', message, stack: `wasm trap: ${message}\n` });
  }

  /** An idle worker, or a new one. @throws when the process can have no more threads */
  #take(main: boolean): ThreadWorker {
    const at = this.#idle.findIndex((worker) => worker.main === main);
    if (at >= 0) return this.#idle.splice(at, 1)[0] as ThreadWorker;
    return this.#create(main);
  }

  #create(main: boolean): ThreadWorker {
    return new ThreadWorker(
      this.#path,
      main,
      (worker, message) => this.#message(worker, message),
      (worker, error) => this.#gone(worker, error),
    );
  }

  #keepSpare(run: Run): void {
    const spare = this.#idle.filter((worker) => !worker.main).length;
    if (run.ending || spare >= Math.min(SPARE, this.#limit - run.live.size)) return;
    try {
      this.#idle.push(this.#create(false));
    } catch {
      // It was only to be quicker; the thread that needs it will hear of it.
    }
  }

  #count(run: Run): void {
    this.#bridge.gauges[gauge.threads] = run.live.size;
  }
}
