import type { HostedProcess, ProcessHost } from './api.ts';
import type { FromRunner, ToRunner } from './protocol.ts';

/**
 * starting → blank → running → resting → idle → running … → ending → gone. `resting`: the run is over, garbage is being collected. `ending`: killed,
 * but the system has not said so yet; it must not be given a run any more.
 */
export type RunnerState = 'starting' | 'blank' | 'running' | 'resting' | 'idle' | 'ending' | 'gone';

/** A run, as its process sees it. */
export interface Tenant {
  readonly id: string;
  receive(message: Extract<FromRunner, { id: string }>): void;
  /** The process has ended under it. */
  lost(code: number | null, signal: string | null): void;
}

/** Runs that live in one shared process at most: V8 in Electron allows about 124 Wasm memories a process, dead ones that lie around included. */
export const SHARED_CAPACITY = 100;
/** A process that has not answered for so many milliseconds gets no further runs for now: a guest in it computes. */
const BUSY = 300;

export interface RunnerEvents {
  /** The state has changed by itself: ready, idle, gone. */
  changed(runner: RunnerProcess): void;
}

/**
 * One runner process. Knows its state and its tenants; decides nothing. A shared one goes from starting straight to idle, and is idle again whenever its last
 * run has ended.
 */
export class RunnerProcess {
  state: RunnerState = 'starting';
  /** Takes many runs at the same time, of any image. */
  readonly shared: boolean;
  /** The image whose runs it takes; undefined while blank. */
  imageId: string | undefined;
  /** Never to be used again after its run. */
  single = false;
  /** Milliseconds from 'run' to 'started' of its first run: what a fresh process would cost the image again. */
  coldStart = 0;
  /** performance.now() of the last change to idle. */
  idleSince = 0;
  readonly #tenants = new Map<string, Tenant>();
  /** When something was asked that has to be answered, unless something was heard since. */
  #askedAt: number | undefined;
  #postedAt = 0;
  #runs = 0;
  #process: HostedProcess | undefined;
  readonly #events: RunnerEvents;

  /** @throws what the host throws when it cannot start processes at all. */
  constructor(host: ProcessHost, events: RunnerEvents, shared = false) {
    this.#events = events;
    this.shared = shared;
    const hosted = host.spawn(shared ? 'drydock shared runner' : 'drydock runner', shared ? ['--shared'] : []);
    this.#process = hosted;
    hosted.onMessage((message) => this.#receive(message as FromRunner));
    hosted.onExit((code, signal) => {
      // The handle goes first: nothing may be posted to it from here on (electron issue 53923).
      this.#process = undefined;
      this.state = 'gone';
      const tenants = [...this.#tenants.values()];
      this.#tenants.clear();
      for (const tenant of tenants) tenant.lost(code, signal);
      this.#events.changed(this);
    });
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Runs that it can take now beside those it has. */
  get room(): number {
    if (this.state !== 'idle' && this.state !== 'running') return 0;
    if (!this.shared) return this.state === 'idle' ? 1 : 0;
    const busy = this.#askedAt !== undefined && performance.now() - this.#askedAt > BUSY;
    return busy ? 0 : SHARED_CAPACITY - this.#tenants.size;
  }

  post(message: ToRunner): void {
    if (message.t === 'run' || message.t === 'terminate' || message.t === 'usage') this.#askedAt ??= performance.now();
    this.#process?.post(message);
  }

  /** Gives it a run. The caller has chosen a runner that is blank, idle or resting, or a shared one that has room. */
  occupy(tenant: Tenant, imageId: string, message: Extract<ToRunner, { t: 'run' }>): void {
    this.state = 'running';
    this.imageId = imageId;
    this.#tenants.set(tenant.id, tenant);
    this.#postedAt = performance.now();
    this.#runs++;
    this.post(message);
  }

  kill(): void {
    if ((this.shared || this.state !== 'running') && this.state !== 'gone') this.state = 'ending';
    this.#process?.kill();
  }

  #receive(message: FromRunner): void {
    this.#askedAt = undefined;
    switch (message.t) {
      case 'ready':
        if (this.state === 'starting') this.#become(this.shared ? 'idle' : 'blank');
        return;
      case 'idle':
        if (this.state === 'resting') this.#become('idle');
        return;
      case 'pong':
        return;
      default: {
        const tenant = this.#tenants.get(message.id);
        if (!tenant) return;
        if (message.t === 'started' && this.#runs === 1) this.coldStart = performance.now() - this.#postedAt;
        if (message.t === 'exit' || message.t === 'failed') {
          this.#tenants.delete(message.id);
          this.#left(message.collecting);
        }
        tenant.receive(message);
      }
    }
  }

  /** A run is over. Before the tenant hears of it: whoever waited for the end may start the next run at once. */
  #left(collecting: boolean): void {
    if (this.shared) {
      if (this.state !== 'running') return;
      if (this.#tenants.size === 0) this.#become('idle');
      else this.#events.changed(this);
      return;
    }
    this.state = 'resting';
    if (this.single) this.kill();
    else if (!collecting) this.#become('idle');
  }

  #become(state: 'blank' | 'idle'): void {
    this.state = state;
    this.idleSince = performance.now();
    this.#events.changed(this);
  }
}
