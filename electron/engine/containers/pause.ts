/** `docker pause` and `unpause`: the runner process as a whole stands still. */
import { conflict } from '../../base/errors.ts';
import type { Context } from './context.ts';
import { toPaused, toUnpaused } from './transitions.ts';

/** @throws notFound, conflict, unsupported where the host cannot stop processes */
export async function pause(context: Context, ref: string): Promise<void> {
  const container = context.store.find(ref);
  await container.starting;
  // The last reading before it stands still: a paused runner answers nothing, and `stats` goes on showing this.
  if (container.state === 'running') await container.active?.run.usage();
  const { active, state } = container;
  if (state === 'restarting')
    throw conflict(`Container ${container.id} is restarting, wait until the container is running`);
  if (!active) throw conflict(`Container ${container.id} is not running`);
  if (state === 'paused') throw conflict(`Container ${container.id} is already paused`);
  active.run.pause();
  try {
    toPaused(context, container);
  } catch (error) {
    active.run.resume();
    throw error;
  }
}

/** @throws notFound, conflict */
export async function unpause(context: Context, ref: string): Promise<void> {
  const container = context.store.find(ref);
  const { active, state } = container;
  if (!active || state !== 'paused') throw conflict(`Container ${container.id} is not paused`);
  active.run.resume();
  toUnpaused(context, container);
}
