/** Entry of a thread of a guest: runs one Wasm thread at a time, in an instance of its own over the memory that all share. Blocks only in Atomics.wait. */
import { parentPort } from 'node:worker_threads';
import { collectGarbage } from '../garbage.ts';
import type { Ending } from '../host-calls.ts';
import { hasStart, instantiate } from '../instantiate.ts';
import { NotRunnable } from '../not-runnable.ts';
import { markOutOfMemory } from '../out-of-memory.ts';
import { outcomeOf } from '../outcome.ts';
import { TRACE_DEPTH } from '../trap.ts';
import { linkThread } from './link-thread.ts';
import type { FromThread, ToThread, Verdict } from './protocol.ts';

const port = parentPort;
if (!port) throw new Error('thread.cjs is a thread of a runner process');
const post = (message: FromThread): void => port.postMessage(message);
Error.stackTraceLimit = TRACE_DEPTH;

/** Runs the thread. Returns how the process ends by it; undefined = it only returned. */
function run({ program, slot, tid, argument }: Extract<ToThread, { t: 'begin' }>): Verdict | undefined {
  const { name, compiled, memoryLimit, entries } = program;
  const runsAtOnce = hasStart(compiled.description);
  const main = tid === 0;
  const ending: Ending = { reason: undefined };
  let instance: WebAssembly.Instance | undefined;
  try {
    if (main && runsAtOnce) post({ t: 'started' });
    const imports = linkThread(program, slot, ending, (value) => post({ t: 'spawn', argument: value }));
    instance = instantiate(compiled.module, imports, runsAtOnce, name);
    const { exports } = instance;
    if (!main) {
      (exports['wasi_thread_start'] as (tid: number, argument: number) => void)(tid, argument);
      return undefined;
    }
    if (!runsAtOnce) post({ t: 'started' });
    for (const entry of entries) (exports[entry] as () => unknown)();
    return { kind: 'exit', code: 0 };
  } catch (error) {
    if (error instanceof NotRunnable && main)
      return { kind: 'failed', error: error.kind, exitCode: error.exitCode, message: error.message };
    const outcome = outcomeOf(error, ending, compiled, main ? undefined : tid);
    return markOutOfMemory(outcome, compiled, memoryLimit, instance);
  }
}

port.on('message', (message: ToThread) => {
  if (message.t === 'clean') {
    collectGarbage();
    return post({ t: 'cleaned' });
  }
  const verdict = run(message);
  post(verdict ? { t: 'over', verdict } : { t: 'done' });
});
