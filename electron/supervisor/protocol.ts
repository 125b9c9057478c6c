/**
 * The messages between the engine's supervisor and a runner process: types only, because both sides import this file.
 * They travel by structured clone (child_process 'advanced' serialization, or Electron's utility process port).
 * Every message about a run carries `id`, so that a late message of the last run is never read as the next one's.
 */
import type { ErrorKind } from '../base/errors.ts';
import type { MountSpec } from '../fs/mounts.ts';

/** Where the runner's control thread appends a run's output. */
export interface LogSpec {
  /** Directory of the container's log segments; each segment is named by the logical offset of its first byte, see engine/containers/logs/README.md. */
  readonly directory: string;
  /** Bytes after which a new segment is begun; absent = never. */
  readonly maxSize?: number;
  /** Segments kept, ≥ 1. */
  readonly maxFiles: number;
  /** Bytes that the log may be ahead of its reader ('logRead', at first 0): the guest waits where it would be more. Absent = any; not in a shared process. */
  readonly ahead?: number;
}

/** Everything that one run of a module needs. */
export interface RunSpec {
  /** Unique for each run: container (or exec) id, ':' and the number of the start. */
  readonly id: string;
  /** Guest path of the module; `path#function` calls an exported function of a reactor. */
  readonly module: string;
  /** argv, the first being the program's name as the guest sees it. */
  readonly args: readonly string[];
  /** Absent = our own host; 'wasmer' = `@wasmer/wasi` (runner/wasmer), not in a shared process. */
  readonly runtime?: 'wasmer';
  /** `KEY=value`. */
  readonly env: readonly string[];
  readonly mounts: readonly MountSpec[];
  /** Guest paths of directories that are preopened after `/`, under just these names, for programs that look for one by name. */
  readonly preopens?: readonly string[];
  /** 'closed' reads as end of file at once. */
  readonly stdin: 'open' | 'closed';
  readonly tty?: { readonly rows: number; readonly columns: number };
  /** Upper bound of linear memory in bytes; absent = what the module declares. */
  readonly memoryLimit?: number;
  /** Absent = loopback only, shared with nobody. */
  readonly net?: NetSpec;
  /** Sockets that are open before the guest runs: descriptors after the preopened directories, in this order. When one cannot be, the start fails. */
  readonly listeners?: readonly GuestListener[];
  /** Guest threads that may live at once, the main one included; absent = the runner's own bound. */
  readonly threadLimit?: number;
  /** Open descriptors of the guest; absent = the runner's own bound. */
  readonly descriptorLimit?: number;
  readonly log: LogSpec;
  /** Calls to the WASI host can be written down (runner/trace); 'off' = later, when somebody asks. Absent = never in this run. */
  readonly trace?: 'on' | 'off';
}

/** The network of a run. Names, routes and rules are the engine's: the runner asks for each (`NetAsk`), so that they can change while it runs. */
export interface NetSpec {
  /**
   * Where other runs reach sockets of this one: a path of a unix socket (mode 0600), or of a named pipe on Windows. The runner listens there from the
   * first time that the guest listens, see runner/net/README.md for what is spoken.
   */
  readonly gate: string;
  /** Opened on the host before the guest runs; when one cannot be, the start fails. */
  readonly ports: readonly PublishedPort[];
  /**
   * How connections to `ports` look from inside: those made on the host's loopback come from `host`, and all go to `guest`. Absent where nothing is
   * published.
   */
  readonly published?: { readonly host: string; readonly guest: string };
}

/** On any address of the guest's network: tcp listens, udp is bound. */
export interface GuestListener {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

export interface PublishedPort {
  readonly protocol: 'tcp' | 'udp';
  /** '0.0.0.0', '::', or one of the host's addresses. */
  readonly hostIp: string;
  /** 0 = a free one. */
  readonly hostPort: number;
  /** Where the guest listens. */
  readonly port: number;
}

/** Asked by a runner, answered by the engine (engine/networks). Ports are those of the guest's network. */
export type NetAsk =
  | { readonly ask: 'lookup'; readonly name: string; readonly family: 0 | 4 | 6 }
  /** Before a stream connects, and for the destination of a datagram (answers may be kept for a second). */
  | { readonly ask: 'route'; readonly protocol: 'tcp' | 'udp'; readonly address: string; readonly port: number }
  /**
   * Before a socket is bound: the port is claimed for this run. Port 0 = any free one. Of the host's own ports (answer `host`) it is only said that they
   * may be tried; asked again with `bound` once the host has given one, it is claimed.
   */
  | {
      readonly ask: 'listen';
      readonly protocol: 'tcp' | 'udp';
      readonly address: string;
      readonly port: number;
      readonly bound?: true;
    }
  | { readonly ask: 'unlisten'; readonly protocol: 'tcp' | 'udp'; readonly port: number };

export type NetAnswer =
  | { readonly addresses: readonly string[] }
  /** A socket of a run: its gate (maybe this run's own), the port to name there, and the address that the peer shall see. */
  | { readonly gate: string; readonly port: number; readonly source: string }
  /** An address to be reached from the host: as asked, or another (`host.docker.internal` is 127.0.0.1). */
  | { readonly address: string; readonly port: number; readonly source: string }
  /** Claimed. `host`: not yet, bind the host's address itself (`--network host`). */
  | { readonly port: number; readonly host?: true }
  | {
      /** noName: no such host. denied: a rule refuses it. unreachable: another network. refused: nobody listens there. */
      readonly error: 'noName' | 'tryAgain' | 'denied' | 'unreachable' | 'refused' | 'inUse' | 'notAvailable';
    };

export type ToRunner =
  | { readonly t: 'run'; readonly spec: RunSpec }
  /** At most `STDIN_WINDOW` unacknowledged bytes in flight. */
  | { readonly t: 'stdin'; readonly id: string; readonly bytes: Uint8Array }
  | { readonly t: 'eof'; readonly id: string }
  /** Whoever needs the log of a run with `log.ahead` has read it up to this logical offset. */
  | { readonly t: 'logRead'; readonly id: string; readonly offset: number }
  | { readonly t: 'resize'; readonly id: string; readonly rows: number; readonly columns: number }
  /**
   * End the guest: at its next wait, or by terminating its thread when it does not get there at once. A shared process hears it only when no guest
   * computes.
   */
  | { readonly t: 'terminate'; readonly id: string }
  | { readonly t: 'usage'; readonly id: string; readonly seq: number }
  /** Another bound for guest threads, from now on; absent = the runner's own. Threads that live go on. */
  | { readonly t: 'threadLimit'; readonly id: string; readonly limit?: number }
  /** Switches the trace (`on`), and asks for its lines after `since` (a `head` of an earlier answer; absent = all that are kept). */
  | {
      readonly t: 'trace';
      readonly id: string;
      readonly seq: number;
      readonly on?: boolean;
      readonly since?: number;
    }
  | { readonly t: 'netAnswer'; readonly id: string; readonly seq: number; readonly answer: NetAnswer }
  | { readonly t: 'ping'; readonly seq: number };

/** Bytes of stdin that may be on their way before the runner acknowledges them. */
export const STDIN_WINDOW = 1 << 20;

/** Lines of a trace, JSON each (runner/trace/traced.ts). */
export interface TraceReading {
  readonly on: boolean;
  /** Oldest first. */
  readonly text: string;
  readonly head: number;
  /** Some lines since the last reading are gone: the ring holds a megabyte. */
  readonly lost: boolean;
}

/** How a run ended. What was asked for (stop, kill) is remembered by the engine, never inferred from this. */
export type RunOutcome =
  /** The guest called proc_exit, or `_start` returned (0). 0–255. */
  | { readonly kind: 'exit'; readonly code: number }
  /**
   * A Wasm trap; `stack` is the text that was written to stderr as well. `outOfMemory`: the guest's last attempt to get more memory had failed at
   * `memoryLimit`.
   */
  | { readonly kind: 'trap'; readonly message: string; readonly stack: string; readonly outOfMemory?: true }
  | { readonly kind: 'terminated' };

/** Resources used by a run so far. */
export interface RunUsage {
  /** CPU time of this run in microseconds, user and system. */
  readonly cpuUser: number;
  readonly cpuSystem: number;
  /** Bytes of linear memory now. */
  readonly memory: number;
  readonly memoryPeak: number;
  /** Guest threads. */
  readonly threads: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  /** Over sockets, published ports included. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

export type FromRunner =
  | { readonly t: 'ready' }
  /** The module was found, compiled and linked; the guest is about to run. */
  | {
      readonly t: 'started';
      readonly id: string;
      readonly module: string;
      /** Host ports of `net.ports`, in their order, as they were really opened. */
      readonly ports?: readonly number[];
    }
  /** The guest never ran. Nothing was written to the log. */
  | {
      readonly t: 'failed';
      readonly id: string;
      readonly kind: ErrorKind;
      readonly message: string;
      /** What `docker run` must exit with: 127 not found, 126 cannot run, 125 otherwise. */
      readonly exitCode: 125 | 126 | 127;
      /** Garbage is collected (or a thread replaced) next: 'idle' follows. Without it the runner can take the next run at once. */
      readonly collecting: boolean;
    }
  /** The log now reaches this logical offset (coalesced). */
  | { readonly t: 'grown'; readonly id: string; readonly offset: number }
  | { readonly t: 'stdinAck'; readonly id: string; readonly bytes: number }
  /** Shared processes only: this guest computed for more than a second without waiting, and its neighbours stood still. May be said again. */
  | { readonly t: 'hogged'; readonly id: string }
  /** Sent after the last byte is in the log. */
  | {
      readonly t: 'exit';
      readonly id: string;
      readonly outcome: RunOutcome;
      readonly offset: number;
      readonly usage: RunUsage;
      /** What is in the ring of a traced run. */
      readonly trace?: TraceReading;
      /** As in 'failed'. */
      readonly collecting: boolean;
    }
  | { readonly t: 'usage'; readonly id: string; readonly seq: number; readonly usage: RunUsage }
  | { readonly t: 'traced'; readonly id: string; readonly seq: number; readonly trace?: TraceReading }
  | { readonly t: 'netAsk'; readonly id: string; readonly seq: number; readonly ask: NetAsk }
  /** Garbage is collected; the runner may take the next run of the same image. */
  | { readonly t: 'idle' }
  | { readonly t: 'pong'; readonly seq: number };
