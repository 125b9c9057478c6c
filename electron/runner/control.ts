/**
 * The control thread of a runner process: commands in, events out. It owns the log, stdin, the terminal and the guest's thread, and runs no guest
 * code, so that a guest in an endless loop can always be inspected, logged and ended.
 */
import { dirname, join } from 'node:path';
import type { FromRunner, RunOutcome, ToRunner } from '../supervisor/protocol.ts';
import { ActiveRun } from './active-run.ts';
import { openBridge } from './bridge/layout.ts';
import { GuestThread } from './guest-thread.ts';
import { NotRunnable } from './not-runnable.ts';
import { answerTrace } from './trace/answer.ts';
import { TraceRing } from './trace/trace-ring.ts';
import { openParentPort } from './parent-port.ts';
import { prepareRehearsal, type Rehearsal } from './rehearsal.ts';
import type { FromGuest } from './thread-protocol.ts';
import { Threads } from './threads/threads.ts';

/** Milliseconds that a guest has to reach its next wait before its thread is ended. */
const GRACE = 10;
/** Milliseconds for the log's last bytes when the engine is gone. */
const ORPHAN_GRACE = 3000;

/** Starts serving. `guestPath`: the guest thread's bundle; thread.cjs, for threads that a guest starts, is beside it. */
export function startControl(guestPath = join(import.meta.dirname, 'guest.cjs')): void {
  const parent = openParentPort();
  const bridge = openBridge();
  let run: ActiveRun | undefined;
  /** What the guest's thread owes before the next run may be taken: 'ready' of a new thread, or 'idle' after a run. */
  let greeted = false;
  /** The engine (or the terminal) has asked for the end of the run, which will be forced. */
  let terminating = false;
  let forcing: NodeJS.Timeout | undefined;
  let outcome: RunOutcome | undefined;

  let rehearsal: Rehearsal | undefined;

  /** The guest's thread is ready for the next run before the last one was reported: its connections, or a full disk, take longer. */
  let readyEarly = false;

  const post = (message: FromRunner): void => {
    send(message);
    if (!readyEarly || (message.t !== 'exit' && message.t !== 'failed')) return;
    readyEarly = false;
    idle();
  };

  const send = (message: FromRunner): void => {
    if (!rehearsal || !('id' in message) || message.id !== rehearsal.spec.id) return parent.post(message);
    if (message.t !== 'exit' && message.t !== 'failed') return;
    rehearsal.dispose();
    rehearsal = undefined;
    parent.post({ t: 'ready' });
  };

  /** The first thread is there: rehearse, then say so. */
  const greet = (): void => {
    rehearsal = prepareRehearsal();
    if (rehearsal) start({ t: 'run', spec: rehearsal.spec });
    else parent.post({ t: 'ready' });
  };

  const finish = (ended: RunOutcome, collecting: boolean): void => {
    if (!run || outcome) return;
    clearTimeout(forcing);
    terminating = false;
    const { interrupted } = run;
    outcome = ended.kind === 'terminated' && interrupted !== undefined ? { kind: 'exit', code: interrupted } : ended;
    run.finish(outcome, collecting, () => {
      run = undefined;
      outcome = undefined;
    });
  };

  const fail = (message: Extract<FromRunner, { t: 'failed' }>): void => {
    clearTimeout(forcing);
    terminating = false;
    const failed = run;
    if (!failed || outcome) return;
    // Nothing else may end it meanwhile.
    outcome = { kind: 'terminated' };
    failed.abandon(() => {
      run = undefined;
      outcome = undefined;
      post(message);
    });
  };

  const terminate = (): void => {
    if (!run || terminating || outcome) return;
    terminating = true;
    run.kill();
    if (!threads.active) return force();
    // Before the last thread has ended the guest's thread, which is their host, does not either.
    void threads.end({ kind: 'terminated' }).then(() => {
      if (terminating) force();
    });
  };

  const force = (): void => {
    forcing = setTimeout(() => guest.end(), GRACE);
  };

  const idle = (): void => {
    if (outcome) {
      readyEarly = true;
      return;
    }
    if (!threads.used) return post({ t: 'idle' });
    void threads.clean().then(() => post({ t: 'idle' }));
  };

  const fromGuest = (message: FromGuest): void => {
    if (message === 0) return run?.bell();
    switch (message.t) {
      case 'ready':
        if (greeted) return idle();
        greeted = true;
        return greet();
      case 'idle':
        return idle();
      case 'threads':
        threads.begin(message);
        if (terminating) void threads.end({ kind: 'terminated' });
        return;
      case 'net':
        if (run?.spec.id === message.id) run.serveNet(message.shared);
        return;
      case 'trace':
        if (run?.spec.id === message.id) run.trace = new TraceRing(message.memory);
        return;
      case 'started':
        return post(run?.ports ? { ...message, ports: run.ports } : message);
      case 'failed':
        return fail(message);
      case 'exit':
        return finish(message.outcome, message.collecting);
      case 'compiled':
        return;
    }
  };

  const gone = (error: Error | undefined): void => {
    // A run that still waits for the next thread has nothing to do with the end of this one.
    if (!run || guest.holds) return;
    const message = `the thread of the guest has failed: ${error?.message ?? 'no reason given'}`;
    const ended: RunOutcome =
      terminating && !error ? { kind: 'terminated' } : { kind: 'trap', message, stack: `wasm trap: ${message}\n` };
    if (threads.active) void threads.end(ended).then(() => finish(ended, true));
    else finish(ended, true);
  };

  const threads = new Threads(join(dirname(guestPath), 'thread.cjs'), bridge, {
    started: (module) => {
      if (run) fromGuest({ t: 'started', id: run.spec.id, module });
    },
    over: (verdict) => guest.tell({ t: 'verdict', verdict }),
  });

  const guest = new GuestThread(guestPath, bridge.shared, { message: fromGuest, gone });

  const start = (message: Extract<ToRunner, { t: 'run' }>): void => {
    const { spec } = message;
    const failed = (text: string) =>
      post({ t: 'failed', id: spec.id, kind: 'internal', message: text, exitCode: 125, collecting: false });
    if (run) return failed('this runner is busy');
    try {
      threads.limit(spec.threadLimit);
      run = new ActiveRun(spec, bridge, post, terminate);
    } catch (error) {
      return failed(`cannot open the log in ${spec.log.directory}: ${(error as Error).message}`);
    }
    if (!spec.net || spec.net.ports.length === 0) return guest.post(message);
    const opening = run;
    opening.openPorts().then(
      () => {
        if (run === opening && !terminating && !outcome) guest.post(message);
      },
      (error: unknown) => {
        if (run !== opening || outcome) return;
        const { id } = spec;
        if (error instanceof NotRunnable) {
          const { kind, exitCode, message: text } = error;
          fail({ t: 'failed', id, kind, exitCode, message: text, collecting: false });
        } else fail({ t: 'failed', id, kind: 'internal', exitCode: 125, message: String(error), collecting: false });
      },
    );
  };

  parent.onMessage((message) => {
    if (message.t === 'ping') return post({ t: 'pong', seq: message.seq });
    if (message.t === 'run') return start(message);
    // A message for a run that has just ended.
    if (!run || run.spec.id !== message.id) return;
    switch (message.t) {
      case 'stdin':
        return run.stdin(message.bytes);
      case 'eof':
        return run.eof();
      case 'logRead':
        return run.logRead(message.offset);
      case 'resize':
        return run.resize(message.rows, message.columns);
      case 'terminate':
        return terminate();
      case 'netAnswer':
        return run.netAnswer(message.seq, message.answer);
      case 'threadLimit':
        return threads.limit(message.limit);
      case 'usage':
        return post({ t: 'usage', id: message.id, seq: message.seq, usage: run.usage() });
      case 'trace':
        return post(answerTrace(run.trace, message));
    }
  });

  // The engine is gone: end the guest, save what it wrote, leave.
  parent.onClose(() => {
    terminate();
    const deadline = Date.now() + ORPHAN_GRACE;
    setInterval(() => {
      if (!run || Date.now() > deadline) process.exit(run ? 1 : 0);
    }, 5);
  });
}
