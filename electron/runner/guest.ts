/** Entry of the guest's thread: waits for runs, runs one at a time, answers first and collects garbage afterwards. Blocks only in Atomics.wait. */
import { parentPort, workerData } from 'node:worker_threads';
import { InputReader } from './bridge/input-ring.ts';
import { gauge, openBridge } from './bridge/layout.ts';
import { OutputWriter } from './bridge/output-ring.ts';
import { collectGarbage } from './garbage.ts';
import { type Channel, netWord, openChannel } from './net/remote/channel.ts';
import { RemoteNet } from './net/remote/remote-net.ts';
import { NotRunnable } from './not-runnable.ts';
import { Programs } from './program.ts';
import { type GuestThreadContext, runGuest } from './run-guest.ts';
import { takeVerdict } from './threads/verdict.ts';
import { TraceRing } from './trace/trace-ring.ts';
import { loadWasmer, type Wasmer } from './wasmer/load.ts';
import type { RunSpec } from '../supervisor/protocol.ts';
import type { FromGuest, GuestData, ToGuest } from './thread-protocol.ts';
import { TRACE_DEPTH } from './trap.ts';

/**
 * Garbage is collected when dead guests may hold this many bytes of memory, or after that many runs: a collection takes longer than twenty starts,
 * and V8 by itself lets dead memories lie (one of 256 MB for ever) and then collects inside of a start.
 */
const GARBAGE = 8 << 20;
const RUNS = 32;

const port = parentPort;
if (!port) throw new Error('guest.cjs is the thread of a runner process');
const { shared, programs } = workerData as GuestData;
const bridge = openBridge(shared);
const post = (message: FromGuest): void => port.postMessage(message);
const ring = (): void => port.postMessage(0);
const output = new OutputWriter(bridge, ring);
/** Made for the first guest that has sockets, and used again. */
let channel: Channel | undefined;

/** A ring for each traced run: the control thread may still read the last one's. */
function openTrace({ id, trace }: RunSpec): TraceRing | undefined {
  if (trace === undefined) return undefined;
  const opened = new TraceRing();
  opened.on = trace === 'on';
  post({ t: 'trace', id, memory: opened.memory });
  return opened;
}

/** The control thread has done with the last run by the time that the next one begins. */
function openNet(id: string): Channel {
  channel ??= openChannel();
  channel.words.fill(0);
  post({ t: 'net', id, shared: channel.shared });
  return channel;
}

/** The control thread has to catch up. Not for long at a time: nobody wakes this. */
const holdUp = (words: Int32Array): void =>
  void Atomics.wait(words, netWord.requestsTail, Atomics.load(words, netWord.requestsTail), 1);

const context: GuestThreadContext = {
  bridge,
  input: new InputReader(bridge, ring),
  output,
  net: ({ id }) => new RemoteNet(() => openNet(id), ring, holdUp),
  trace: openTrace,
  programs: new Programs(programs, (program) => post({ t: 'compiled', program })),
  threads: {
    want: (message) => {
      // The memory is known in several threads, which all have to forget it.
      garbage = Infinity;
      post(message);
    },
    verdict: () => takeVerdict(port),
  },
};
Error.stackTraceLimit = TRACE_DEPTH;
let runs = 0;
let garbage = 0;

/** True when garbage has to be collected before the next run. */
function isDue(): boolean {
  garbage += bridge.gauges[gauge.memoryPeak] as number;
  return ++runs >= RUNS || garbage > GARBAGE;
}

function serve(spec: RunSpec, wasmer?: Wasmer): void {
  output.reset();
  // Decided before the answer: with it the control thread may begin the next run and reset the gauges.
  let collecting: boolean;
  try {
    const outcome = runGuest(wasmer ? { ...context, wasmer } : context, spec, (module) =>
      post({ t: 'started', id: spec.id, module }),
    );
    collecting = isDue();
    post({ t: 'exit', id: spec.id, outcome, collecting });
  } catch (error) {
    const known = error instanceof NotRunnable;
    collecting = isDue();
    post({
      t: 'failed',
      id: spec.id,
      kind: known ? error.kind : 'internal',
      message: known ? error.message : `the runner failed: ${(error as Error).stack ?? String(error)}`,
      exitCode: known ? error.exitCode : 125,
      collecting,
    });
  }
  if (!collecting) return;
  collectGarbage();
  runs = 0;
  garbage = 0;
  post({ t: 'idle' });
}

port.on('message', (message: ToGuest) => {
  if (message.t !== 'run') return;
  const { spec } = message;
  if (spec.runtime !== 'wasmer') return serve(spec);
  // A run that cannot have its library says so itself.
  void loadWasmer().then(
    (library) => serve(spec, library),
    () => serve(spec),
  );
});

post({ t: 'ready' });
