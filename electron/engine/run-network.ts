/** The network of one RUN: a member that comes with the program and goes with it. */
import { conflict } from '../base/errors.ts';
import type { NetMember, NetNamespace } from './networks/namespace.ts';
import type { Namespaces } from './networks/namespaces.ts';
import type { Networks } from './networks/networks.ts';
import { parseRules } from './networks/rules.ts';

export interface RunNetworkParts {
  readonly networks: Pick<Networks, 'identify' | 'join' | 'leave'>;
  readonly namespaces: Pick<Namespaces, 'open' | 'closeOf'>;
  /** `--network container:X`. Undefined when X does not run. @throws notFound */
  readonly namespaceOfContainer: (ref: string) => NetNamespace | undefined;
}

export interface RunNetwork {
  /** Undefined: the program has its own loopback and nothing else. */
  readonly member: NetMember | undefined;
  leave(): void;
}

const anywhere = parseRules('all');

/** @throws notFound for a network that is not there, denied when it is full, conflict */
export function joinForRun(
  { networks, namespaces, namespaceOfContainer }: RunNetworkParts,
  id: string,
  { network, extraHosts }: { readonly network: string; readonly extraHosts: readonly string[] },
): RunNetwork {
  if (network.startsWith('container:')) {
    const ref = network.slice('container:'.length);
    const shared = namespaceOfContainer(ref);
    if (!shared)
      throw conflict(`cannot join network namespace of a non running container: ${ref}`, {
        hint: `Start ${ref} first.`,
      });
    const member = shared.member(`${id}:1`, []);
    return { member, leave: () => member.leave() };
  }
  const name = network === 'default' ? 'bridge' : network;
  const found = networks.identify(name);
  if (found?.name === 'none') return { member: undefined, leave: () => undefined };
  const hostname = id.slice(0, 12);
  const endpoint = networks.join(found?.id ?? name, { containerId: id, aliases: [], hostname });
  const namespace = namespaces.open({
    containerId: id,
    host: endpoint.name === 'host',
    hostname,
    domainname: '',
    extraHosts,
    endpoints: () => [endpoint],
  });
  const member = namespace.as({ rules: () => anywhere, refused: () => undefined }).member(`${id}:1`, []);
  return {
    member,
    leave() {
      member.leave();
      namespaces.closeOf(id);
      networks.leave(endpoint.networkId, id);
    },
  };
}
