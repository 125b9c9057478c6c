/**
 * What the WASI host needs from whatever runs it. Two implementations: runner/bridge over shared memory (a guest in its own thread, which may
 * block), and runner/shared (many guests on one thread by JSPI, which may not). So the host itself never blocks: a call that has to wait returns
 * a Wait, and the driver of the implementation waits in its own way and then goes on with `resume`. Unit tests fake it.
 */
import type { MountTable } from '../../fs/mount-table.ts';
import type { GuestNet, GuestSocket } from '../net/guest-net.ts';
import type { TraceRing } from '../trace/trace-ring.ts';

/** Thrown through guest frames by proc_exit. Caught only by the driver that called the guest. */
export class ProcExit extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`proc_exit ${code}`);
    this.code = code;
  }
}

/** Thrown out of a wait when the engine has asked for the end of the run. */
export class GuestTerminated extends Error {
  constructor() {
    super('terminated');
  }
}

export interface GuestInput {
  /** Copies what is there into `into`; 0 = nothing now. Never blocks. */
  take(into: Uint8Array): number;
  /** Bytes that `take` would give now. */
  available(): number;
  /** True once the other side has closed and everything was taken; with a terminal, where ^D was typed. */
  ended(): boolean;
  /** The guest was told of the end: after a terminal's ^D there may be more. */
  passEnd?(): void;
}

export interface GuestOutput {
  /**
   * Writes some or all of the bytes as one record (the iovecs of one call were gathered by the caller's list). Returns the bytes taken; 0 = no room
   * now, wait for `writable()`. Never blocks.
   */
  write(chunks: readonly Uint8Array[]): number;
  writable(): boolean;
}

export interface GuestWorld {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly mounts: MountTable;
  /** Directories preopened after `/`, under just these names; a relative one is looked for below `/`. */
  readonly preopens?: readonly string[] | undefined;
  readonly stdin: GuestInput;
  readonly stdout: GuestOutput;
  readonly stderr: GuestOutput;
  readonly tty: boolean;
  /** Absent: there are no sockets, opening one is ENOTSUP. */
  readonly net?: GuestNet | undefined;
  /** Sockets that the guest is given: descriptors after the preopened directories. */
  readonly sockets?: readonly GuestSocket[] | undefined;
  /** Where calls are written down; absent = nowhere. */
  readonly trace?: TraceRing | undefined;
  /** Descriptors that may be open at once; absent = the host's own bound. */
  readonly descriptorLimit?: number | undefined;
  /** Called now and then from host calls, so that `stats` can tell the size of linear memory. */
  noteMemory(bytes: number): void;
  /** Bytes moved by file reads and writes of the guest, for `stats`. */
  noteIo(read: number, written: number): void;
}

/** A host call that cannot be answered yet. */
export interface Wait {
  /** Tested at least once, and again whenever anything that a guest may wait for has changed. */
  readonly ready: () => boolean;
  /** Nanoseconds of the monotonic clock (`process.hrtime.bigint()`); resume then even when not ready. */
  readonly deadline?: bigint;
  /** The call's answer (an errno), or another wait. */
  readonly resume: () => number | Wait;
}

/** A preview 1 import. Only functions named in BLOCKING_IMPORTS (runner/wasi/preview1.ts) ever return a Wait. Throws ProcExit from proc_exit. */
export type HostFunction = (...args: never[]) => number | void | Wait;
