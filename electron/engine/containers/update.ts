/** `docker update`. */
import { conflict } from '../../base/errors.ts';
import type { ContainerUpdate } from '../api/index.ts';
import type { Context } from './context.ts';
import { giveUpRestart } from './exit.ts';
import { checkLimits, cpusOf, limitWarnings } from './limits.ts';
import { shouldRestart } from './restart-policy.ts';
import { announce, update as write } from './transitions.ts';

/**
 * A restart policy and the limits of time and threads count at once; a memory limit from the next start, since a module's memory has its maximum from
 * birth. @throws notFound, invalid, conflict, full
 */
export async function update(
  context: Context,
  ref: string,
  change: ContainerUpdate,
): Promise<{ readonly warnings: readonly string[] }> {
  const container = context.store.find(ref);
  if (container.removing) throw conflict(`Container is marked for removal and cannot be "update".`);
  await container.starting;
  const { config, restartCount, exitCode } = container.record;
  const { memory, nanoCpus, pidsLimit } = change;
  checkLimits({
    ...(memory ? { memory } : {}),
    ...(nanoCpus ? { nanoCpus } : {}),
    ...(pidsLimit ? { pidsLimit } : {}),
  });
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
  const run = container.active?.run;
  for (const each of [run, ...container.execs.live().map((exec) => exec.run)]) {
    if (nanoCpus !== undefined) each?.limitCpus(cpusOf({ nanoCpus }));
    if (pidsLimit !== undefined) each?.limitThreads(pidsLimit || undefined);
  }
  announce(context, container, 'update');
  const warnings = [...limitWarnings(change)];
  if (run && memory !== undefined && memory !== config.memory)
    warnings.push('The memory limit takes effect at the next start');
  if (run && nanoCpus && config.nanoCpus === 0 && config.isolation === 'shared')
    warnings.push('The CPU limit takes effect at the next start: now the container shares its process with others');
  return { warnings };
}
