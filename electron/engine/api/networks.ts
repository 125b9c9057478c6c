import type { Filters, PruneResult } from './containers.ts';

export interface NetworkView {
  readonly id: string;
  readonly name: string;
  /** RFC 3339. */
  readonly created: string;
  readonly driver: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly subnet: string;
  readonly gateway: string;
  readonly containers: readonly {
    readonly id: string;
    readonly name: string;
    readonly ipAddress: string;
    readonly macAddress: string;
    readonly endpointId?: string;
  }[];
}

/**
 * Where a container may connect beyond the networks it shares: everywhere, nowhere, or to what is listed (`example.com`, `*.example.com`, addresses, CIDRs,
 * `host.docker.internal`, each with `:port` if need be).
 */
export type OutboundRules = 'all' | 'none' | readonly string[];

/** Something that the rules of a container kept it from. */
export interface Refusal {
  /** The name that the guest asked for, else the address. */
  readonly host: string;
  /** '' when already the name was refused. */
  readonly address: string;
  /** 0 when already the name was refused. */
  readonly port: number;
  readonly protocol: 'tcp' | 'udp' | 'dns';
  /** How often in this run. */
  readonly count: number;
  /** Milliseconds since the epoch, of the last time. */
  readonly at: number;
}

/** What a container asks of a network beside its membership. */
export interface EndpointRequest {
  readonly aliases: readonly string[];
  /** An IPv4 address of the network's subnet; absent = any free one. */
  readonly ipv4Address?: string;
}

export interface NetworksApi {
  list(filters: Filters): readonly NetworkView[];
  /** By name, id or unique id prefix. notFound `network NAME not found`. */
  get(ref: string): NetworkView;
  create(request: {
    readonly name: string;
    readonly driver?: string;
    readonly internal?: boolean;
    readonly attachable?: boolean;
    readonly labels?: Readonly<Record<string, string>>;
    readonly options?: Readonly<Record<string, string>>;
    readonly subnet?: string;
    readonly gateway?: string;
  }): Promise<{ readonly id: string }>;
  remove(ref: string): Promise<void>;
  /** Takes effect at once when the container runs. */
  connect(
    ref: string,
    container: string,
    aliases: readonly string[],
    request?: Omit<EndpointRequest, 'aliases'>,
  ): Promise<void>;
  disconnect(ref: string, container: string, options: { readonly force: boolean }): Promise<void>;
  prune(filters: Filters): Promise<PruneResult>;
  /** Of a container; what its label `drydock.net.allow` says until they are set. @throws notFound */
  rules(container: string): OutboundRules;
  /** Kept for later starts; a run obeys at its next connection. @throws notFound, invalid that names the rule, full */
  setRules(container: string, rules: OutboundRules): Promise<void>;
  /** Of the current run, the latest last; at most 100. @throws notFound */
  refusals(container: string): readonly Refusal[];
}
