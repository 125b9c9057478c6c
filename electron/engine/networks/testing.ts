/** Namespaces over real networks for tests: who asks, what the host resolves, and what was refused are the test's. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NetAnswer, NetAsk, PublishedPort } from '../../supervisor/protocol.ts';
import type { NetworkEndpoint, OutboundRules } from '../api/index.ts';
import type { Owner } from './container-namespace.ts';
import { HostAddresses } from './host-addresses.ts';
import { HostResolver } from './host-resolver.ts';
import type { NetMember } from './namespace.ts';
import { Namespaces } from './namespaces.ts';
import { openNetworks, type Networks } from './networks.ts';
import type { Refused } from './refusals.ts';
import { parseRules, type Rules } from './rules.ts';

export class TestWorld {
  readonly networks: Networks;
  readonly namespaces: Namespaces;
  /** What the host's resolver knows; anything else is no name. */
  readonly dns: Record<string, readonly string[]> = {};
  readonly asked: string[] = [];
  hostAddresses: readonly string[] = [];

  constructor() {
    const directory = mkdtempSync(join(tmpdir(), 'drydock-netns-'));
    this.networks = openNetworks({
      path: join(directory, 'networks.json'),
      emit: () => undefined,
      containerName: (id) => `name-${id}`,
    });
    const resolver = new HostResolver((name, _family, done) => {
      this.asked.push(name);
      const found = this.dns[name];
      queueMicrotask(() =>
        found ? done(null, found) : done(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), []),
      );
    });
    const hostAddresses = new HostAddresses(() => this.hostAddresses);
    this.namespaces = new Namespaces({
      networks: this.networks,
      directory: join(directory, 'net'),
      resolver,
      hostAddresses,
    });
  }

  /** A container that runs; `on`: names of networks, with aliases after a colon: "front:web,www". */
  run(
    id: string,
    on: readonly string[],
    more: Partial<Owner> = {},
    ports: readonly PublishedPort[] = [],
  ): TestContainer {
    return new TestContainer(this, id, on, more, ports);
  }
}

export class TestContainer {
  endpoints: NetworkEndpoint[] = [];
  rules: Rules = parseRules('all');
  readonly refused: Refused[] = [];
  member: NetMember;
  readonly id: string;
  readonly #world: TestWorld;
  readonly #on: readonly string[];
  readonly #more: Partial<Owner>;

  constructor(
    world: TestWorld,
    id: string,
    on: readonly string[],
    more: Partial<Owner>,
    ports: readonly PublishedPort[],
  ) {
    this.id = id;
    this.#world = world;
    this.#on = on;
    this.#more = more;
    this.member = this.#begin(ports);
  }

  #begin(ports: readonly PublishedPort[]): NetMember {
    const [world, id, more] = [this.#world, this.id, this.#more];
    for (const each of this.#on) {
      const [network = '', aliases = ''] = each.split(':');
      this.endpoints.push(
        world.networks.join(network, {
          containerId: id,
          aliases: aliases === '' ? [] : aliases.split(','),
          hostname: more.hostname ?? `host-${id}`,
        }),
      );
    }
    world.namespaces.open({
      containerId: id,
      host: false,
      hostname: `host-${id}`,
      domainname: '',
      extraHosts: [],
      endpoints: () => this.endpoints,
      ...more,
    });
    return this.#takePart().member(`${id}:1`, ports);
  }

  /** Another run in the same namespace: an exec, or a container with `--network container:X`. */
  join(): NetMember {
    return this.#takePart().member(`${this.id}:2`, []);
  }

  get address(): string {
    return this.endpoints[0]?.ipAddress ?? '';
  }

  set allow(rules: OutboundRules) {
    this.rules = parseRules(rules);
  }

  stop(): void {
    this.member.leave();
    this.#world.namespaces.closeOf(this.id);
    for (const { networkId } of this.endpoints) this.#world.networks.leave(networkId, this.id);
    this.endpoints = [];
  }

  restart(): void {
    this.stop();
    this.member = this.#begin([]);
  }

  ask(ask: NetAsk): Promise<NetAnswer> {
    return this.member.ask(ask);
  }
  listen(port: number, address = '0.0.0.0', protocol: 'tcp' | 'udp' = 'tcp'): Promise<NetAnswer> {
    return this.ask({ ask: 'listen', protocol, address, port });
  }
  /** The host has given the port (`--network host`). */
  bound(port: number, address: string): Promise<NetAnswer> {
    return this.ask({ ask: 'listen', protocol: 'tcp', address, port, bound: true });
  }
  route(address: string, port: number, protocol: 'tcp' | 'udp' = 'tcp'): Promise<NetAnswer> {
    return this.ask({ ask: 'route', protocol, address, port });
  }
  lookup(name: string, family: 0 | 4 | 6 = 0): Promise<NetAnswer> {
    return this.ask({ ask: 'lookup', name, family });
  }

  #takePart() {
    const namespace = this.#world.namespaces.of(this.id);
    if (!namespace) throw new Error(`${this.id} does not run`);
    return namespace.as({ rules: () => this.rules, refused: (refused) => void this.refused.push(refused) });
  }
}
