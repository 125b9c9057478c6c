import { openMountTable, type MountTable } from '../fs/mount-table.ts';
import type { RunOutcome, RunSpec } from '../supervisor/protocol.ts';
import type { InputReader } from './bridge/input-ring.ts';
import type { Bridge } from './bridge/layout.ts';
import type { OutputWriter } from './bridge/output-ring.ts';
import { drive } from './bridge/wait.ts';
import { guestWorld } from './guest-world.ts';
import { blocking, type Ending } from './host-calls.ts';
import { linkGuest } from './link-guest.ts';
import { openListeners } from './listeners.ts';
import type { GuestSocket } from './net/guest-net.ts';
import type { RemoteNet } from './net/remote/remote-net.ts';
import { engineFault, NotRunnable } from './not-runnable.ts';
import type { FoundProgram, Programs } from './program.ts';
import { hasThreads, runThreads } from './threads/run-threads.ts';
import type { ThreadsWanted } from './threads/protocol.ts';
import type { TraceRing } from './trace/trace-ring.ts';
import { GuestTerminated, type GuestWorld } from './wasi/world.ts';
import type { Wasmer } from './wasmer/load.ts';
import { runWasmer } from './wasmer/run-wasmer.ts';

export interface GuestThreadContext {
  readonly bridge: Bridge;
  readonly input: InputReader;
  readonly output: OutputWriter;
  readonly programs: Programs;
  /** The network of a run; costs nothing before it is used. */
  readonly net: (spec: RunSpec) => RemoteNet;
  /** Where the run's calls are written down; undefined = nowhere. */
  readonly trace: (spec: RunSpec) => TraceRing | undefined;
  /** The control thread, as far as it starts and ends threads of the guest. */
  readonly threads: {
    want(message: ThreadsWanted): void;
    /** After runThreads. @throws NotRunnable */
    verdict(): RunOutcome;
  };
  /** Loaded before a run that asks for it. */
  readonly wasmer?: Wasmer | undefined;
}

/**
 * One run, from the module's path to its end. `started` is called when the module is linked.
 * @throws NotRunnable when the guest never ran.
 */
export function runGuest(context: GuestThreadContext, spec: RunSpec, started: (path: string) => void): RunOutcome {
  let mounts: MountTable;
  try {
    mounts = openMountTable(spec.mounts);
  } catch (error) {
    throw engineFault('internal', `cannot open the file system: ${(error as Error).message}`);
  }
  try {
    const found = context.programs.find(mounts, spec.module, spec.env, spec.memoryLimit !== undefined);
    const net = context.net(spec);
    const outcome = runProgram(context, spec, mounts, net, found, () => started(found.path));
    sayAll(net, context.bridge.words);
    return outcome;
  } finally {
    mounts.close();
  }
}

/** What a guest has said to its network before it ended reaches the control thread, unless it was ended. */
function sayAll(net: RemoteNet, words: Int32Array): void {
  try {
    drive(words, { ready: () => net.settled(), resume: () => 0 });
  } catch (error) {
    if (!(error instanceof GuestTerminated)) throw error;
  }
}

function runProgram(
  { bridge, input, output, threads, trace, wasmer }: GuestThreadContext,
  spec: RunSpec,
  mounts: MountTable,
  net: RemoteNet,
  found: FoundProgram,
  started: () => void,
): RunOutcome {
  const sockets: GuestSocket[] = [];
  const world: GuestWorld = { ...guestWorld(spec, mounts, bridge, input, output, net), sockets, trace: trace(spec) };
  try {
    drive(bridge.words, openListeners(world.net, spec.listeners ?? [], sockets));
  } catch (error) {
    if (!(error instanceof GuestTerminated)) throw error;
    started();
    return { kind: 'terminated' };
  }
  if (spec.runtime === 'wasmer') {
    if (!wasmer) throw engineFault('internal', 'the wasmer runtime was not loaded');
    return runWasmer(wasmer, found, spec, world, bridge.words, started);
  }
  if (hasThreads(found.program)) {
    runThreads(found, spec, world, bridge, (message) => threads.want(message));
    return threads.verdict();
  }
  const ending: Ending = { reason: undefined };
  const guest = linkGuest(found, spec, world, ending, (host) => blocking(host, bridge.words, ending));
  if (guest.runsAtOnce) started();
  try {
    const entries = guest.instantiate();
    if (!guest.runsAtOnce) started();
    for (const entry of entries) entry();
    return { kind: 'exit', code: 0 };
  } catch (error) {
    if (error instanceof NotRunnable) throw error;
    return guest.outcomeOf(error);
  } finally {
    guest.dispose();
  }
}
