/** The ports of one namespace and who has them. A port belongs to one run at a time, whatever address it was bound to. */

export type Protocol = 'tcp' | 'udp';

export interface Claim<Holder> {
  readonly holder: Holder;
  /** Canonical text of the address that it was bound to; '' = any (of the host's own ports 0.0.0.0 or ::). */
  readonly address: string;
}

/** Linux's ip_local_port_range. */
const ephemeralFirst = 32768;
const ephemeralCount = 28232;

export class PortClaims<Holder> {
  readonly #claims = { tcp: new Map<number, Claim<Holder>>(), udp: new Map<number, Claim<Holder>>() };
  /** Not always the same ones, so that nobody relies on them. */
  #next = Math.floor(Math.random() * ephemeralCount);

  get(protocol: Protocol, port: number): Claim<Holder> | undefined {
    return this.#claims[protocol].get(port);
  }

  /** Port 0 = a free one. The port, or undefined when it (or every one) is taken. */
  take(protocol: Protocol, port: number, claim: Claim<Holder>): number | undefined {
    const claims = this.#claims[protocol];
    const chosen = port === 0 ? this.#free(protocol) : port;
    if (chosen === undefined || claims.has(chosen)) return undefined;
    claims.set(chosen, claim);
    return chosen;
  }

  /** Nothing happens when somebody else has it. */
  give(protocol: Protocol, port: number, holder: Holder): void {
    const claims = this.#claims[protocol];
    if (claims.get(port)?.holder === holder) claims.delete(port);
  }

  giveAll(holder: Holder): void {
    for (const claims of Object.values(this.#claims))
      for (const [port, claim] of claims) if (claim.holder === holder) claims.delete(port);
  }

  #free(protocol: Protocol): number | undefined {
    for (let tried = 0; tried < ephemeralCount; tried++) {
      const port = ephemeralFirst + (this.#next++ % ephemeralCount);
      if (!this.#claims[protocol].has(port)) return port;
    }
    return undefined;
  }
}
