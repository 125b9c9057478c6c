import { Worker } from 'node:worker_threads';
import type { FromThread, ToThread } from './protocol.ts';

/**
 * Megabytes of native stack: as deep as a guest without threads for the main one, for the others what threads usually get (their stack proper lies in
 * linear memory). Only what is touched is there, except on Windows.
 */
const MAIN_STACK = 8;
const STACK = 2;
/** Hardly any JavaScript runs in a thread: a small nursery saves a megabyte. */
const NURSERY = 1;

/** One worker, which runs one Wasm thread after another. */
export class ThreadWorker {
  /** Made for main threads. */
  readonly main: boolean;
  /** Of the thread that runs here; undefined = none. */
  tid: number | undefined;
  slot = 0;
  readonly #worker: Worker;
  #failure: Error | undefined;
  #gone = false;
  #onCleaned: (() => void) | undefined;

  /** `gone` is told when the worker has ended, whoever wanted that. @throws when the process can have no more threads */
  constructor(
    path: string,
    main: boolean,
    message: (from: ThreadWorker, message: Exclude<FromThread, { t: 'cleaned' }>) => void,
    gone: (worker: ThreadWorker, error: Error | undefined) => void,
  ) {
    this.main = main;
    this.#worker = new Worker(path, {
      env: {},
      resourceLimits: { stackSizeMb: main ? MAIN_STACK : STACK, maxYoungGenerationSizeMb: NURSERY },
      name: main ? 'main' : 'thread',
    });
    this.#worker.on('message', (from: FromThread) => {
      if (from.t === 'cleaned') this.#onCleaned?.();
      else message(this, from);
    });
    this.#worker.on('error', (error: Error) => (this.#failure = error));
    this.#worker.on('exit', () => {
      this.#gone = true;
      this.#onCleaned?.();
      gone(this, this.#failure);
    });
  }

  post(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  /** Resolves when the thread is no more, wherever its guest was. */
  async end(): Promise<void> {
    if (!this.#gone) await this.#worker.terminate();
  }

  /** Resolves when dead memories are given back. */
  clean(): Promise<void> {
    if (this.#gone) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onCleaned = resolve;
      this.post({ t: 'clean' });
    });
  }
}
