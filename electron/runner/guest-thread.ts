import { Worker } from 'node:worker_threads';
import { type CompiledProgram, PROGRAM_LIMIT } from './compiled-program.ts';
import type { FromGuest, GuestData, ToGuest } from './thread-protocol.ts';

export interface GuestThreadListener {
  message(message: FromGuest): void;
  /** The thread is gone: it was ended, or failed with `error`. Called before the next one is started. */
  gone(error: Error | undefined): void;
}

/** Megabytes of stack: deep recursion must end in a trap at about the depth that native programs reach with their 8 MB. */
const STACK_SIZE = 8;

/** Owns the worker thread that runs guests; when one is ended there is soon another, with the same compiled modules. */
export class GuestThread {
  readonly #path: string;
  readonly #shared: SharedArrayBuffer;
  readonly #listener: GuestThreadListener;
  /** By key, last used last. Modules are shared between threads, not copied. */
  readonly #programs = new Map<string, CompiledProgram>();
  #worker: Worker;
  /** The thread is being ended: messages wait for the next one. */
  #ending = false;
  #waiting: ToGuest[] = [];

  constructor(path: string, shared: SharedArrayBuffer, listener: GuestThreadListener) {
    this.#path = path;
    this.#shared = shared;
    this.#listener = listener;
    this.#worker = this.#start();
  }

  post(message: ToGuest): void {
    if (this.#ending) this.#waiting.push(message);
    else this.#worker.postMessage(message);
  }

  /** To the thread that runs now, if there is one. */
  tell(message: ToGuest): void {
    if (!this.#ending) this.#worker.postMessage(message);
  }

  /** True when the last message posted has not reached a thread yet. */
  get holds(): boolean {
    return this.#waiting.length > 0;
  }

  /** Ends the thread at once, wherever its guest is. */
  end(): void {
    this.#ending = true;
    void this.#worker.terminate();
  }

  #start(): Worker {
    const data: GuestData = { shared: this.#shared, programs: [...this.#programs.values()] };
    const worker = new Worker(this.#path, {
      workerData: data,
      env: {},
      resourceLimits: { stackSizeMb: STACK_SIZE },
      name: 'guest',
    });
    let failure: Error | undefined;
    worker.on('message', (message: FromGuest) => {
      if (typeof message === 'object' && message.t === 'compiled') this.#remember(message.program);
      else this.#listener.message(message);
    });
    worker.on('error', (error: Error) => (failure = error));
    // Node hands out what the thread has posted before 'exit'.
    worker.on('exit', () => {
      this.#ending = true;
      this.#listener.gone(failure);
      setImmediate(() => {
        this.#worker = this.#start();
        this.#ending = false;
        for (const message of this.#waiting.splice(0)) this.#worker.postMessage(message);
      });
    });
    return worker;
  }

  #remember(program: CompiledProgram): void {
    this.#programs.delete(program.key);
    this.#programs.set(program.key, program);
    if (this.#programs.size > PROGRAM_LIMIT) this.#programs.delete(this.#programs.keys().next().value as string);
  }
}
