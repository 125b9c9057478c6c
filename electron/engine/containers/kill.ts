/** `docker kill`, and the signals that an attached CLI passes on. */
import { conflict } from '../../base/errors.ts';
import type { Context } from './context.ts';
import { endRun } from './end-run.ts';
import { giveUpRestart } from './exit.ts';
import { isHarmless, parseSignal } from './signals.ts';
import { announce } from './transitions.ts';

/** @throws notFound, invalid `Invalid signal: X`, conflict when it does not run */
export async function kill(context: Context, ref: string, signalText = 'KILL'): Promise<void> {
  const container = context.store.find(ref);
  const signal = parseSignal(signalText || 'KILL');
  await container.starting;
  if (isHarmless(signal)) {
    if (container.isLive || container.state === 'restarting') {
      announce(context, container, 'kill', { signal: String(signal) });
      return;
    }
  } else if (container.isLive) {
    await endRun(context, container, { signal, by: 'kill' });
    return;
  } else if (giveUpRestart(context, container, true)) return;
  throw conflict(`Cannot kill container: ${ref}: Container ${container.id} is not running`);
}
