/** The host's ports that containers have: two of ours are told apart here, strangers are found by asking the host. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { conflict } from '../../base/errors.ts';
import type { PublishedPort } from '../../supervisor/protocol.ts';
import { parseIp, scopeOf } from './ip.ts';

/** A port of the guest that is to be reached at a port of the host. */
export interface PortRequest {
  readonly protocol: 'tcp' | 'udp';
  /** Where the guest listens. */
  readonly port: number;
  /** '' = all addresses of the host. */
  readonly hostIp: string;
  /** The first free one from `first` to `last`; both 0 = any. */
  readonly first: number;
  readonly last: number;
}

/** Whether the host has the port to give. Port 0 = any; the number, or undefined. */
export type Probe = (protocol: 'tcp' | 'udp', hostIp: string, port: number) => Promise<number | undefined>;

interface Taken {
  readonly containerId: string;
  readonly port: PublishedPort;
}

export interface Bookings {
  readonly ports: readonly PublishedPort[];
  /** True when another try may have other numbers. */
  readonly chosen: boolean;
}

const tries = 64;

export class HostPorts {
  readonly #probe: Probe;
  /** By protocol and number: a container may have all there are. */
  readonly #taken = new Map<string, readonly Taken[]>();
  #hasIpv6: Promise<boolean> | undefined;

  constructor(probe: Probe = probeHost) {
    this.#probe = probe;
  }

  /** All or none. Numbers that are left open are chosen. @throws conflict `Bind for IP:PORT failed: port is already allocated` */
  async book(containerId: string, requests: readonly PortRequest[]): Promise<Bookings> {
    const ports: PublishedPort[] = [];
    try {
      for (const request of requests) ports.push(...(await this.#bookOne(containerId, request)));
    } catch (error) {
      this.free(containerId);
      throw error;
    }
    return { ports, chosen: requests.some(({ first, last }) => first !== last || first === 0) };
  }

  /** Everything that the container has. */
  free(containerId: string): void {
    this.#giveUp((taken) => taken.containerId === containerId);
  }

  async #bookOne(containerId: string, request: PortRequest): Promise<readonly PublishedPort[]> {
    const ips = request.hostIp === '' ? await this.#everywhere() : [request.hostIp];
    if (request.first !== 0 && request.first === request.last)
      return this.#take(containerId, ips, request, request.first);
    const count = request.first === 0 ? tries : request.last - request.first + 1;
    for (let tried = 0; tried < count; tried++) {
      const port = request.first === 0 ? await this.#probe(request.protocol, ips[0] ?? '', 0) : request.first + tried;
      if (port === undefined || !ips.every((ip) => this.#holder(request.protocol, ip, port) === undefined)) continue;
      // Ours while we ask the host.
      const booked = this.#take(containerId, ips, request, port);
      const free = await Promise.all(ips.map((ip) => this.#probe(request.protocol, ip, port)));
      if (free.every((each) => each !== undefined)) return booked;
      this.#giveUp((taken) => booked.includes(taken.port), keyOf(request.protocol, port));
    }
    const range = request.first === 0 ? '0' : `${request.first}-${request.last}`;
    throw conflict(`Bind for ${ips[0]}:${range} failed: all ports are allocated`, {
      hint: 'No port of the range is free: stop what uses them, or give another range.',
    });
  }

  #take(
    containerId: string,
    ips: readonly string[],
    { protocol, port }: PortRequest,
    hostPort: number,
  ): readonly PublishedPort[] {
    for (const ip of ips) {
      const holder = this.#holder(protocol, ip, hostPort);
      if (holder === undefined) continue;
      throw conflict(`Bind for ${ip}:${hostPort} failed: port is already allocated`, {
        hint:
          holder === containerId
            ? 'The container asks for this port twice.'
            : `Container ${holder.slice(0, 12)} has it: stop that one, or publish another port.`,
        data: { hostIp: ip, hostPort, container: holder },
      });
    }
    const booked = ips.map((hostIp) => ({ protocol, hostIp, hostPort, port }));
    const key = keyOf(protocol, hostPort);
    const added = booked.map((each) => ({ containerId, port: each }));
    this.#taken.set(key, [...(this.#taken.get(key) ?? []), ...added]);
    return booked;
  }

  #holder(protocol: string, ip: string, hostPort: number): string | undefined {
    return this.#taken.get(keyOf(protocol, hostPort))?.find(({ port }) => overlap(port.hostIp, ip))?.containerId;
  }

  #giveUp(which: (taken: Taken) => boolean, ...keys: readonly string[]): void {
    for (const key of keys.length > 0 ? keys : [...this.#taken.keys()]) {
      const left = this.#taken.get(key)?.filter((taken) => !which(taken)) ?? [];
      if (left.length > 0) this.#taken.set(key, left);
      else this.#taken.delete(key);
    }
  }

  /** A host without IPv6 has only the one. */
  async #everywhere(): Promise<readonly string[]> {
    this.#hasIpv6 ??= this.#probe('tcp', '::', 0).then((port) => port !== undefined);
    return (await this.#hasIpv6) ? ['0.0.0.0', '::'] : ['0.0.0.0'];
  }
}

const keyOf = (protocol: string, hostPort: number): string => `${protocol} ${hostPort}`;

function overlap(a: string, b: string): boolean {
  const [one, other] = [parseIp(a), parseIp(b)];
  if (!one || !other) return a === b;
  if (one.family !== other.family) return false;
  return one.value === other.value || scopeOf(one) === 'any' || scopeOf(other) === 'any';
}

/** Binds and lets go at once. */
const probeHost: Probe = (protocol, hostIp, port) =>
  new Promise((resolve) => {
    if (protocol === 'tcp') {
      const server = createServer();
      server.once('error', () => resolve(undefined));
      server.listen({ host: hostIp, port, ipv6Only: true, exclusive: true }, () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
      });
      return;
    }
    const socket = hostIp.includes(':') ? createSocket({ type: 'udp6', ipv6Only: true }) : createSocket('udp4');
    socket.once('error', () => socket.close(() => resolve(undefined)));
    socket.bind({ address: hostIp, port, exclusive: true }, () => {
      const { port: bound } = socket.address();
      socket.close(() => resolve(bound));
    });
  });
