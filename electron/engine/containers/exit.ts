/** The end of a run: why, what is recorded, who is told, and whether another one follows. */
import type { Run, RunEnd } from '../../supervisor/api.ts';
import { leaveNetworks } from './connect.ts';
import type { ActiveRun, Asked, Container } from './container.ts';
import type { Context } from './context.ts';
import { endExecs } from './exec/end.ts';
import { destroy } from './remove.ts';
import { nextDelay, shouldRestart } from './restart-policy.ts';
import { exitCodeOf, SIGKILL } from './signals.ts';
import { launch } from './start.ts';
import { announce, toEnded, toGivenUp } from './transitions.ts';

const trapped = 134; // 128 + SIGABRT

/** Makes the run the container's, `announceStart`, and sees to its end. In one turn, so that even a guest that is done by now ends after it has started. */
export function whenEnded(context: Context, container: Container, run: Run, announceStart: () => void): void {
  const { promise, resolve } = Promise.withResolvers<void>();
  const active: ActiveRun = { run, began: context.timers.now(), asked: container.askedEarly, ended: promise };
  container.active = active;
  container.execs.open();
  announceStart();
  void run.ended
    .then((end) => {
      container.health?.hold();
      const execs = endExecs(container);
      if (execs === undefined) return ended(context, container, active, end);
      return execs.then(() => ended(context, container, active, end));
    })
    .catch((error: unknown) =>
      context.log(
        `container ${container.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      ),
    )
    .finally(resolve);
}

/** A guest that finished by itself keeps its own code, also when somebody was about to end it. */
export function verdict(
  { outcome }: RunEnd,
  asked: Asked | undefined,
): { readonly exitCode: number; readonly error: string } {
  if (outcome.kind === 'exit') return { exitCode: outcome.code & 255, error: '' };
  if (outcome.kind === 'trap')
    return { exitCode: outcome.outOfMemory ? exitCodeOf(SIGKILL) : trapped, error: outcome.message };
  if (asked) return { exitCode: exitCodeOf(asked.signal), error: '' };
  if (outcome.kind === 'terminated') return { exitCode: exitCodeOf(SIGKILL), error: '' };
  const how = outcome.signal === null ? `with code ${outcome.code ?? '?'}` : `by ${outcome.signal}`;
  return { exitCode: exitCodeOf(SIGKILL), error: `the runner process ended unexpectedly ${how}` };
}

function ended(context: Context, container: Container, active: ActiveRun, end: RunEnd): void {
  const { asked } = active;
  const { config, restartCount } = container.record;
  const { exitCode, error } = verdict(end, asked);
  container.active = undefined;
  container.health?.end();
  if (end.hogged) container.hogged = true;
  container.lastTrace = end.trace;
  container.stdin.disconnect();
  container.log.endRun(end.offset);

  const stoppedByUser = asked !== undefined && asked.by !== 'restart' && asked.by !== 'shutdown';
  const again = asked === undefined && !context.closing && shouldRestart(config.restartPolicy, exitCode, restartCount);
  const remove = config.autoRemove && !again && asked?.by !== 'restart';
  const oomKilled = end.outcome.kind === 'trap' && end.outcome.outOfMemory === true;
  if (oomKilled) announce(context, container, 'oom');
  toEnded(
    context,
    container,
    { exitCode, error, stoppedByUser, oomKilled },
    {
      state: again ? 'restarting' : 'exited',
      restartCount: again ? restartCount + 1 : restartCount,
      brief: remove || asked?.by === 'remove',
    },
  );
  leaveNetworks(context, container);
  for (const { name } of container.record.mounts)
    if (name !== undefined) context.volumes.announce('unmount', name, { container: container.id });
  if (asked?.by === 'stop' || asked?.by === 'restart') announce(context, container, 'stop');
  container.waiters.exited({ exitCode });
  if (again) {
    scheduleRestart(context, container, context.timers.now() - active.began);
    return;
  }
  container.log.settle();
  if (remove && !container.removing) destroy(context, container, { volumes: true });
}

/** The next try of a restart policy. */
function scheduleRestart(context: Context, container: Container, ranFor: number): void {
  container.restartDelay = nextDelay(container.restartDelay, ranFor);
  const cancel = context.timers.after(container.restartDelay, () => {
    container.cancelRestart = undefined;
    if (container.removing || container.state !== 'restarting') return;
    launch(context, container).catch((error: unknown) =>
      context.log(
        `container ${container.name} could not be started again: ${error instanceof Error ? error.message : String(error)}`,
      ),
    );
  });
  container.cancelRestart = cancel;
}

/** Ends the wait for the next try: the container stays exited. False when it is not waiting. */
export function giveUpRestart(context: Context, container: Container, byUser: boolean): boolean {
  if (container.state !== 'restarting' || container.starting) return false;
  container.cancelRestart?.();
  container.cancelRestart = undefined;
  toGivenUp(context, container, byUser);
  container.log.settle();
  return true;
}
