/** `docker pause` and `unpause`: the runner processes as a whole, those of execs too, stand still. */
import { conflict } from '../../base/errors.ts';
import type { Run } from '../../supervisor/api.ts';
import type { Container } from './container.ts';
import type { Context } from './context.ts';
import { toPaused, toUnpaused } from './transitions.ts';

/** One that is about to run stands still as soon as it does. */
const runningExecs = ({ execs }: Container): Run[] =>
  execs.live().flatMap(({ state, run, ending }) => (state === 'running' && run && !ending ? [run] : []));

/** @throws notFound, conflict, unsupported where the host cannot stop processes */
export async function pause(context: Context, ref: string): Promise<void> {
  const container = context.store.find(ref);
  await container.starting;
  // The last reading before it stands still: a paused runner answers nothing, and `stats` goes on showing this.
  if (container.state === 'running')
    await Promise.all([container.active?.run.usage(), ...runningExecs(container).map((run) => run.usage())]);
  const { active, state } = container;
  if (state === 'restarting')
    throw conflict(`Container ${container.id} is restarting, wait until the container is running`);
  if (!active) throw conflict(`Container ${container.id} is not running`);
  if (state === 'paused') throw conflict(`Container ${container.id} is already paused`);
  const runs = [active.run, ...runningExecs(container)];
  for (const run of runs) run.pause();
  container.health?.hold();
  try {
    toPaused(context, container);
  } catch (error) {
    for (const run of runs) run.resume();
    container.health?.go();
    throw error;
  }
}

/**
 * Everything that runs in a container stands still for a moment, where that can be done; its state does not show it. Answers the way back, which leaves
 * alone a container that was paused meanwhile.
 */
export function standStill(container: Container): () => void {
  const { active, state } = container;
  if (!active || state !== 'running') return () => {};
  const stopped: Run[] = [];
  try {
    for (const run of [active.run, ...runningExecs(container)]) {
      run.pause();
      stopped.push(run);
    }
  } catch {
    // Windows, or a process that others live in: it runs on.
  }
  return () => {
    if (container.state !== 'paused') for (const run of stopped) run.resume();
  };
}

/** @throws notFound, conflict */
export async function unpause(context: Context, ref: string): Promise<void> {
  const container = context.store.find(ref);
  const { active, state } = container;
  if (!active || state !== 'paused') throw conflict(`Container ${container.id} is not paused`);
  for (const run of [active.run, ...runningExecs(container)]) run.resume();
  toUnpaused(context, container);
  container.health?.go();
}
