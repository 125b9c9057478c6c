/** Containers and networks: what a request asks for, connect, disconnect, and taking part while running. */
import { conflict, denied, invalid } from '../../base/errors.ts';
import type { ContainerConfig, ContainerSpec, EndpointRequest, NetworkEndpoint, NetworkView } from '../api/index.ts';
import { isPredefined } from '../networks/filter.ts';
import type { Networks } from '../networks/networks.ts';
import type { Container } from './container.ts';
import type { Context } from './context.ts';
import { leaveNamespace } from './namespace.ts';
import { publishesPorts } from './ports.ts';
import type { NetworkSetting } from './record.ts';
import { update } from './transitions.ts';

/** Names are kept as given when there is no such network yet: that is the start's complaint, as in moby (a 404 of create would make the CLI pull). */
function setting(networks: Networks, ref: string, request: EndpointRequest): NetworkSetting {
  const found = networks.identify(ref);
  const name = found?.name ?? ref;
  refuseOnPredefined(name, request);
  return { network: found?.id ?? ref, name, ...request };
}

/** @throws invalid with moby's texts (runconfig/errors.go) */
function refuseOnPredefined(network: string, { aliases, ipv4Address }: EndpointRequest): void {
  if (!isPredefined(network)) return;
  if (aliases.length > 0) throw invalid('network-scoped aliases are only supported for user-defined networks');
  if (ipv4Address !== undefined) throw invalid('user specified IP address is supported on user defined networks only');
}

const nothing: EndpointRequest = { aliases: [] };

/** @throws invalid */
export function networkSettings(networks: Networks, spec: ContainerSpec): readonly NetworkSetting[] {
  const mode = spec.networkMode || 'default';
  // It shares the other one's network: nothing of its own.
  if (mode.startsWith('container:')) {
    refuseInShared(spec);
    return [];
  }
  const primary = mode === 'default' ? 'bridge' : mode;
  const others = Object.entries(spec.networks ?? {}).filter(([name]) => name !== primary && name !== mode);
  const first = spec.networks?.[primary] ?? spec.networks?.[mode] ?? nothing;
  return [setting(networks, primary, first), ...others.map(([name, each]) => setting(networks, name, each))];
}

/** What `--network container:X` leaves to X (moby: runconfig/hostconfig.go validateNetMode). @throws invalid */
function refuseInShared(spec: ContainerSpec): void {
  const conflicting = (what: string) => invalid(`conflicting options: ${what}`);
  if (spec.hostname !== undefined) throw conflicting('hostname and the network mode');
  if (spec.extraHosts?.length) throw conflicting('custom host-to-IP mapping and the network mode');
  if (Object.keys(spec.portBindings ?? {}).length > 0 || spec.publishAllPorts)
    throw conflicting('port publishing and the container type network mode');
  if (spec.exposedPorts?.length) throw conflicting('port exposing and the container type network mode');
}

/** What of a request for the network will have no effect. */
export function networkWarnings(config: ContainerConfig): readonly string[] {
  const { networkMode } = config;
  if (!publishesPorts(config) || (networkMode !== 'host' && networkMode !== 'none')) return [];
  return [`Published ports are discarded when using ${networkMode} network mode`];
}

/** `--network container:X` is remembered by the id of X, so that a rename does not matter. */
export function settledNetworkMode({ store }: Pick<Context, 'store'>, mode: string): string {
  if (!mode.startsWith('container:')) return mode;
  try {
    return `container:${store.find(mode.slice('container:'.length)).id}`;
  } catch {
    return mode;
  }
}

const requestOf = ({ id, record }: Container, { aliases, ipv4Address }: EndpointRequest) => ({
  containerId: id,
  aliases,
  hostname: record.config.hostname,
  ...(ipv4Address === undefined ? {} : { ipv4Address }),
});

/** At start. Joins all or none. @throws notFound, denied, invalid */
export function joinNetworks({ networks }: Pick<Context, 'networks'>, container: Container): void {
  const joined: NetworkEndpoint[] = [];
  try {
    for (const each of container.record.networks) {
      // By name when the id is gone: compose removes a network and makes it again.
      const found = networks.identify(each.network) ?? networks.identify(each.name);
      joined.push(networks.join(found?.id ?? each.name, requestOf(container, each)));
    }
  } catch (error) {
    for (const endpoint of joined) networks.leave(endpoint.networkId, container.id);
    throw error;
  }
  container.endpoints = joined;
  container.touch();
}

/** The run is over, or never began. Idempotent. */
export function leaveNetworks(context: Pick<Context, 'networks' | 'namespaces'>, container: Container): void {
  leaveNamespace(context, container);
  for (const endpoint of container.endpoints) context.networks.leave(endpoint.networkId, container.id);
  container.endpoints = [];
  container.touch();
}

/** One whose network was removed and made again is on the new one. */
const isOn = ({ network, name }: NetworkSetting, wanted: Pick<NetworkView, 'id' | 'name'>): boolean =>
  network === wanted.id || name === wanted.name;

/** @throws notFound, denied, invalid, full */
export async function connect(context: Context, ref: string, who: string, request: EndpointRequest): Promise<void> {
  const container = context.store.find(who);
  const network = context.networks.get(ref);
  await container.starting;
  if (container.removing) throw conflict(`container ${container.id} is marked for removal and cannot be connected`);
  const { networks, config } = container.record;
  if (networks.some((each) => isOn(each, network))) {
    throw denied(`endpoint with name ${container.name} already exists in network ${network.name}`);
  }
  if (network.driver === 'host') throw denied('container cannot be connected to host network');
  if (network.driver === 'null' || networks.some(({ name }) => name === 'none'))
    throw denied('container cannot be connected to multiple networks with one of the networks in private (none) mode');
  if (networks.some(({ name }) => name === 'host') || config.networkMode.startsWith('container:'))
    throw denied(
      'container sharing network namespace with another container or host cannot be connected to any other network',
    );
  refuseOnPredefined(network.name, request);
  const endpoint = container.isLive ? context.networks.join(network.id, requestOf(container, request)) : undefined;
  try {
    update(container, { networks: [...networks, { network: network.id, name: network.name, ...request }] });
  } catch (error) {
    if (endpoint) context.networks.leave(network.id, container.id);
    throw error;
  }
  if (endpoint) container.endpoints = [...container.endpoints, endpoint];
  container.touch();
}

/** @throws notFound, denied, full */
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
  await container.starting;
  if (network.driver === 'host')
    throw denied('container cannot be disconnected from host network - container was created in host mode');
  const { networks } = container.record;
  if (!networks.some((each) => isOn(each, network))) {
    if (force) return;
    throw denied(`container ${container.id} is not connected to network ${network.name}`);
  }
  update(container, { networks: networks.filter((each) => !isOn(each, network)) });
  context.networks.leave(network.id, container.id);
  container.endpoints = container.endpoints.filter(({ networkId }) => networkId !== network.id);
  container.touch();
}
