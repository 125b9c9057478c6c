/**
 * A runner process of isolation `shared`: many guests that sleep most of the time, in one thread. No control thread watches over them: while one
 * computes, nothing here answers, and the supervisor ends the process when it has waited long enough.
 */
import { setFlagsFromString } from 'node:v8';
import type { FromRunner, ToRunner } from '../../supervisor/protocol.ts';
import { collectGarbage } from '../garbage.ts';
import { openParentPort } from '../parent-port.ts';
import { Programs } from '../program.ts';
import { TRACE_DEPTH } from '../trap.ts';
import { findJspi } from './jspi.ts';
import { answerTrace } from '../trace/answer.ts';
import { SharedRun } from './shared-run.ts';

/** Garbage is collected after so many bytes of dead memories, or so many runs: V8 counts dead ones among the few it allows (about 124 in Electron). */
const GARBAGE = 8 << 20;
const RUNS = 16;
/** Kilobytes of stack for each guest, as deep as in a thread of its own; only what is touched is there. Windows commits all of it. */
const STACK_SIZE = process.platform === 'win32' ? 1024 : 8192;
/** Milliseconds for the log's last bytes when the engine is gone. */
const ORPHAN_GRACE = 3000;

/** Starts serving. */
export function startShared(): void {
  setFlagsFromString(`--wasm-stack-switching-stack-size=${STACK_SIZE}`);
  Error.stackTraceLimit = TRACE_DEPTH;
  const parent = openParentPort();
  const post = (message: FromRunner): void => parent.post(message);
  const jspi = findJspi();
  const programs = new Programs([], () => undefined);
  const runs = new Map<string, SharedRun>();
  let garbage = 0;
  let ended = 0;

  const over = (id: string, left: number): void => {
    runs.delete(id);
    garbage += left;
    if (++ended < RUNS && garbage < GARBAGE) return;
    ended = 0;
    garbage = 0;
    // After the answer is on its way.
    setImmediate(collectGarbage);
  };

  const start = ({ spec }: Extract<ToRunner, { t: 'run' }>): void => {
    const { id } = spec;
    const failed = (kind: 'internal' | 'unsupported', message: string) =>
      post({ t: 'failed', id, kind, message, exitCode: 125, collecting: false });
    if (!jspi)
      return failed(
        'unsupported',
        'this version of the engine cannot run many programs in one process (WebAssembly.Suspending is missing); use isolation "process"',
      );
    if (runs.has(id)) return failed('internal', `the run ${id} is here already`);
    let run: SharedRun;
    try {
      run = new SharedRun(spec, jspi, post);
    } catch (error) {
      return failed('internal', `cannot open the log in ${spec.log.directory}: ${(error as Error).message}`);
    }
    runs.set(id, run);
    void run.run(programs).then((left) => over(id, left));
  };

  parent.onMessage((message) => {
    if (message.t === 'ping') return post({ t: 'pong', seq: message.seq });
    if (message.t === 'run') return start(message);
    // Undefined: a message for a run that has just ended.
    const run = runs.get(message.id);
    switch (message.t) {
      case 'stdin':
        return run?.stdin(message.bytes);
      case 'eof':
        return run?.eof();
      case 'resize':
        // WASI has no way to ask for the size.
        return;
      case 'terminate':
        return run?.terminate();
      case 'netAnswer':
        return run?.netAnswer(message.seq, message.answer);
      case 'trace':
        return post(answerTrace(run?.trace, message));
      case 'usage':
        if (run) post({ t: 'usage', id: message.id, seq: message.seq, usage: run.usage() });
    }
  });

  // The engine is gone: end the guests, save what they wrote, leave.
  parent.onClose(() => {
    for (const run of runs.values()) run.terminate();
    const deadline = Date.now() + ORPHAN_GRACE;
    setInterval(() => {
      if (runs.size === 0 || Date.now() > deadline) process.exit(runs.size === 0 ? 0 : 1);
    }, 5);
  });

  post({ t: 'ready' });
}
