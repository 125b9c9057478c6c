import type { Ending } from '../host-calls.ts';
import { throwThroughGuest } from '../uncatchable.ts';
import { GuestTerminated, type HostFunction, type Wait } from '../wasi/world.ts';
import type { Jspi } from './jspi.ts';
import type { Slices } from './slices.ts';

type Call = (...args: never[]) => number | void | Wait;

/** Node's longest timer, in milliseconds. */
const LONGEST = 0x7fff_ffff;

/**
 * The driver of a guest that sleeps by JSPI: a call that has to wait becomes a promise, tested again by `poke`. One guest, one thread, so at most
 * one call waits.
 */
export class Sleeper {
  readonly #jspi: Jspi;
  readonly #slices: Slices;
  readonly #ending: Ending;
  /** Tests the wait that is under way. */
  #test: (() => void) | undefined;
  #killed = false;
  /** False while the guest runs on the thread's own stack (a start section), which cannot sleep. */
  canSleep = false;

  constructor(jspi: Jspi, slices: Slices, ending: Ending) {
    this.#jspi = jspi;
    this.#slices = slices;
    this.#ending = ending;
  }

  /** The import of a host function that may answer with a Wait. A guest that never waits lets others have their turn here too. */
  waiting(host: HostFunction): HostFunction {
    const call = host as Call;
    return new this.#jspi.Suspending((...args: never[]) => {
      const answer = call(...args);
      if (typeof answer === 'object') return this.#sleep(answer);
      return this.canSleep && this.#slices.isLong ? this.#yield(answer) : answer;
    });
  }

  /** Waits before the guest runs, for what it is to be given. */
  async settle(answer: number | Wait): Promise<void> {
    if (typeof answer === 'number') return;
    this.canSleep = true;
    this.#slices.enter();
    try {
      await this.#sleep(answer);
    } finally {
      this.#slices.leave();
      this.canSleep = false;
    }
  }

  /** Something that the guest may wait for has changed. */
  poke(): void {
    this.#test?.();
  }

  /** Ends the guest, which sleeps: nobody could ask while it runs. */
  kill(): void {
    this.#killed = true;
    this.poke();
  }

  #yield(answer: number | void): Promise<number | void> {
    this.#slices.leave();
    return new Promise((resolve, reject) => {
      const turn = setImmediate(() => this.#test?.());
      this.#test = () => {
        this.#test = undefined;
        clearImmediate(turn);
        this.#slices.enter();
        if (this.#killed) reject(this.#end());
        else resolve(answer);
      };
    });
  }

  #sleep(first: Wait): Promise<number> {
    if (!this.canSleep)
      throw new Error('a module in a shared process cannot wait in its start section; run it with isolation "process"');
    this.#slices.leave();
    return new Promise((resolve, reject) => {
      let wait = first;
      let timer: NodeJS.Timeout | undefined;
      const over = (): void => {
        clearTimeout(timer);
        this.#test = undefined;
      };
      const test = (): void => {
        clearTimeout(timer);
        try {
          while (!this.#killed) {
            const left = wait.deadline === undefined ? Infinity : Number(wait.deadline - process.hrtime.bigint()) / 1e6;
            if (left > 0 && !wait.ready()) {
              if (left !== Infinity) timer = setTimeout(test, Math.min(Math.ceil(left), LONGEST));
              return;
            }
            const answer = wait.resume();
            if (typeof answer === 'number') {
              over();
              this.#slices.enter();
              return resolve(answer);
            }
            wait = answer;
          }
          over();
          this.#slices.enter();
          reject(this.#end());
        } catch (error) {
          over();
          this.#slices.enter();
          reject(error as Error);
        }
      };
      this.#test = test;
      test();
    });
  }

  /** A trap, so that no `catch_all` of the guest holds it. */
  #end(): unknown {
    this.#ending.reason = new GuestTerminated();
    try {
      return throwThroughGuest();
    } catch (error) {
      return error;
    }
  }
}
