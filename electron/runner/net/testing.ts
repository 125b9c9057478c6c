/** For tests only: a small engine's side of the network, in one process with the stacks that ask it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NetAnswer, NetAsk, NetSpec, PublishedPort } from '../../supervisor/protocol.ts';
import { WORDS } from '../bridge/layout.ts';
import { Asker } from './asker.ts';
import type { GuestNet, Pending } from './guest-net.ts';
import { openChannel } from './remote/channel.ts';
import { RemoteNet } from './remote/remote-net.ts';
import { NetServer } from './remote/server.ts';
import { NetStack, type NetStackOptions } from './stack.ts';

/** `direct`: the guest uses the stack itself. `remote`: over shared memory, whose other end is in the same thread here. */
export type Form = 'direct' | 'remote';

/** A stack, and what its guest sees of it. */
export interface Party {
  readonly stack: NetStack;
  readonly net: GuestNet;
  close(graceful: boolean): Promise<void>;
}

export function party(form: Form, options: Omit<NetStackOptions, 'changed'>): Party {
  if (form === 'direct') {
    const stack = new NetStack({ ...options, changed: () => undefined });
    return { stack, net: stack, close: (graceful) => stack.close(graceful) };
  }
  let server: NetServer | undefined;
  const words = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  const stack = new NetStack({ ...options, changed: (socket) => server?.changed(socket) });
  const net = new RemoteNet(
    () => {
      const channel = openChannel();
      setImmediate(() => (server = new NetServer(stack, channel, words)));
      return channel;
    },
    () => setImmediate(() => server?.bell()),
  );
  return {
    stack,
    net,
    close: async (graceful) => {
      await until(() => net.settled());
      server?.finish();
      await stack.close(graceful);
    },
  };
}

/** Resolves when the condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  const limit = performance.now() + 50_000;
  while (!condition()) {
    // A test that waits in vain must not keep the process from ending.
    if (performance.now() > limit) throw new Error('waited in vain');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The value that a request comes to. */
export async function value<T>(pending: Pending<T>): Promise<T> {
  await until(() => pending.poll() !== undefined);
  return pending.poll() as T;
}

interface Member {
  readonly address: string;
  readonly party: Party;
}

/** Runs with an address each; those with the same address share a namespace. Other addresses are the host's. */
export class TestNetwork {
  readonly directory = mkdtempSync(join(tmpdir(), 'drydock-net-test-'));
  readonly asked: NetAsk[] = [];
  /** Answers that come before the usual ones. */
  answers: (ask: NetAsk) => NetAnswer | undefined = () => undefined;
  readonly #form: Form;
  readonly #members: Member[] = [];
  readonly #claims = new Map<string, string>();

  /** Every answer on its way. */
  held: (answer: NetAnswer) => Promise<NetAnswer> = (answer) => Promise.resolve(answer);

  add(address: string, ports: readonly PublishedPort[] = [], more: Partial<NetSpec> = {}): Party {
    const gate = join(this.directory, `${this.#members.length}.sock`);
    // As in a runner: questions have numbers.
    const asker: Asker = new Asker(
      (seq, ask) => void this.ask(address, gate, ask).then((answer) => asker.answer(seq, answer)),
    );
    const added = party(this.#form, { spec: { gate, ports, ...more }, ask: asker.ask });
    this.#members.push({ address, party: added });
    return added;
  }

  constructor(form: Form) {
    this.#form = form;
  }

  /** As the engine would answer a run. */
  ask(address: string, gate: string, ask: NetAsk): Promise<NetAnswer> {
    this.asked.push(ask);
    return this.held(this.answers(ask) ?? this.#answer(address, gate, ask));
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map(({ party }) => party.close(false)));
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
