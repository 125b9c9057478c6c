/** `docker restart`: ends the run if there is one, then starts. */
import { conflict } from '../../base/errors.ts';
import type { Context } from './context.ts';
import { endRun } from './end-run.ts';
import { giveUpRestart } from './exit.ts';
import { launch } from './start.ts';
import { stopSignal } from './stop.ts';
import { announce } from './transitions.ts';

/** @throws notFound, invalid, conflict, and whatever a start fails with */
export async function restart(
  context: Context,
  ref: string,
  options: { readonly timeout?: number | undefined; readonly signal?: string | undefined } = {},
): Promise<void> {
  const container = context.store.find(ref);
  const signal = stopSignal(container, options.signal);
  await container.starting;
  if (!giveUpRestart(context, container, false)) await endRun(context, container, { signal, by: 'restart' });
  // Somebody else may have been faster, either way.
  if (container.removing) throw conflict('container is marked for removal and cannot be started');
  if (container.starting) await container.starting;
  if (!container.isLive) {
    container.restartDelay = 0;
    await launch(context, container);
  }
  announce(context, container, 'restart');
}
