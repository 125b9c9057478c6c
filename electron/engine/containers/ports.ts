/** What `-p` and `-P` of a container come to. */
import { unsupported } from '../../base/errors.ts';
import type { ModuleDescription } from '../../module/describe.ts';
import type { ContainerConfig, PortBinding } from '../api/index.ts';
import type { PortRequest } from '../networks/host-ports.ts';
import type { Context } from './context.ts';
import { listenersOf } from './listeners.ts';

type Ports = Pick<ContainerConfig, 'portBindings' | 'publishAllPorts' | 'exposedPorts'>;

export const publishesPorts = ({ portBindings, publishAllPorts }: Omit<Ports, 'exposedPorts'>): boolean =>
  publishAllPorts || Object.keys(portBindings).length > 0;

/** A binding without a host port, and an exposed port with `-P`, gets a free one. @throws unsupported for sctp */
export function portRequests({ portBindings, publishAllPorts, exposedPorts }: Ports): readonly PortRequest[] {
  const wanted = new Map(Object.entries(portBindings));
  if (publishAllPorts) for (const key of exposedPorts) if (!wanted.has(key)) wanted.set(key, []);
  return [...wanted].flatMap(([key, bindings]) => {
    const [port = '', protocol = 'tcp'] = key.split('/');
    if (protocol !== 'tcp' && protocol !== 'udp')
      throw unsupported(`port ${key} cannot be published: only tcp and udp can`);
    const list: readonly PortBinding[] = bindings.length > 0 ? bindings : [{ hostIp: '', hostPort: '' }];
    return list.map(({ hostIp, hostPort }) => ({ protocol, port: Number(port), hostIp, ...rangeOf(hostPort) }));
  });
}

/** '' or '0' = any, "8080", "8000-8010". */
function rangeOf(hostPort: string): { readonly first: number; readonly last: number } {
  const [first = 0, last = first] = hostPort.split('-').map(Number);
  return { first, last };
}

/** A port that is published leads nowhere when the module cannot listen. Nothing is said of modules that cannot be looked at: that is the start's complaint. */
export async function socketWarnings(
  { images }: Pick<Context, 'images'>,
  imageId: string,
  path: string,
  config: Ports & Pick<ContainerConfig, 'labels'>,
): Promise<readonly string[]> {
  if (!publishesPorts(config) || listenersOf(config.labels).length > 0) return [];
  const module = await images.module(imageId).catch(() => undefined);
  if (module?.path !== path || canListen(module.description)) return [];
  return [`Published ports lead nowhere: ${path} imports no sockets, so nothing will listen on them`];
}

/** By its own imports, or because the host serves HTTP for it. */
const canListen = ({ capabilities, exports }: ModuleDescription): boolean =>
  capabilities.listen || exports.some(({ name }) => name.startsWith('wasi:http/'));
