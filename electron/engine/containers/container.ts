/** One container in memory: its record, its run if there is one, and who looks at it. Only the transitions change it. */
import { join } from 'node:path';
import type { Run } from '../../supervisor/api.ts';
import type { TraceReading } from '../../supervisor/protocol.ts';
import type { ContainerState, ContainerView, NetworkEndpoint } from '../api/index.ts';
import { isPredefined } from '../networks/filter.ts';
import { ContainerExecs } from './exec/container-execs.ts';
import type { Health } from './health.ts';
import { ContainerLog } from './logs/container-log.ts';
import type { NetworkPart } from './namespace.ts';
import type { ContainerRecord, NetworkSetting } from './record.ts';
import { Stdin } from './stdin.ts';
import { Waiters } from './waiters.ts';

/** What was asked of a run; remembered, because a process that was ended from outside does not say why. */
export interface Asked {
  readonly signal: number;
  /** `restart`: the container is kept and started again; `shutdown`: the engine ends. */
  readonly by: 'stop' | 'kill' | 'remove' | 'restart' | 'shutdown';
}

/** A run that has started. */
export interface ActiveRun {
  readonly run: Run;
  /** Monotonic milliseconds, to tell how long it lasted. */
  readonly began: number;
  asked: Asked | undefined;
  /** Resolves when the end is recorded, announced and everybody told. */
  readonly ended: Promise<void>;
}

export class Container {
  readonly id: string;
  readonly directory: string;
  readonly log: ContainerLog;
  readonly stdin = new Stdin();
  readonly waiters = new Waiters();
  active: ActiveRun | undefined;
  /** A start that is under way; never rejects. */
  starting: Promise<void> | undefined;
  /** The run that a start waits for. */
  launching: Run | undefined;
  /** What was asked while it was starting; becomes the run's own. */
  askedEarly: Asked | undefined;
  /** Ends the wait for the next try of a restart policy. */
  cancelRestart: (() => void) | undefined;
  /** Milliseconds that the next try will wait. */
  restartDelay = 0;
  removing = false;
  /** What the switch of the trace was set to since the engine was opened; undefined = as the label says. */
  tracing: boolean | undefined;
  /** Of the last run, until the next one begins. */
  lastTrace: TraceReading | undefined;
  /** Its guest computed where others had to wait for it: isolation `shared` becomes `process` at the next start. */
  hogged = false;
  /** Addresses while it runs. */
  endpoints: readonly NetworkEndpoint[] = [];
  /** Its part in the virtual network while it runs; `net.namespace` is what an exec becomes a member of. */
  net: NetworkPart | undefined;
  readonly execs = new ContainerExecs();
  /** Since it first ran with a health check. */
  health: Health | undefined;
  /** Last size told by a terminal: rows, columns. */
  consoleSize: readonly [number, number];
  #record: ContainerRecord;
  #view: ContainerView | undefined;

  /** `logEnd`: known for a new container, else looked up when needed. */
  constructor(directory: string, record: ContainerRecord, logEnd?: number) {
    this.id = record.id;
    this.directory = directory;
    this.log = new ContainerLog(join(directory, 'logs'), logEnd);
    this.consoleSize = record.consoleSize;
    this.#record = record;
  }

  get record(): ContainerRecord {
    return this.#record;
  }

  set record(record: ContainerRecord) {
    this.#record = record;
    this.#view = undefined;
  }

  get state(): ContainerState {
    return this.removing ? 'removing' : this.#record.state;
  }

  get name(): string {
    return this.#record.name;
  }

  /** True while there is a run, paused or not. */
  get isLive(): boolean {
    return this.active !== undefined;
  }

  /** The view is made again when it is next asked for. */
  touch(): void {
    this.#view = undefined;
  }

  view(): ContainerView {
    return (this.#view ??= this.#makeView());
  }

  #makeView(): ContainerView {
    const { record } = this;
    return {
      id: record.id,
      name: record.name,
      created: record.created,
      imageId: record.imageId,
      path: record.path,
      args: record.args,
      config: record.config,
      mounts: record.mounts,
      networks: record.networks.map((setting) => endpointView(record, setting, this.endpoints)),
      ports: this.net?.ports ?? [],
      state: this.state,
      pid: this.active?.run.pid ?? 0,
      exitCode: record.exitCode,
      error: record.error,
      oomKilled: record.oomKilled,
      startedAt: record.startedAt,
      finishedAt: record.finishedAt,
      restartCount: record.restartCount,
      logPath: this.log.directory,
      execIds: this.execs.present().map(({ id }) => id),
      ...(this.health ? { health: this.health.view() } : {}),
      warnings: record.warnings,
    };
  }
}

/** A network that it is or will be on: without addresses while it does not run. */
function endpointView(
  record: ContainerRecord,
  { network, name, aliases, ipv4Address }: NetworkSetting,
  endpoints: readonly NetworkEndpoint[],
): NetworkEndpoint {
  const absent = { ipAddress: '', gateway: '', prefixLength: 0, macAddress: '' };
  const endpoint = endpoints.find((each) => each.networkId === network || each.name === name) ?? {
    networkId: network === name ? '' : network,
    name,
    aliases,
    ...absent,
  };
  return {
    ...endpoint,
    ...(isPredefined(name)
      ? {}
      : { dnsNames: [...new Set([record.name, ...aliases, record.id.slice(0, 12), record.config.hostname])] }),
    ...(ipv4Address === undefined ? {} : { requestedAddress: ipv4Address }),
  };
}
