/** `docker update`. */
import { conflict } from '../../base/errors.ts';
import type { ContainerUpdate } from '../api/index.ts';
import type { Context } from './context.ts';
import { giveUpRestart } from './exit.ts';
import { shouldRestart } from './restart-policy.ts';
import { announce, update as write } from './transitions.ts';

/** A restart policy counts at once; a memory limit from the next start, since a module's memory has its maximum from birth. @throws notFound, conflict, full */
export async function update(
  context: Context,
  ref: string,
  change: ContainerUpdate,
): Promise<{ readonly warnings: readonly string[] }> {
  const container = context.store.find(ref);
  if (container.removing) throw conflict(`Container is marked for removal and cannot be "update".`);
  await container.starting;
  const { config, restartCount, exitCode } = container.record;
  if (config.autoRemove && change.restartPolicy && change.restartPolicy.name !== 'no')
    throw conflict('Restart policy cannot be updated because AutoRemove is enabled for the container');
  const { hostConfig, ...rest } = change;
  write(container, { config: { ...config, ...rest, hostConfig: { ...config.hostConfig, ...hostConfig } } });
  if (
    change.restartPolicy &&
    container.state === 'restarting' &&
    // The try that is waited for is counted already.
    !shouldRestart(change.restartPolicy, exitCode, restartCount - 1)
  )
    giveUpRestart(context, container, false);
  announce(context, container, 'update');
  const warnings: string[] = [];
  if (change.memory !== undefined && change.memory !== config.memory && container.isLive)
    warnings.push('The memory limit takes effect at the next start');
  if (change.nanoCpus) warnings.push('--cpus is recorded, but the time of a WebAssembly module is not throttled yet');
  return { warnings };
}
