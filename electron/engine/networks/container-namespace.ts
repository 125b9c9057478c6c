/** The network of one container that runs: which port is whose, what an address means from here, and what a name. Answers the asks of its members. */
import type { NetAnswer, NetAsk, NetSpec, PublishedPort } from '../../supervisor/protocol.ts';
import type { NetworkEndpoint } from '../api/index.ts';
import type { Gates } from './gates.ts';
import type { HostResolver } from './host-resolver.ts';
import { formatIp, parseIp, scopeOf, type Ip } from './ip.ts';
import { LearnedNames } from './learned-names.ts';
import { lookUp } from './lookup.ts';
import type { NetMember, NetNamespace } from './namespace.ts';
import type { Networks } from './networks.ts';
import { PortClaims, type Protocol } from './port-claims.ts';
import type { Refused } from './refusals.ts';
import { route } from './route.ts';
import type { Rules } from './rules.ts';

/** Whose namespace it is. Functions where the answer changes while it runs. */
export interface Owner {
  readonly containerId: string;
  /** `--network host`: sockets are the host's own. */
  readonly host: boolean;
  readonly hostname: string;
  readonly domainname: string;
  /** `name:address`. */
  readonly extraHosts: readonly string[];
  endpoints(): readonly NetworkEndpoint[];
}

/** A container that takes part: its own rules, and who hears of what they refuse. */
export interface Party {
  rules(): Rules;
  refused(refused: Refused): void;
}

/** What a namespace knows of the rest. */
export interface World {
  readonly networks: Pick<Networks, 'record' | 'holder' | 'named' | 'covers'>;
  readonly resolver: Pick<HostResolver, 'lookup'>;
  readonly gates: Pick<Gates, 'next' | 'remove'>;
  /** True for an address of the host's own interfaces. */
  isHosts(ip: Ip): boolean;
  /** Of a container that runs. */
  namespaceOf(containerId: string): ContainerNamespace | undefined;
}

/** Lookups of the host that one container may have under way; others want to ask as well. */
const maxLookups = 16;

export class ContainerNamespace {
  readonly owner: Owner;
  readonly world: World;
  readonly claims = new PortClaims<Member>();
  readonly learned = new LearnedNames();
  /** Rotates the answers for names that several containers share. */
  turn = 0;
  lookups = 0;
  #closed = false;

  constructor(owner: Owner, world: World) {
    this.owner = owner;
    this.world = world;
  }

  /** Its owner's run is over: who shares it keeps the loopback. */
  close(): void {
    this.#closed = true;
  }

  /** Of the owner, as long as this is its namespace: the next run's addresses are not for who stayed in here. */
  endpoints(): readonly NetworkEndpoint[] {
    return this.#closed ? [] : this.owner.endpoints();
  }

  /** The namespace as one container takes part in it: its owner, or one with `--network container:X`. */
  as(party: Party): NetNamespace {
    return { member: (_runId, ports) => new Member(this, party, ports) };
  }

  /** The gate of who listens on the port and is to be reached at the address. */
  listener(protocol: Protocol, port: number, at: Ip): string | undefined {
    const claim = this.claims.get(protocol, port);
    if (!claim || (claim.address !== '' && claim.address !== formatIp(at))) return undefined;
    return claim.holder.spec.gate;
  }

  /** True for an address that a socket in here can be bound to. */
  owns(ip: Ip): boolean {
    return scopeOf(ip) === 'loopback' || (ip.family === 4 && this.endpointAt(formatIp(ip)) !== undefined);
  }

  endpointAt(address: string): NetworkEndpoint | undefined {
    return this.endpoints().find(({ ipAddress }) => ipAddress === address);
  }

  /** The endpoint that leads out, if any does. */
  wayOut(): NetworkEndpoint | undefined {
    return this.endpoints().find(({ networkId, ipAddress }) => ipAddress !== '' && !this.isInternal(networkId));
  }

  isInternal(networkId: string): boolean {
    return this.world.networks.record(networkId)?.internal !== false;
  }

  /** Undefined when there are too many already. */
  async askHost(name: string, family: 0 | 4 | 6): Promise<NetAnswer> {
    if (this.lookups >= maxLookups) return { error: 'tryAgain' };
    this.lookups++;
    try {
      return await this.world.resolver.lookup(name, family, this.owner.containerId);
    } finally {
      this.lookups--;
    }
  }
}

class Member implements NetMember {
  readonly spec: NetSpec;
  readonly #namespace: ContainerNamespace;
  readonly #party: Party;
  #left = false;

  constructor(namespace: ContainerNamespace, party: Party, ports: readonly PublishedPort[]) {
    this.#namespace = namespace;
    this.#party = party;
    const way = ports.length > 0 ? namespace.wayOut() : undefined;
    this.spec = {
      gate: namespace.world.gates.next(),
      ports,
      ...(way ? { published: { host: way.gateway, guest: way.ipAddress } } : {}),
    };
  }

  async ask(ask: NetAsk): Promise<NetAnswer> {
    if (this.#left) return { error: 'unreachable' };
    switch (ask.ask) {
      case 'listen':
        return isPort(ask.port) ? this.#listen(ask) : { error: 'notAvailable' };
      case 'unlisten':
        this.#namespace.claims.give(ask.protocol, ask.port, this);
        return { port: ask.port };
      case 'route':
        return isPort(ask.port) && ask.port > 0 ? route(this.#namespace, this.#party, ask) : { error: 'unreachable' };
      case 'lookup':
        return lookUp(this.#namespace, this.#party, ask.name, ask.family);
    }
  }

  leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#namespace.claims.giveAll(this);
    this.#namespace.world.gates.remove(this.spec.gate);
  }

  #listen({ protocol, address, port, bound }: Extract<NetAsk, { ask: 'listen' }>): NetAnswer {
    const ip = parseIp(address);
    if (!ip) return { error: 'notAvailable' };
    const any = scopeOf(ip) === 'any';
    const { owner, claims } = this.#namespace;
    if (owner.host) {
      // Whether the port is free is the host's to say. Once it has, the claim is kept to know one's own listeners on its loopback.
      if (bound && port !== 0) claims.take(protocol, port, { holder: this, address: formatIp(ip) });
      return { port, host: true };
    }
    if (!any && !this.#namespace.owns(ip)) return { error: 'notAvailable' };
    const taken = claims.take(protocol, port, { holder: this, address: any ? '' : formatIp(ip) });
    return taken === undefined ? { error: 'inUse' } : { port: taken };
  }
}

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 0 && port <= 65535;
