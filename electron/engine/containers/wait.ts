/** `docker wait`, and the wait that `docker run` registers before it starts. */
import type { WaitCondition } from '../api/index.ts';
import type { Context } from './context.ts';
import type { WaitResult } from './waiters.ts';

/** Registered when this returns. @throws notFound */
export function wait(
  context: Pick<Context, 'store'>,
  ref: string,
  condition: WaitCondition,
  signal?: AbortSignal,
): { readonly result: Promise<WaitResult> } {
  const container = context.store.find(ref);
  const over = !container.isLive && !container.starting && container.state !== 'restarting';
  const result =
    condition === 'not-running' && over
      ? Promise.resolve({ exitCode: container.record.exitCode })
      : container.waiters.add(condition === 'removed' ? 'removal' : 'exit', signal);
  // Whoever gave up does not look at the answer any more; it must not be an unhandled rejection then.
  result.catch(() => {});
  return { result };
}
