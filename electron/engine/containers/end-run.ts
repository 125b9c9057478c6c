/** The one way in which anybody ends a run: stop, kill, restart, remove and the engine's own end. */
import type { Asked, Container } from './container.ts';
import type { Context } from './context.ts';
import { announce } from './transitions.ts';

/** Remembers what was asked (the first asker names the signal), ends the guest, and resolves when the end is recorded and told. */
export async function endRun(context: Context, container: Container, asked: Asked): Promise<void> {
  const { active } = container;
  if (!active) return;
  announce(context, container, 'kill', { signal: String(asked.signal) });
  // A later wish counts only when it changes what happens next: a kill while it stops is still a kill.
  if (!active.asked || active.asked.by === 'restart') active.asked = asked;
  if (container.record.state === 'paused') active.run.resume();
  active.run.terminate();
  await active.ended;
}

/** The same for a container that may be starting: a start that hangs is ended as well. */
export async function endStart(context: Context, container: Container, asked: Asked): Promise<void> {
  if (container.starting) {
    container.askedEarly = asked;
    container.launching?.terminate();
    await container.starting;
  }
  await endRun(context, container, asked);
}
