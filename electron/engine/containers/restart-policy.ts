/** Whether and when a container is started again (moby: restartmanager). */
import type { RestartPolicy } from '../api/index.ts';

const firstDelay = 100;
const longestDelay = 60_000;
/** A run that lasted this long was a success: the delay begins anew. */
const longRun = 10_000;

/** After a run that nobody asked to end. `restartCount`: restarts since the user's last start. */
export function shouldRestart(policy: RestartPolicy, exitCode: number, restartCount: number): boolean {
  switch (policy.name) {
    case 'always':
    case 'unless-stopped':
      return true;
    case 'on-failure':
      return exitCode !== 0 && (policy.maximumRetryCount === 0 || restartCount < policy.maximumRetryCount);
    case 'no':
      return false;
  }
}

/** When the engine opens: `always` also after a stop by the user, `unless-stopped` not. */
export const shouldStartAtOpen = (
  policy: RestartPolicy,
  last: { readonly exitCode: number; readonly restartCount: number; readonly stoppedByUser: boolean },
): boolean =>
  shouldRestart(policy, last.exitCode, last.restartCount) && (policy.name === 'always' || !last.stoppedByUser);

/** Milliseconds before the next try; `previous` is 0 for the first. */
export function nextDelay(previous: number, ranFor: number): number {
  if (previous === 0 || ranFor >= longRun) return firstDelay;
  return Math.min(previous * 2, longestDelay);
}
