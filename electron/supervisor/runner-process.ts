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

export interface RunnerEvents {
  /** The state has changed by itself: ready, idle, gone. */
  changed(runner: RunnerProcess): void;
}

/** One runner process. Knows its state and its tenant; decides nothing. */
export class RunnerProcess {
  state: RunnerState = 'starting';
  /** The image whose runs it takes; undefined while blank. */
  imageId: string | undefined;
  /** Never to be used again after its run. */
  single = false;
  /** Milliseconds from 'run' to 'started' of its first run: what a fresh process would cost the image again. */
  coldStart = 0;
  /** performance.now() of the last change to idle. */
  idleSince = 0;
  #tenant: Tenant | undefined;
  #postedAt = 0;
  #runs = 0;
  #process: HostedProcess | undefined;
  readonly #events: RunnerEvents;

  /** @throws what the host throws when it cannot start processes at all. */
  constructor(host: ProcessHost, events: RunnerEvents) {
    this.#events = events;
    const hosted = host.spawn('drydock runner', []);
    this.#process = hosted;
    hosted.onMessage((message) => this.#receive(message as FromRunner));
    hosted.onExit((code, signal) => {
      // The handle goes first: nothing may be posted to it from here on (electron issue 53923).
      this.#process = undefined;
      this.state = 'gone';
      const tenant = this.#tenant;
      this.#tenant = undefined;
      tenant?.lost(code, signal);
      this.#events.changed(this);
    });
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  post(message: ToRunner): void {
    this.#process?.post(message);
  }

  /** Gives it a run. The caller has chosen a runner that is blank, idle or resting. */
  occupy(tenant: Tenant, imageId: string, message: Extract<ToRunner, { t: 'run' }>): void {
    this.state = 'running';
    this.imageId = imageId;
    this.#tenant = tenant;
    this.#postedAt = performance.now();
    this.#runs++;
    this.post(message);
  }

  kill(): void {
    if (this.state !== 'running' && this.state !== 'gone') this.state = 'ending';
    this.#process?.kill();
  }

  #receive(message: FromRunner): void {
    switch (message.t) {
      case 'ready':
        if (this.state === 'starting') this.#become('blank');
        return;
      case 'idle':
        if (this.state === 'resting') this.#become('idle');
        return;
      case 'pong':
        return;
      default: {
        const tenant = this.#tenant;
        if (tenant?.id !== message.id) return;
        if (message.t === 'started' && this.#runs === 1) this.coldStart = performance.now() - this.#postedAt;
        if (message.t === 'exit' || message.t === 'failed') {
          this.#tenant = undefined;
          this.state = 'resting';
          if (this.single) this.kill();
          // Before the tenant hears of it: whoever waited for the end may start the next run at once.
          else if (!message.collecting) this.#become('idle');
        }
        tenant.receive(message);
      }
    }
  }

  #become(state: 'blank' | 'idle'): void {
    this.state = state;
    this.idleSince = performance.now();
    this.#events.changed(this);
  }
}
