/** For tests only: a small engine's side of the network, in one process with the stacks that ask it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NetAnswer, NetAsk, PublishedPort } from '../../supervisor/protocol.ts';
import type { Pending } from './guest-net.ts';
import { NetStack } from './stack.ts';

/** Resolves when the condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** The value that a request comes to. */
export async function value<T>(pending: Pending<T>): Promise<T> {
  await until(() => pending.poll() !== undefined);
  return pending.poll() as T;
}

interface Member {
  readonly address: string;
  readonly gate: string;
  readonly stack: NetStack;
}

/** Runs with an address each; those with the same address share a namespace. Other addresses are the host's. */
export class TestNetwork {
  readonly directory = mkdtempSync(join(tmpdir(), 'drydock-net-test-'));
  readonly asked: NetAsk[] = [];
  /** Answers that come before the usual ones. */
  answers: (ask: NetAsk) => NetAnswer | undefined = () => undefined;
  readonly #members: Member[] = [];
  readonly #claims = new Map<string, string>();

  add(address: string, ports: readonly PublishedPort[] = [], changed: () => void = () => undefined): NetStack {
    const gate = join(this.directory, `${this.#members.length}.sock`);
    const stack = new NetStack({ spec: { gate, ports }, ask: (ask) => this.ask(address, gate, ask), changed });
    this.#members.push({ address, gate, stack });
    return stack;
  }

  /** As the engine would answer a run. */
  ask(address: string, gate: string, ask: NetAsk): Promise<NetAnswer> {
    this.asked.push(ask);
    return Promise.resolve(this.answers(ask) ?? this.#answer(address, gate, ask));
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map(({ stack }) => stack.close(false)));
    rmSync(this.directory, { recursive: true, force: true });
  }

  #answer(address: string, gate: string, ask: NetAsk): NetAnswer {
    switch (ask.ask) {
      case 'lookup':
        return ask.name === 'peer' ? { addresses: ['10.0.0.2'] } : { error: 'noName' };
      case 'unlisten':
        this.#claims.delete(`${address} ${ask.protocol} ${ask.port}`);
        return { port: ask.port };
      case 'listen': {
        let { port } = ask;
        if (port === 0) for (port = 40_000; this.#claims.has(`${address} ${ask.protocol} ${port}`); port++);
        const key = `${address} ${ask.protocol} ${port}`;
        if (this.#claims.has(key)) return { error: 'inUse' };
        this.#claims.set(key, gate);
        return { port };
      }
      case 'route': {
        const own = ask.address.startsWith('127.') || ask.address === '::1';
        const at = own ? address : ask.address;
        const claimed = this.#claims.get(`${at} ${ask.protocol} ${ask.port}`);
        if (claimed !== undefined) return { gate: claimed, port: ask.port, source: own ? ask.address : address };
        if (own || this.#members.some((member) => member.address === at)) return { error: 'refused' };
        if (at === '10.0.0.1') return { address: '127.0.0.1', port: ask.port, source: address };
        return { error: 'unreachable' };
      }
    }
  }
}
