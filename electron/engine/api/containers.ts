import type { Isolation } from '../../supervisor/api.ts';
import type { FileKind } from '../../fs/stat.ts';
import type { PublishedPort, RunUsage } from '../../supervisor/protocol.ts';
import type { EndpointRequest } from './networks.ts';

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'removing' | 'dead';

export type MountRequest =
  /** `createSource`: `-v` makes a missing host directory, `--mount` refuses. */
  | {
      readonly type: 'bind';
      readonly source: string;
      readonly target: string;
      readonly readOnly: boolean;
      readonly createSource: boolean;
    }
  /** Without a name: anonymous (64 hex). */
  | {
      readonly type: 'volume';
      readonly name?: string;
      readonly target: string;
      readonly readOnly: boolean;
      readonly noCopy?: boolean;
    }
  | {
      readonly type: 'tmpfs';
      readonly target: string;
      readonly size?: number;
      readonly mode?: number;
      readonly readOnly: boolean;
    };

export interface PortBinding {
  readonly hostIp: string;
  /** '' = a free one. */
  readonly hostPort: string;
}

export interface RestartPolicy {
  readonly name: 'no' | 'always' | 'unless-stopped' | 'on-failure';
  readonly maximumRetryCount: number;
}

export interface Healthcheck {
  readonly test: readonly string[];
  /** Nanoseconds, as in the Docker API. 0 = default. */
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  /** Between probes within the start period. Absent in records of an older Drydock. */
  readonly startInterval?: number;
  readonly retries: number;
}

/** One probe. Times are RFC 3339 with nanoseconds. */
export interface ProbeResult {
  readonly start: string;
  readonly end: string;
  /** 0 = healthy; −1 = it could not be run, or took too long. */
  readonly exitCode: number;
  /** At most 4,096 bytes. */
  readonly output: string;
}

export interface ContainerHealth {
  readonly status: 'starting' | 'healthy' | 'unhealthy';
  /** Failures in a row that count. */
  readonly failingStreak: number;
  /** The last five, oldest first. */
  readonly log: readonly ProbeResult[];
}

/** What a client asks for at create. Undefined means "as the image says". */
export interface ContainerSpec {
  readonly name?: string;
  /** As given; shown in `ps`. */
  readonly image: string;
  readonly platform?: string;
  /** Given → the image's Cmd is dropped unless `command` is given. `[]` clears it. */
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  /** `KEY=value`, over the image's. */
  readonly env?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly user?: string;
  readonly tty?: boolean;
  readonly openStdin?: boolean;
  readonly stdinOnce?: boolean;
  readonly attachStdin?: boolean;
  readonly attachStdout?: boolean;
  readonly attachStderr?: boolean;
  /** "80/tcp". */
  readonly exposedPorts?: readonly string[];
  /** Guest paths that get an anonymous volume unless something else is mounted there. */
  readonly volumes?: readonly string[];
  readonly mounts?: readonly MountRequest[];
  readonly volumesFrom?: readonly { readonly container: string; readonly readOnly: boolean }[];
  /** 'default', 'none', 'host', 'container:X' or a network's name. */
  readonly networkMode?: string;
  readonly networks?: Readonly<Record<string, EndpointRequest>>;
  /** `name:address` or `name=address`; the address may be `host-gateway`. */
  readonly extraHosts?: readonly string[];
  readonly portBindings?: Readonly<Record<string, readonly PortBinding[]>>;
  readonly publishAllPorts?: boolean;
  readonly stopSignal?: string;
  /** Seconds. */
  readonly stopTimeout?: number;
  readonly healthcheck?: Healthcheck;
  readonly restartPolicy?: RestartPolicy;
  readonly autoRemove?: boolean;
  /** Bytes; 0 = no limit. */
  readonly memory?: number;
  /** Billionths of a core; 0 = no limit. */
  readonly nanoCpus?: number;
  /** Guest threads at once, the main one included; 0 = no limit. */
  readonly pidsLimit?: number;
  /** Open descriptors of the guest; 0 = the engine's own bound. */
  readonly openFiles?: number;
  /** Bytes of the writable layer; 0 = no limit. */
  readonly storageSize?: number;
  readonly readOnlyRoot?: boolean;
  readonly logOptions?: Readonly<Record<string, string>>;
  /** 'wasi' or an alias. */
  readonly runtime?: string;
  readonly isolation?: Isolation;
  /** The client's HostConfig as it was sent, given back by inspect. Opaque to the engine. */
  readonly hostConfig?: Readonly<Record<string, unknown>>;
  /** rows, columns. */
  readonly consoleSize?: readonly [number, number];
}

/** A mount as it was settled at create. */
export interface ContainerMount {
  readonly type: 'bind' | 'volume' | 'tmpfs';
  /** Volumes only. */
  readonly name?: string;
  /** Host path; '' for tmpfs. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly size?: number;
  readonly mode?: number;
  /** Anonymous volumes go with `rm -v`. */
  readonly anonymous?: boolean;
}

/** The image's configuration merged with the spec: what will run. */
export interface ContainerConfig {
  readonly image: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** Merged, without the injected PATH and HOSTNAME. */
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly hostname: string;
  readonly domainname: string;
  readonly user: string;
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
  readonly attachStdin: boolean;
  readonly attachStdout: boolean;
  readonly attachStderr: boolean;
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly stopSignal: string;
  readonly stopTimeout: number | undefined;
  readonly healthcheck: Healthcheck | undefined;
  readonly restartPolicy: RestartPolicy;
  readonly autoRemove: boolean;
  readonly memory: number;
  readonly nanoCpus: number;
  /** As in ContainerSpec; absent in records of an older Drydock. */
  readonly pidsLimit?: number;
  readonly openFiles?: number;
  readonly storageSize?: number;
  readonly readOnlyRoot: boolean;
  readonly networkMode: string;
  /** Absent in records of an older Drydock. */
  readonly extraHosts?: readonly string[];
  readonly portBindings: Readonly<Record<string, readonly PortBinding[]>>;
  readonly publishAllPorts: boolean;
  readonly logOptions: Readonly<Record<string, string>>;
  readonly runtime: string;
  readonly isolation: Isolation;
  readonly hostConfig: Readonly<Record<string, unknown>>;
}

export interface NetworkEndpoint {
  readonly networkId: string;
  readonly name: string;
  readonly aliases: readonly string[];
  readonly ipAddress: string;
  readonly gateway: string;
  readonly prefixLength: number;
  readonly macAddress: string;
  /** While it runs. */
  readonly endpointId?: string;
  /** What others on the network may call it; user-defined networks only. */
  readonly dnsNames?: readonly string[];
  /** The address that was asked for. */
  readonly requestedAddress?: string;
}

/** A snapshot of one container; plain data. Times are milliseconds since the epoch, 0 = never, but `startedAt` & co carry nanoseconds as text. */
export interface ContainerView {
  readonly id: string;
  /** Without the slash. */
  readonly name: string;
  /** RFC 3339 with nanoseconds. */
  readonly created: string;
  readonly imageId: string;
  /** argv[0] and the rest, after merging entrypoint and command. */
  readonly path: string;
  readonly args: readonly string[];
  readonly config: ContainerConfig;
  readonly mounts: readonly ContainerMount[];
  readonly networks: readonly NetworkEndpoint[];
  /** What is really open on the host, with real numbers; empty unless it runs. */
  readonly ports: readonly PublishedPort[];
  readonly state: ContainerState;
  readonly pid: number;
  readonly exitCode: number;
  readonly error: string;
  readonly oomKilled: boolean;
  /** RFC 3339 with nanoseconds; "0001-01-01T00:00:00Z" = never. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly restartCount: number;
  readonly logPath: string;
  readonly execIds: readonly string[];
  /** Absent: it has no health check, or has not run since the engine was opened. */
  readonly health?: ContainerHealth;
  readonly warnings: readonly string[];
}

export interface LogEntry {
  /** RFC 3339, nine digits of fraction, Z. */
  readonly time: string;
  readonly stream: 1 | 2;
  /** True when the bytes do not end a line; a complete entry's data includes its newline. */
  readonly partial: boolean;
  readonly data: Uint8Array;
}

export interface LogOptions {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Lines from the end; undefined = all. */
  readonly tail?: number | undefined;
  /** Nanoseconds since the epoch, inclusive. */
  readonly since?: bigint | undefined;
  readonly until?: bigint | undefined;
  readonly follow?: boolean | undefined;
}

export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Replay what is in the log first. */
  readonly logs: boolean;
  /** Stay for what comes. */
  readonly stream: boolean;
}

export interface Attachment {
  readonly tty: boolean;
  /** Ends when the run ends. Batches keep order. */
  readonly output: AsyncIterable<readonly LogEntry[]>;
  /** Undefined when stdin was not asked for or is not open. Writes before the start are kept. `write` resolves when there is room for more. */
  readonly stdin: { write(bytes: Uint8Array): Promise<void>; end(): void } | undefined;
  close(): void;
}

export interface StatsSample {
  /** RFC 3339 with nanoseconds. */
  readonly read: string;
  /** Nanoseconds of CPU since the start of the run. */
  readonly cpuUser: number;
  readonly cpuSystem: number;
  /** Nanoseconds of all cores since boot, to take ratios with. */
  readonly systemCpu: number;
  readonly onlineCpus: number;
  readonly memory: number;
  readonly memoryPeak: number;
  /** Bytes: the container's limit or the host's memory. */
  readonly memoryLimit: number;
  readonly threads: number;
  /** The most threads there may be; absent = no limit. */
  readonly threadLimit?: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** What the limit of CPU time has done since the start of the run; time in nanoseconds. Absent without one. */
  readonly throttling?: { readonly periods: number; readonly throttledPeriods: number; readonly throttledTime: number };
}

export interface Stats {
  readonly id: string;
  readonly name: string;
  readonly running: boolean;
  readonly current: StatsSample;
  readonly previous: StatsSample | undefined;
}

/** Keys are ANDed, values of one key ORed, `label` values ANDed (Docker API). Unknown keys are refused by the door, not here. */
export type Filters = ReadonlyMap<string, readonly string[]>;

export interface ListOptions {
  readonly all: boolean;
  readonly limit?: number | undefined;
  readonly filters: Filters;
}

export interface PruneResult {
  readonly deleted: readonly string[];
  /** Bytes. */
  readonly reclaimed: number;
}

export interface ContainerUpdate {
  readonly memory?: number;
  readonly nanoCpus?: number;
  readonly pidsLimit?: number;
  readonly restartPolicy?: RestartPolicy;
  /** Merged into the stored HostConfig. */
  readonly hostConfig?: Readonly<Record<string, unknown>>;
}

/** What is at a path of a container. Sizes in bytes, `mtime` in nanoseconds since the epoch, `mode` the permission bits. */
export interface PathStat {
  /** The last name of the path; '/' for the root. */
  readonly name: string;
  readonly size: number;
  readonly kind: FileKind;
  readonly mode: number;
  readonly mtime: bigint;
  /** Where a link leads in the end; '' for what is no link. */
  readonly linkTarget: string;
}

export interface PathChange {
  readonly path: string;
  readonly kind: 'modified' | 'added' | 'deleted';
}

export interface CommitOptions {
  /** '' = no name. */
  readonly reference: string;
  readonly comment: string;
  readonly author: string;
  /** Stand still meanwhile, where the host and the isolation can. */
  readonly pause: boolean;
  /** Dockerfile instructions over the container's configuration: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, USER, VOLUME, WORKDIR, … */
  readonly changes: readonly string[];
}

/** One call of a guest to its WASI host. */
export interface TraceCall {
  /** Nanoseconds since the epoch, when it began. */
  readonly time: bigint;
  /** Microseconds, waiting included. */
  readonly took: number;
  readonly name: string;
  /** `fd=3 path="/x" …` */
  readonly args: string;
  /** "SUCCESS", "NOENT", …; "exit", "trap". */
  readonly result: string;
  /** What it gave when it succeeded: `opened=4`. */
  readonly given: string;
}

export interface TraceView {
  /** 'later': switched on, but this run was started without; the next one has it. */
  readonly state: 'on' | 'off' | 'later';
  /** Oldest first; of the run before when nothing runs. */
  readonly calls: readonly TraceCall[];
  /** For `since`: what comes after these. */
  readonly next: number;
  /** Some calls since `since` are gone: the last megabyte is kept. */
  readonly lost: boolean;
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

/** `ref` is everywhere a full id, a unique id prefix, or a name with or without '/'. Unknown → notFound `No such container: REF`. */
export interface ContainersApi {
  create(spec: ContainerSpec): Promise<{ readonly id: string; readonly warnings: readonly string[] }>;
  /** False when it was running already. */
  start(ref: string): Promise<boolean>;
  /** False when it was not running. `timeout` in seconds. */
  stop(
    ref: string,
    options?: { readonly timeout?: number | undefined; readonly signal?: string | undefined },
  ): Promise<boolean>;
  /** `signal`: number or name with or without SIG. Harmless ones do nothing. */
  kill(ref: string, signal?: string): Promise<void>;
  restart(
    ref: string,
    options?: { readonly timeout?: number | undefined; readonly signal?: string | undefined },
  ): Promise<void>;
  pause(ref: string): Promise<void>;
  unpause(ref: string): Promise<void>;
  rename(ref: string, name: string): Promise<void>;
  remove(ref: string, options?: { readonly force?: boolean; readonly volumes?: boolean }): Promise<void>;
  /** The wait is registered before this returns; await `result` for the answer. Throws notFound at once. */
  wait(
    ref: string,
    condition: WaitCondition,
    signal?: AbortSignal,
  ): { readonly result: Promise<{ readonly exitCode: number; readonly error?: string }> };
  attach(ref: string, options: AttachOptions): Attachment;
  logs(ref: string, options: LogOptions, signal?: AbortSignal): AsyncIterable<readonly LogEntry[]>;
  resize(ref: string, rows: number, columns: number): Promise<void>;
  top(ref: string): Promise<{ readonly titles: readonly string[]; readonly processes: readonly (readonly string[])[] }>;
  /** One sample a second while iterated; `stream: false` gives one (two readings a second apart unless `oneShot`). */
  stats(
    ref: string,
    options: { readonly stream: boolean; readonly oneShot?: boolean },
    signal?: AbortSignal,
  ): AsyncIterable<Stats>;
  update(ref: string, change: ContainerUpdate): Promise<{ readonly warnings: readonly string[] }>;
  get(ref: string): ContainerView;
  list(options: ListOptions): readonly ContainerView[];
  /** Bytes in the writable layer, and in the root file system as a whole. */
  size(ref: string): Promise<{ readonly rw: number; readonly root: number }>;
  prune(filters: Filters): Promise<PruneResult>;
  /**
   * The calls of the container's program to its WASI host, and the switch for writing them down: at once in a run that began with a trace (`--label
   * drydock.trace=1`, or switched on before), else from the next start on.
   */
  trace(ref: string, request: { readonly on?: boolean; readonly since?: number }): Promise<TraceView>;
  /** `docker cp`: paths of the container, mounts included, whether it runs or not. notFound `Could not find the file PATH in container NAME`. */
  statPath(ref: string, path: string): Promise<PathStat>;
  archive(ref: string, path: string): Promise<{ readonly stat: PathStat; readonly tar: AsyncIterable<Uint8Array> }>;
  /** `path`: a directory. `keepKinds`: no directory gives way to a file, and the other way round. */
  extract(
    ref: string,
    path: string,
    tar: AsyncIterable<Uint8Array>,
    options: { readonly keepKinds: boolean },
  ): Promise<void>;
  /** The root file system as a tar, without mounts. */
  export(ref: string): AsyncIterable<Uint8Array>;
  /** What the container changed of its image. */
  changes(ref: string): Promise<readonly PathChange[]>;
  /** An image of the container as it is now. */
  commit(ref: string, options: CommitOptions): Promise<{ readonly id: string }>;
}

export type { PublishedPort, RunUsage };
