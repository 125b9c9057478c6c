import type { WatchMessage } from '../../electron/contract/events.ts';
import type { StagedModule } from '../../electron/contract/modules.ts';
import { LinkClosedError } from '../transport/guard.ts';
import type { Api, Channel, Session, Transport } from '../transport/transport.ts';

/** ms between attempts: at once, then slower, never slower than this. */
const slowest = 4000;

/**
 * The one link to the engine: opened, watched, opened again after it broke. Everything the window shows comes out of `onMessage`; a reconnect
 * begins with a new snapshot, so no state has to be repaired by hand.
 */
export class Connection {
  readonly #transport: Transport;
  #session: Session | undefined;
  #status = $state<'connecting' | 'open' | 'lost'>('connecting');
  #lostAt = $state(0);
  #retryNow: (() => void) | undefined;
  readonly #first = Promise.withResolvers<void>();

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  get kind(): Transport['kind'] {
    return this.#transport.kind;
  }
  get status(): 'connecting' | 'open' | 'lost' {
    return this.#status;
  }
  /** ms since the epoch; 0 while the link holds. */
  get lostAt(): number {
    return this.#lostAt;
  }

  /** Resolves once the first attempt to connect has ended, well or not: the system may bring files before the page has a link. */
  get tried(): Promise<void> {
    return this.#first.promise;
  }

  /** The procedures of the contract; throws LinkClosedError at once while there is no link. */
  get api(): Api {
    if (!this.#session) throw new LinkClosedError();
    return this.#session.api;
  }
  openChannel(): Channel {
    if (!this.#session) throw new LinkClosedError();
    return this.#session.openChannel();
  }
  stage(file: File, progress: (share: number) => void): Promise<StagedModule> {
    if (!this.#session) return Promise.reject(new LinkClosedError());
    return this.#session.stage(file, progress);
  }

  retry(): void {
    this.#retryNow?.();
  }

  /** Runs until `signal` aborts. */
  async run(onMessage: (message: WatchMessage) => void, signal: AbortSignal): Promise<void> {
    let wait = 200;
    while (!signal.aborted) {
      try {
        const session = await this.#transport.connect();
        this.#session = session;
        this.#first.resolve();
        const end = (): void => session.close();
        signal.addEventListener('abort', end, { once: true });
        try {
          for await (const message of await session.api.events.watch()) {
            if (this.#status !== 'open') {
              this.#status = 'open';
              this.#lostAt = 0;
              wait = 200;
            }
            onMessage(message);
          }
        } finally {
          signal.removeEventListener('abort', end);
          session.close();
        }
      } catch {
        // Whatever ended the link, the answer is the same: say so, and open the next one.
      }
      this.#session = undefined;
      if (signal.aborted) return;
      if (this.#lostAt === 0) this.#lostAt = Date.now();
      this.#status = 'lost';
      this.#first.resolve();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, wait);
        this.#retryNow = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      wait = Math.min(wait * 2, slowest);
    }
  }
}
