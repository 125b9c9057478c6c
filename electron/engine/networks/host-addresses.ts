/** The addresses that the host itself has: what is sent there reaches its own services, as far as they listen on all addresses. */
import { networkInterfaces } from 'node:os';
import { formatIp, parseIp, type Ip } from './ip.ts';

/** Milliseconds that a list is believed: asking for it costs more than a route does. */
const fresh = 2000;

export class HostAddresses {
  readonly #list: () => readonly string[];
  readonly #now: () => number;
  #known: ReadonlySet<string> = new Set();
  #until = Number.NEGATIVE_INFINITY;

  /** `now`: monotonic milliseconds. */
  constructor(list: () => readonly string[] = ofInterfaces, now: () => number = () => performance.now()) {
    this.#list = list;
    this.#now = now;
  }

  has(ip: Ip): boolean {
    const now = this.#now();
    if (now >= this.#until) {
      this.#until = now + fresh;
      this.#known = new Set(this.#list().flatMap((text) => canonical(text) ?? []));
    }
    return this.#known.has(formatIp(ip));
  }
}

const ofInterfaces = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address));

function canonical(text: string): string | undefined {
  const ip = parseIp(text.replace(/%.*/, ''));
  return ip && formatIp(ip);
}
