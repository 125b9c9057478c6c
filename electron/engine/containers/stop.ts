/** `docker stop`. A guest cannot catch signals, so it ends at once and the grace period is not waited out. */
import type { Container } from './container.ts';
import type { Context } from './context.ts';
import { endRun } from './end-run.ts';
import { giveUpRestart } from './exit.ts';
import { isHarmless, parseSignal, SIGKILL, SIGTERM } from './signals.ts';

/** False when it was not running. @throws notFound, invalid */
export async function stop(
  context: Context,
  ref: string,
  options: { readonly timeout?: number | undefined; readonly signal?: string | undefined } = {},
): Promise<boolean> {
  const container = context.store.find(ref);
  const signal = stopSignal(container, options.signal);
  await container.starting;
  if (giveUpRestart(context, container, true)) return true;
  if (!container.isLive) return false;
  await endRun(context, container, { signal, by: 'stop' });
  return true;
}

/** As asked, else as the image or the request said, else TERM. One that a program would survive is followed by KILL, as after the grace period. */
export function stopSignal(container: Container, asked: string | undefined): number {
  const text = asked || container.record.config.stopSignal;
  if (!text) return SIGTERM;
  const signal = parseSignal(text);
  return isHarmless(signal) ? SIGKILL : signal;
}
