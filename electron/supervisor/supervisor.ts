import type { ProcessHost, Run, RunListener, RunRequest, SupervisorApi } from './api.ts';
import { Pool, type PoolOptions } from './pool.ts';
import { RunHandle } from './run-handle.ts';
import { Waker } from './waker.ts';

/** Milliseconds that runs have to write their last output when the engine closes. */
const CLOSING = 2000;

class Supervisor implements SupervisorApi {
  readonly #host: ProcessHost;
  readonly #pool: Pool;
  readonly #live = new Set<RunHandle>();
  readonly #waker = new Waker();

  constructor(host: ProcessHost, options: PoolOptions) {
    this.#host = host;
    this.#pool = new Pool(host, options);
  }

  start(request: RunRequest, listener: RunListener): Run {
    const run = new RunHandle(request, listener, this.#pool, this.#host, this.#waker);
    if (run.live) {
      this.#live.add(run);
      const over = (): void => void this.#live.delete(run);
      run.ended.then(over, over);
      run.started.catch(over);
    }
    return run;
  }

  async close(): Promise<void> {
    const ending = [...this.#live].map((run) => {
      run.terminate();
      return Promise.race([run.ended, run.started.then(() => run.ended)]).catch(() => undefined);
    });
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([Promise.all(ending), new Promise((resolve) => (timer = setTimeout(resolve, CLOSING)))]);
    clearTimeout(timer);
    await this.#pool.close();
    this.#waker.close();
  }
}

/** The supervisor over a host of processes. It starts its blank spare at once (unless `spare: false`). */
export const createSupervisor = (host: ProcessHost, options: PoolOptions = {}): SupervisorApi =>
  new Supervisor(host, options);
