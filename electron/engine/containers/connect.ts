/** Containers and networks: what a request asks for, connect, disconnect, and taking part while running. */
import { conflict, denied } from '../../base/errors.ts';
import type { ContainerSpec } from '../api/index.ts';
import type { Networks } from '../networks/networks.ts';
import type { Container } from './container.ts';
import type { Context } from './context.ts';
import type { NetworkSetting } from './record.ts';
import { update } from './transitions.ts';

/** Names are kept as given when there is no such network yet: that is the start's complaint, as in moby (a 404 of create would make the CLI pull). */
function setting(networks: Networks, ref: string, aliases: readonly string[]): NetworkSetting {
  const found = networks.identify(ref);
  return { network: found?.id ?? ref, name: found?.name ?? ref, aliases };
}

export function networkSettings(networks: Networks, spec: ContainerSpec): readonly NetworkSetting[] {
  const mode = spec.networkMode || 'default';
  // It shares the other one's network: nothing of its own.
  if (mode.startsWith('container:')) return [];
  const primary = mode === 'default' ? 'bridge' : mode;
  const others = Object.entries(spec.networks ?? {}).filter(([name]) => name !== primary && name !== mode);
  const aliases = spec.networks?.[primary]?.aliases ?? spec.networks?.[mode]?.aliases ?? [];
  return [setting(networks, primary, aliases), ...others.map(([name, each]) => setting(networks, name, each.aliases))];
}

/** At start. Joins all or none. @throws notFound, denied */
export function joinNetworks({ networks }: Pick<Context, 'networks'>, container: Container): void {
  const joined = [];
  try {
    for (const { network, name, aliases } of container.record.networks) {
      // By name when the id is gone: compose removes a network and makes it again.
      const found = networks.identify(network) ?? networks.identify(name);
      joined.push(networks.join(found?.id ?? name, { containerId: container.id, aliases }));
    }
  } catch (error) {
    for (const endpoint of joined) networks.leave(endpoint.networkId, container.id);
    throw error;
  }
  container.endpoints = joined;
  container.touch();
}

export function leaveNetworks({ networks }: Pick<Context, 'networks'>, container: Container): void {
  for (const endpoint of container.endpoints) networks.leave(endpoint.networkId, container.id);
  container.endpoints = [];
  container.touch();
}

/** @throws notFound, denied */
export async function connect(context: Context, ref: string, who: string, aliases: readonly string[]): Promise<void> {
  const container = context.store.find(who);
  const network = context.networks.get(ref);
  if (container.removing) throw conflict(`container ${container.id} is marked for removal and cannot be connected`);
  const { networks } = container.record;
  if (networks.some(({ network: id }) => id === network.id)) {
    throw denied(`endpoint with name ${container.name} already exists in network ${network.name}`);
  }
  if (network.driver === 'host') throw denied('container cannot be connected to host network');
  if (network.driver === 'null' || networks.some(({ name }) => name === 'none'))
    throw denied('container cannot be connected to multiple networks with one of the networks in private (none) mode');
  if (networks.some(({ name }) => name === 'host'))
    throw denied('container sharing network namespace with the host cannot be connected to any other network');
  const added = { network: network.id, name: network.name, aliases };
  if (container.isLive)
    container.endpoints = [
      ...container.endpoints,
      context.networks.join(network.id, { containerId: container.id, aliases }),
    ];
  update(container, { networks: [...networks, added] });
}

/** @throws notFound, denied */
export async function disconnect(context: Context, ref: string, who: string, force: boolean): Promise<void> {
  const network = context.networks.get(ref);
  let container: Container;
  try {
    container = context.store.find(who);
  } catch (error) {
    // A container that is gone cannot be a member either.
    if (force) return;
    throw error;
  }
  if (network.driver === 'host')
    throw denied('container cannot be disconnected from host network - container was created in host mode');
  const { networks } = container.record;
  if (!networks.some(({ network: id }) => id === network.id)) {
    if (force) return;
    throw denied(`container ${container.id} is not connected to network ${network.name}`);
  }
  update(container, { networks: networks.filter(({ network: id }) => id !== network.id) });
  context.networks.leave(network.id, container.id);
  container.endpoints = container.endpoints.filter(({ networkId }) => networkId !== network.id);
  container.touch();
}
