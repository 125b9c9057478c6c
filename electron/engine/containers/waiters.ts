/** Those who wait for a container to end or to be gone. */
import { cancelled } from '../../base/errors.ts';

export interface WaitResult {
  readonly exitCode: number;
  readonly error?: string;
}

interface Waiter {
  readonly event: 'exit' | 'removal';
  readonly resolve: (result: WaitResult) => void;
}

export class Waiters {
  readonly #waiting = new Set<Waiter>();

  /** Registered when this returns. Rejects (cancelled) when the signal aborts. */
  add(event: Waiter['event'], signal: AbortSignal | undefined): Promise<WaitResult> {
    const { promise, resolve, reject } = Promise.withResolvers<WaitResult>();
    const abort = (): void => {
      this.#waiting.delete(waiter);
      reject(cancelled('nobody waits for the container any more'));
    };
    const waiter: Waiter = {
      event,
      resolve: (result) => {
        signal?.removeEventListener('abort', abort);
        resolve(result);
      },
    };
    if (signal?.aborted) abort();
    else {
      this.#waiting.add(waiter);
      signal?.addEventListener('abort', abort);
    }
    return promise;
  }

  exited(result: WaitResult): void {
    this.#settle(result, (waiter) => waiter.event === 'exit');
  }

  /** Also for those who waited for an exit that will not come. */
  removed(result: WaitResult): void {
    this.#settle(result, () => true);
  }

  #settle(result: WaitResult, concerned: (waiter: Waiter) => boolean): void {
    for (const waiter of this.#waiting) {
      if (!concerned(waiter)) continue;
      this.#waiting.delete(waiter);
      waiter.resolve(result);
    }
  }
}
