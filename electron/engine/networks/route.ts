/**
 * What an address means from inside a namespace. The guest's loopback is its own; a peer's address leads to the run that listens there; the gateway is the
 * host's 127.0.0.1; other networks of ours are not reached; the rest is the world, if a network leads there and the rules allow it. Whatever else the
 * host could take for itself leads nowhere.
 */
import type { NetAnswer } from '../../supervisor/protocol.ts';
import type { NetworkEndpoint } from '../api/index.ts';
import type { ContainerNamespace, Party } from './container-namespace.ts';
import { formatIp, parseIp, scopeOf, type Ip } from './ip.ts';
import { splitExtraHost } from './lookup.ts';
import type { Protocol } from './port-claims.ts';
import { hostName, hostNames } from './rules.ts';
import { contains, parseAddress } from './subnets.ts';

export interface Wanted {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
}

const hostLoopback = '127.0.0.1';
const unreachable: NetAnswer = { error: 'unreachable' };
const refused: NetAnswer = { error: 'refused' };

export function route(namespace: ContainerNamespace, party: Party, wanted: Wanted): NetAnswer {
  const ip = parseIp(wanted.address);
  if (!ip) return unreachable;
  if (namespace.owner.host) return fromHost(namespace, party, ip, wanted);
  const scope = scopeOf(ip);
  if (scope === 'any' || scope === 'loopback') return toLoopback(namespace, ip, wanted);
  if (scope === 'local') return unreachable;
  const inside = ip.family === 4 ? onNetworks(namespace, party, ip, wanted) : undefined;
  return inside ?? outside(namespace, party, ip, wanted);
}

/** 0.0.0.0 and :: as a destination are the loopback, as on Linux. */
function toLoopback(namespace: ContainerNamespace, ip: Ip, { protocol, port }: Wanted): NetAnswer {
  const source = ip.family === 4 ? '127.0.0.1' : '::1';
  const at = scopeOf(ip) === 'any' ? parseIp(source) : ip;
  const gate = at && namespace.listener(protocol, port, at);
  return gate === undefined ? refused : { gate, port, source };
}

/** Undefined when no network of ours has the address. */
function onNetworks(namespace: ContainerNamespace, party: Party, ip: Ip, wanted: Wanted): NetAnswer | undefined {
  const { networks } = namespace.world;
  const address = Number(ip.value);
  const endpoint = namespace.endpoints().find((each) => isOn(each, address));
  if (!endpoint) return networks.covers(address) ? unreachable : undefined;
  const holder = networks.holder(endpoint.networkId, address);
  if (holder === undefined) return unreachable;
  if (holder === 'gateway') return toHost(namespace, party, endpoint, ip, wanted);
  const peer =
    holder.containerId === namespace.owner.containerId ? namespace : namespace.world.namespaceOf(holder.containerId);
  if (!peer) return unreachable;
  const gate = peer.listener(wanted.protocol, wanted.port, ip);
  return gate === undefined ? refused : { gate, port: wanted.port, source: endpoint.ipAddress };
}

function isOn({ ipAddress, prefixLength }: NetworkEndpoint, address: number): boolean {
  const own = parseAddress(ipAddress);
  if (own === undefined) return false;
  const size = 2 ** (32 - prefixLength);
  return contains({ base: Math.floor(own / size) * size, prefix: prefixLength }, address);
}

function toHost(
  namespace: ContainerNamespace,
  party: Party,
  endpoint: NetworkEndpoint,
  ip: Ip,
  { protocol, port }: Wanted,
): NetAnswer {
  if (namespace.isInternal(endpoint.networkId)) return unreachable;
  // By the host's own names only: neither a CIDR that happens to hold the gateway, nor a name that the world's DNS points at it, opens the host.
  if (!party.rules().allows({ names: [...hostNames, ...gatewayNames(namespace)], port })) {
    party.refused({ host: hostName, address: formatIp(ip), port, protocol });
    return { error: 'denied' };
  }
  return { address: hostLoopback, port, source: endpoint.ipAddress };
}

const gatewayNames = ({ owner }: ContainerNamespace): readonly string[] =>
  owner.extraHosts
    .map(splitExtraHost)
    .flatMap(({ name, address }) => (address === 'host-gateway' ? name.toLowerCase() : []));

function outside(namespace: ContainerNamespace, party: Party, ip: Ip, { protocol, port }: Wanted): NetAnswer {
  const way = namespace.wayOut();
  if (!way) return unreachable;
  return (
    notAllowed(party, namesOf(namespace, ip), ip, { protocol, port }) ?? {
      address: formatIp(ip),
      port,
      source: ip.family === 4 ? way.ipAddress : '::',
    }
  );
}

/** `--network host`: as the host itself, but for the rules. Its loopback is judged as `host.docker.internal`, unless the container listens there. */
function fromHost(namespace: ContainerNamespace, party: Party, ip: Ip, { protocol, port }: Wanted): NetAnswer {
  const scope = scopeOf(ip);
  const own = scope === 'any' || scope === 'loopback';
  const address = scope === 'any' ? (ip.family === 4 ? '127.0.0.1' : '::1') : formatIp(ip);
  const source = ip.family === 4 ? '0.0.0.0' : '::';
  const known = { address, port, source };
  if (!own) return notAllowed(party, namesOf(namespace, ip), ip, { protocol, port }) ?? known;
  if (listensThere(namespace, protocol, port, address)) return known;
  // Its loopback by names only, as everywhere: no address rule opens it.
  if (party.rules().allows({ names: ['localhost', ...hostNames], port })) return known;
  party.refused({ host: hostName, address: formatIp(ip), port, protocol });
  return { error: 'denied' };
}

/** A port of the host that members of this namespace have on just this address. Elsewhere than on Linux a stranger may have it beside who has all addresses. */
function listensThere(namespace: ContainerNamespace, protocol: Protocol, port: number, address: string): boolean {
  const claim = namespace.claims.get(protocol, port);
  if (!claim || claim.address === address) return claim !== undefined;
  // :: has both families, 0.0.0.0 one.
  const all = claim.address === '::' || (claim.address === '0.0.0.0' && !address.includes(':'));
  return all && process.platform === 'linux';
}

/** The host's own addresses are the host, whatever name of the world points at them. */
const namesOf = (namespace: ContainerNamespace, ip: Ip): Iterable<string> =>
  namespace.world.isHosts(ip) ? [...hostNames].reverse() : namespace.learned.of(ip);

function notAllowed(
  party: Party,
  names: Iterable<string>,
  ip: Ip,
  { protocol, port }: Pick<Wanted, 'protocol' | 'port'>,
): NetAnswer | undefined {
  const known = [...names];
  if (party.rules().allows({ names: known, ip, port })) return undefined;
  party.refused({ host: known.at(-1) ?? formatIp(ip), address: formatIp(ip), port, protocol });
  return { error: 'denied' };
}
