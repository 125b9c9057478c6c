/** The namespaces of all containers that run, and what they share: gates, the host's resolver, the host's ports. */
import { ContainerNamespace, type Owner } from './container-namespace.ts';
import { Gates } from './gates.ts';
import { HostAddresses } from './host-addresses.ts';
import { HostPorts } from './host-ports.ts';
import { HostResolver } from './host-resolver.ts';
import type { Networks } from './networks.ts';

export interface NamespacesParts {
  readonly networks: Networks;
  /** For the gates; need not be there. */
  readonly directory: string;
  readonly resolver?: HostResolver;
  readonly ports?: HostPorts;
  readonly hostAddresses?: HostAddresses;
}

export class Namespaces {
  readonly ports: HostPorts;
  readonly #networks: Networks;
  readonly #resolver: HostResolver;
  readonly #gates: Gates;
  readonly #hostAddresses: HostAddresses;
  readonly #byContainer = new Map<string, ContainerNamespace>();

  constructor({ networks, directory, resolver, ports, hostAddresses }: NamespacesParts) {
    this.#networks = networks;
    this.#gates = new Gates(directory);
    this.#resolver = resolver ?? new HostResolver();
    this.ports = ports ?? new HostPorts();
    this.#hostAddresses = hostAddresses ?? new HostAddresses();
  }

  /** A new one, found by the owner's addresses until it is closed. */
  open(owner: Owner): ContainerNamespace {
    const namespace = new ContainerNamespace(owner, {
      networks: this.#networks,
      resolver: this.#resolver,
      gates: this.#gates,
      isHosts: (ip) => this.#hostAddresses.has(ip),
      namespaceOf: (containerId) => this.#byContainer.get(containerId),
    });
    this.#byContainer.set(owner.containerId, namespace);
    return namespace;
  }

  /** Of a container that runs and has one of its own. */
  of(containerId: string): ContainerNamespace | undefined {
    return this.#byContainer.get(containerId);
  }

  /** Its addresses lead nowhere from now on; members that share it (`--network container:X`) keep its loopback. */
  closeOf(containerId: string): void {
    this.#byContainer.get(containerId)?.close();
    this.#byContainer.delete(containerId);
  }

  close(): void {
    this.#resolver.close();
    this.#byContainer.clear();
    this.#gates.close();
  }
}
