/** Networks: records, addresses, and who is on which. Members are containers that run; a stopped one only names its networks. */
import { randomBytes } from 'node:crypto';
import { nowNano } from '../../base/clock.ts';
import { conflict, denied, invalid, notFound, unsupported } from '../../base/errors.ts';
import { formatTime } from '../../base/log-format.ts';
import type { EndpointRequest, Filters, NetworkEndpoint, NetworksApi, NetworkView, PruneResult } from '../api/index.ts';
import type { NewEvent } from '../events/events.ts';
import { pruneLabelsMatch, untilOf } from '../filters.ts';
import { isPredefined, networkListed, predefined } from './filter.ts';
import { readNetworks, writeNetworks, type NetworkRecord } from './record.ts';
import * as net from './subnets.ts';

/** What a container asks of a network when it starts. */
export interface JoinRequest extends EndpointRequest {
  readonly containerId: string;
  /** Names beside the container's own, its short id and the aliases. */
  readonly hostname?: string;
}

export interface Networks extends Pick<NetworksApi, 'list' | 'get' | 'create' | 'remove' | 'prune'> {
  /** Id and name, by id, name or unique prefix; undefined when there is none. */
  identify(ref: string): { readonly id: string; readonly name: string } | undefined;
  /** Gives an address. @throws notFound, denied when the subnet is full or the address that was asked for is taken, invalid when it is outside */
  join(network: string, request: JoinRequest): NetworkEndpoint;
  leave(networkId: string, containerId: string): void;
  /** By full id. */
  record(networkId: string): NetworkRecord | undefined;
  /** Who has an address of the network: its gateway, a container (the id), or nobody. */
  holder(networkId: string, address: number): 'gateway' | { readonly containerId: string } | undefined;
  /** Addresses of the members that go by the name, which is in lower case. Predefined networks know no names (as in Docker). */
  named(networkId: string, name: string): readonly string[];
  /** Whether any network here has the address in its subnet. */
  covers(address: number): boolean;
}

interface Member {
  readonly endpoint: NetworkEndpoint;
  readonly address: number | undefined;
  readonly hostname: string;
}

interface Network {
  readonly record: NetworkRecord;
  readonly subnet: net.Subnet | undefined;
  readonly gateway: number | undefined;
  readonly pool: net.AddressPool | undefined;
  readonly members: Map<string, Member>;
  readonly byAddress: Map<number, string>;
}

interface Deps {
  readonly path: string;
  readonly emit: (event: NewEvent) => void;
  /** Names belong to the containers and change by rename. */
  readonly containerName: (id: string) => string;
  /** Not to be chosen for a network that names no subnet. */
  readonly hostSubnets?: () => readonly net.Subnet[];
}

const newId = (): string => randomBytes(32).toString('hex');

export function openNetworks({ path, emit, containerName, hostSubnets = () => [] }: Deps): Networks {
  const byId = new Map<string, Network>();
  const byName = new Map<string, Network>();

  const add = (record: NetworkRecord): void => {
    const gateway = net.parseAddress(record.gateway);
    const subnet = record.subnet === '' ? undefined : net.parseSubnet(record.subnet);
    const pool = subnet && gateway !== undefined ? new net.AddressPool(subnet, gateway) : undefined;
    const network: Network = { record, subnet, gateway, pool, members: new Map(), byAddress: new Map() };
    byId.set(record.id, network);
    byName.set(record.name, network);
  };
  const save = (records: readonly NetworkRecord[]): void => writeNetworks(path, records);
  const records = (): NetworkRecord[] => [...byId.values()].map(({ record }) => record);

  for (const record of readNetworks(path)) add(record);
  const missing = predefined.filter((name) => !byName.has(name));
  for (const name of missing) {
    add({
      id: newId(),
      name,
      created: formatTime(nowNano()),
      driver: name === 'none' ? 'null' : name,
      internal: false,
      attachable: false,
      labels: {},
      options: {},
      subnet: name === 'bridge' ? '172.17.0.0/16' : '',
      gateway: name === 'bridge' ? '172.17.0.1' : '',
    });
  }
  if (missing.length > 0) save(records());

  const announce = (action: string, { record }: Network, attributes: Readonly<Record<string, string>> = {}): void =>
    emit({
      type: 'network',
      action,
      actorId: record.id,
      attributes: { ...attributes, name: record.name, type: record.driver },
    });

  /** Id, then name, then unique prefix of an id, as moby looks them up. */
  function find(ref: string): Network {
    const exact = byId.get(ref) ?? byName.get(ref);
    if (exact) return exact;
    const byPrefix = ref === '' ? [] : [...byId.values()].filter(({ record }) => record.id.startsWith(ref));
    if (byPrefix.length > 1)
      throw invalid(`network ${ref} is ambiguous (${byPrefix.length} matches found on ID prefix)`);
    const [found] = byPrefix;
    if (!found) throw notFound(`network ${ref} not found`, { data: { network: ref } });
    return found;
  }

  const viewOf = ({ record, members }: Network): NetworkView => ({
    ...record,
    containers: [...members].map(([id, { endpoint }]) => ({
      id,
      name: containerName(id),
      ipAddress: endpoint.ipAddress,
      macAddress: endpoint.macAddress,
      ...(endpoint.endpointId === undefined ? {} : { endpointId: endpoint.endpointId }),
    })),
  });

  /** @throws invalid, denied */
  function takeAddress({ record, pool, subnet }: Network, wanted: string | undefined): number | undefined {
    if (wanted === undefined) {
      const address = pool?.take();
      if (pool && address === undefined)
        throw denied(`no available IPv4 addresses on network ${record.name} (${record.subnet})`);
      return address;
    }
    const address = net.parseAddress(wanted);
    if (address === undefined) throw invalid(`invalid IPv4 address: ${wanted}`);
    if (!pool || !subnet || isPredefined(record.name))
      throw invalid('user specified IP address is supported on user defined networks only');
    if (!net.contains(subnet, address))
      throw invalid(`no configured subnet contains IP address ${wanted}`, {
        hint: `The subnet of network ${record.name} is ${record.subnet}.`,
      });
    if (!pool.takeThis(address))
      throw denied(`Address already in use: ${wanted} on network ${record.name}`, {
        hint: 'Choose another, or disconnect the container that has it (docker network inspect).',
      });
    return address;
  }

  function chooseSubnet(wanted: string | undefined): net.Subnet {
    const used = records()
      .filter(({ subnet }) => subnet !== '')
      .map(({ subnet }) => net.parseSubnet(subnet));
    const free = (subnet: net.Subnet): boolean => !used.some((other) => net.overlaps(subnet, other));
    if (wanted) {
      const subnet = net.parseSubnet(wanted);
      if (!free(subnet)) throw denied(`Pool overlaps with other one on this address space: ${wanted}`);
      return subnet;
    }
    const hosts = hostSubnets();
    for (const subnet of net.defaultPools())
      if (free(subnet) && !hosts.some((other) => net.overlaps(subnet, other))) return subnet;
    throw denied('all predefined address pools have been fully subnetted', {
      hint: 'Remove networks that nothing uses, or name a subnet.',
    });
  }

  function erase(network: Network): void {
    save(records().filter(({ id }) => id !== network.record.id));
    byId.delete(network.record.id);
    byName.delete(network.record.name);
    announce('destroy', network);
  }

  return {
    list: (filters: Filters) => [...byId.values()].map(viewOf).filter((view) => networkListed(view, filters)),
    get: (ref) => viewOf(find(ref)),

    identify(ref) {
      const exact = byId.get(ref) ?? byName.get(ref);
      if (exact) return exact.record;
      const byPrefix = ref === '' ? [] : [...byId.values()].filter(({ record }) => record.id.startsWith(ref));
      return byPrefix.length === 1 ? byPrefix[0]?.record : undefined;
    },

    async create(request) {
      const { name } = request;
      if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name))
        throw invalid(`invalid network name: ${JSON.stringify(name)}, only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
      if (byName.has(name)) throw conflict(`network with name ${name} already exists`, { data: { network: name } });
      const driver = request.driver || 'bridge';
      if (driver === 'host' || driver === 'null') throw denied(`only one instance of "${driver}" network is allowed`);
      if (driver !== 'bridge')
        throw unsupported(
          `network driver ${driver} is not supported: networks of Drydock are virtual, their driver is "bridge"`,
        );
      const subnet = chooseSubnet(request.subnet);
      const gateway = request.gateway ? net.parseAddress(request.gateway) : subnet.base + 1;
      if (gateway === undefined || !net.contains(subnet, gateway))
        throw invalid(`no matching subnet for gateway ${request.gateway ?? ''}`);
      const record: NetworkRecord = {
        id: newId(),
        name,
        created: formatTime(nowNano()),
        driver,
        internal: request.internal === true,
        attachable: request.attachable === true,
        labels: request.labels ?? {},
        options: request.options ?? {},
        subnet: net.formatSubnet(subnet),
        gateway: net.formatAddress(gateway),
      };
      save([...records(), record]);
      add(record);
      announce('create', find(record.id));
      return { id: record.id };
    },

    async remove(ref) {
      const network = find(ref);
      if (isPredefined(network.record.name))
        throw denied(`${network.record.name} is a pre-defined network and cannot be removed`);
      const members = [...network.members.keys()];
      if (members.length > 0) {
        const who = members.map((id) => `name:"${containerName(id)}" id:"${id.slice(0, 12)}"`).join(', ');
        throw denied(`error while removing network: network ${network.record.name} has active endpoints (${who})`, {
          hint: 'Stop or disconnect the containers first.',
          data: { network: network.record.name, containers: members },
        });
      }
      erase(network);
    },

    async prune(filters): Promise<PruneResult> {
      const until = untilOf(filters);
      const gone = [...byId.values()].filter(
        ({ record, members }) =>
          !isPredefined(record.name) &&
          members.size === 0 &&
          pruneLabelsMatch(filters, record.labels) &&
          (until === undefined || Date.parse(record.created) <= until),
      );
      for (const network of gone) erase(network);
      return { deleted: gone.map(({ record }) => record.name), reclaimed: 0 };
    },

    join(ref, { containerId, aliases, ipv4Address, hostname = '' }) {
      const network = find(ref);
      const known = network.members.get(containerId);
      if (known) return known.endpoint;
      const { record } = network;
      const address = takeAddress(network, ipv4Address);
      const endpoint: NetworkEndpoint = {
        networkId: record.id,
        name: record.name,
        aliases,
        ipAddress: address === undefined ? '' : net.formatAddress(address),
        gateway: record.gateway,
        prefixLength: network.subnet?.prefix ?? 0,
        macAddress: address === undefined ? '' : net.macOf(address),
        endpointId: newId(),
      };
      network.members.set(containerId, { endpoint, address, hostname: hostname.toLowerCase() });
      if (address !== undefined) network.byAddress.set(address, containerId);
      announce('connect', network, { container: containerId });
      return endpoint;
    },

    leave(networkId, containerId) {
      const network = byId.get(networkId);
      const member = network?.members.get(containerId);
      if (!network || !member) return;
      if (member.address !== undefined) {
        network.pool?.give(member.address);
        network.byAddress.delete(member.address);
      }
      network.members.delete(containerId);
      announce('disconnect', network, { container: containerId });
    },

    record: (networkId) => byId.get(networkId)?.record,

    holder(networkId, address) {
      const network = byId.get(networkId);
      if (network?.gateway === address) return 'gateway';
      const containerId = network?.byAddress.get(address);
      return containerId === undefined ? undefined : { containerId };
    },

    named(networkId, name) {
      const network = byId.get(networkId);
      if (!network || isPredefined(network.record.name)) return [];
      return [...network.members].flatMap(([id, { endpoint, hostname }]) =>
        hostname === name ||
        id.slice(0, 12) === name ||
        containerName(id).toLowerCase() === name ||
        endpoint.aliases.some((alias) => alias.toLowerCase() === name)
          ? endpoint.ipAddress
          : [],
      );
    },

    covers: (address) => [...byId.values()].some(({ subnet }) => subnet !== undefined && net.contains(subnet, address)),
  };
}
