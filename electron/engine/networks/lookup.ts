/**
 * What a name means from inside a namespace, in the order of a Linux container: its own hosts file (localhost, itself, --add-host), the names of the
 * networks it is on (moby: libnetwork resolver), the host's, the world's.
 */
import type { NetAnswer } from '../../supervisor/protocol.ts';
import type { ContainerNamespace, Party } from './container-namespace.ts';
import { formatIp, parseIp, type Ip } from './ip.ts';
import { hostNames, normalName } from './rules.ts';

type Family = 0 | 4 | 6;

const noName: NetAnswer = { error: 'noName' };
const loopback = ['127.0.0.1', '::1'];

export async function lookUp(
  namespace: ContainerNamespace,
  party: Party,
  asked: string,
  family: Family,
): Promise<NetAnswer> {
  const literal = parseIp(asked);
  if (literal) return { addresses: ofFamily([formatIp(literal)], family) };
  // Names of containers may be longer than a label of DNS, or end in a dash.
  const plain = asked.replace(/\.$/, '').toLowerCase();
  const own = inHostsFile(namespace, plain) ?? onNetworks(namespace, plain);
  if (own) return { addresses: ofFamily(own, family) };
  const name = normalName(asked);
  if (name === undefined) return noName;
  if (!hostNames.includes(name) && !leadsOut(namespace)) return noName;
  if (!party.rules().allowsLookup(name)) {
    party.refused({ host: name, address: '', port: 0, protocol: 'dns' });
    return { error: 'denied' };
  }
  if (hostNames.includes(name)) return theHost(namespace, family);
  const answer = await namespace.askHost(name, family);
  if (!('addresses' in answer)) return answer;
  const usable = answer.addresses.flatMap((text) => parseIp(text) ?? []);
  for (const ip of usable) namespace.learned.learn(name, ip);
  return { addresses: ofFamily(usable.map(formatIp), family) };
}

const leadsOut = (namespace: ContainerNamespace): boolean => namespace.owner.host || namespace.wayOut() !== undefined;

/** Undefined when it is not there. */
function inHostsFile(namespace: ContainerNamespace, name: string): readonly string[] | undefined {
  const { hostname, domainname, extraHosts } = namespace.owner;
  if (name === 'localhost' || name.endsWith('.localhost')) return loopback;
  const extra = extraHosts.flatMap((entry) => addressFor(namespace, entry, name));
  if (extra.length > 0) return extra;
  const self = hostname.toLowerCase();
  if (name !== self && (domainname === '' || name !== `${self}.${domainname.toLowerCase()}`)) return undefined;
  const addresses = namespace.endpoints().flatMap(({ ipAddress }) => (ipAddress === '' ? [] : ipAddress));
  return addresses.length > 0 ? addresses : loopback;
}

/** An entry of --add-host: `name:address` or `name=address`; the address may itself have colons, or brackets. */
function addressFor(namespace: ContainerNamespace, entry: string, name: string): readonly string[] {
  const { name: given, address } = splitExtraHost(entry);
  if (given.toLowerCase() !== name) return [];
  if (address === 'host-gateway') return gateway(namespace);
  const ip = parseIp(address);
  if (!ip) return [];
  namespace.learned.learn(name, ip);
  return [formatIp(ip)];
}

export function splitExtraHost(entry: string): { readonly name: string; readonly address: string } {
  const at = entry.search(/[:=]/);
  return { name: entry.slice(0, at), address: entry.slice(at + 1).replace(/^\[(.*)\]$/, '$1') };
}

/** All addresses of the first network that knows the name, with or without the network's own behind it; a different one first each time. */
function onNetworks(namespace: ContainerNamespace, name: string): readonly string[] | undefined {
  const { networks } = namespace.world;
  for (const endpoint of namespace.endpoints()) {
    const suffix = `.${endpoint.name.toLowerCase()}`;
    const inner = name.endsWith(suffix) ? name.slice(0, -suffix.length) : undefined;
    for (const candidate of inner === undefined ? [name] : [name, inner]) {
      const found = networks.named(endpoint.networkId, candidate);
      if (found.length === 0) continue;
      const first = namespace.turn++ % found.length;
      return [...found.slice(first), ...found.slice(0, first)];
    }
  }
  return undefined;
}

function theHost(namespace: ContainerNamespace, family: Family): NetAnswer {
  const addresses = gateway(namespace);
  return addresses.length === 0 ? noName : { addresses: ofFamily(addresses, family) };
}

/** The address that leads to the host. */
function gateway(namespace: ContainerNamespace): readonly string[] {
  if (namespace.owner.host) return ['127.0.0.1'];
  const way = namespace.wayOut();
  return way ? [way.gateway] : [];
}

function ofFamily(addresses: readonly string[], family: Family): readonly string[] {
  if (family === 0) return addresses;
  return addresses.filter((text) => (parseIp(text) as Ip).family === family);
}
