import type { ContainerView, EngineApi, EngineEvent } from '../engine/api/index.ts';

/** A live or failed container as tray and notifications show it. */
export interface ActivityRow {
  readonly id: string;
  readonly name: string;
  readonly state: 'running' | 'paused' | 'restarting' | 'failed';
  /** Compose project; '' = none. */
  readonly project: string;
  /** Published TCP ports of the host, lowest first. */
  readonly ports: readonly number[];
  readonly exitCode: number;
  /** Trap or start error; '' = none. */
  readonly error: string;
}

export interface Activity {
  readonly engine: 'starting' | 'on' | 'stopping';
  /** By project, then name. */
  readonly rows: readonly ActivityRow[];
  /** A failure that nobody has looked at yet. */
  readonly unseen: boolean;
}

/** What tray and menus are made of; rebuilt on engine events, never polled. A burst of events (stop all) is one change. */
export class ActivityWatch {
  readonly #changed: (activity: Activity) => void;
  readonly #failedNow: (rows: readonly ActivityRow[]) => void;
  readonly #failed = new Set<string>();
  /** Ids that a person or client asked to end: their exit is no failure, whatever its code. */
  readonly #asked = new Set<string>();
  #fresh: string[] = [];
  #engine: EngineApi | undefined;
  #state: Activity['engine'] = 'starting';
  #unseen = false;
  #pending = false;

  /**
   * @param changed after each change, and once for the start
   * @param failedNow containers that have just failed
   */
  constructor(changed: (activity: Activity) => void, failedNow: (rows: readonly ActivityRow[]) => void) {
    this.#changed = changed;
    this.#failedNow = failedNow;
    changed(this.current());
  }

  /** The engine is there. Returns the unsubscriber. */
  attach(engine: EngineApi): () => void {
    this.#engine = engine;
    this.#state = 'on';
    this.#changed(this.current());
    return engine.events.subscribe((event) => this.#take(event));
  }

  /** The engine is closing. */
  end(): void {
    this.#state = 'stopping';
    this.#changed(this.current());
  }

  /** The person has the window before them. */
  seen(): void {
    if (!this.#unseen) return;
    this.#unseen = false;
    this.#changed(this.current());
  }

  current(): Activity {
    const views = this.#state === 'on' ? (this.#engine?.containers.list({ all: true, filters: new Map() }) ?? []) : [];
    const rows = views.flatMap((view) => rowOf(view, this.#failed.has(view.id)) ?? []);
    rows.sort((a, b) => a.project.localeCompare(b.project) || a.name.localeCompare(b.name));
    return { engine: this.#state, rows, unseen: this.#unseen };
  }

  #take({ type, action, actorId, attributes }: EngineEvent): void {
    if (type !== 'container') return;
    if (action === 'kill' || action === 'stop') this.#asked.add(actorId);
    else if (action === 'start' || action === 'destroy') {
      this.#asked.delete(actorId);
      this.#failed.delete(actorId);
    } else if (action === 'die') {
      if (!this.#asked.delete(actorId) && attributes['exitCode'] !== '0') {
        this.#failed.add(actorId);
        this.#fresh.push(actorId);
      }
    } else if (!['pause', 'unpause', 'rename', 'restart', 'create'].includes(action)) return;
    this.#soon();
  }

  #soon(): void {
    if (this.#pending) return;
    this.#pending = true;
    setImmediate(() => {
      this.#pending = false;
      if (this.#state !== 'on') return;
      const { rows } = this.current();
      const fresh = rows.filter((row) => row.state === 'failed' && this.#fresh.includes(row.id));
      this.#fresh = [];
      if (fresh.length > 0) this.#unseen = true;
      if (this.#failed.size === 0) this.#unseen = false;
      this.#changed(this.current());
      if (fresh.length > 0) this.#failedNow(fresh);
    });
  }
}

function rowOf(view: ContainerView, failed: boolean): ActivityRow | undefined {
  const { id, name, exitCode, error, config } = view;
  const live = view.state === 'running' || view.state === 'paused' || view.state === 'restarting';
  if (!live && !failed) return undefined;
  const ports = view.ports.flatMap(({ protocol, hostPort }) => (protocol === 'tcp' ? hostPort : []));
  return {
    id,
    name,
    state: live ? (view.state as 'running' | 'paused' | 'restarting') : 'failed',
    project: config.labels['com.docker.compose.project'] ?? '',
    ports: [...new Set(ports)].sort((a, b) => a - b),
    exitCode,
    error,
  };
}

/** The one picture for all of it (design/README.md): what needs a person first, then what changes, then what is. */
export function pictureOf({ engine, rows, unseen }: Activity): 'running' | 'busy' | 'paused' | 'failed' | 'stopped' {
  if (engine === 'stopping') return 'stopped';
  if (engine === 'starting') return 'busy';
  if (unseen) return 'failed';
  const live = rows.filter((row) => row.state !== 'failed');
  if (live.some((row) => row.state === 'restarting')) return 'busy';
  if (live.length > 0 && live.every((row) => row.state === 'paused')) return 'paused';
  return 'running';
}
