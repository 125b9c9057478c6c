/** The runtime `wasmer`: what it cannot do is refused at create, not found out by the guest. */
import { invalid } from '../../base/errors.ts';
import type { ContainerConfig, ContainerSpec } from '../api/index.ts';
import { listenersOf, listenLabel } from './listeners.ts';

const names: readonly string[] = ['wasmer', 'io.containerd.wasmer.v1'];

export const isWasmer = ({ runtime }: Pick<ContainerConfig, 'runtime'>): boolean => names.includes(runtime);

/** @throws invalid for what needs the host: terminals (its output comes at the end), mounts, published ports */
export function refuseForWasmer(config: ContainerConfig, spec: ContainerSpec): void {
  if (!isWasmer(config)) return;
  const refuse = (what: string): never => {
    throw invalid(`the runtime wasmer cannot do this: ${what}`, {
      hint: 'Use --runtime wasi, which is the default.',
      data: { runtime: config.runtime },
    });
  };
  if (config.tty) refuse('a terminal (-t) needs output while the program runs, and it gives its output at the end');
  const [mount] = [...(spec.mounts ?? []).map(({ target }) => target), ...config.volumes];
  if (mount !== undefined || spec.volumesFrom?.length)
    refuse(`its files are in memory only, so nothing can be mounted${mount === undefined ? '' : ` at ${mount}`}`);
  if (config.publishAllPorts || Object.keys(config.portBindings).length > 0)
    refuse('it has no sockets, so no port can be published');
  if (listenersOf(config.labels).length > 0) refuse(`it has no sockets, so it can be given none (${listenLabel})`);
}
