import type { NetSpec } from '../../supervisor/protocol.ts';
import { Answer } from './answer.ts';
import type { Ask } from './asker.ts';
import { Datagrams } from './datagrams.ts';
import { DatagramSocket } from './datagram-socket.ts';
import { errnoOfNet, errnoOfRefusal } from './errors.ts';
import { Gate } from './gate.ts';
import type { Errno, GuestNet, SocketFamily, SocketType } from './guest-net.ts';
import type { Traffic } from './kernel-carrier.ts';
import { lonely } from './lonely.ts';
import { openPorts } from './published-ports.ts';
import { Room } from './room.ts';
import { StreamSocket } from './stream-socket.ts';
import { Streams } from './streams.ts';

export type StackSocket = StreamSocket | DatagramSocket;

export interface NetStackOptions {
  /** Absent: the guest has its own loopback and nothing else, and `ask` is not used. */
  readonly spec: NetSpec | undefined;
  /** Asks the engine. */
  readonly ask: Ask;
  /** So many questions are under way that the guest had better wait. */
  readonly crowded?: () => boolean;
  /** Something that the guest may wait for has changed; undefined = an answer of the network as such. */
  changed(socket: StackSocket | undefined): void;
}

/** Milliseconds that datagrams have to get on their way once the guest has ended. */
const LAST_DATAGRAMS = 500;

/**
 * The network of one run: owns every socket of the host that belongs to it. As a GuestNet it serves a guest of the same thread; for a guest in a
 * thread of its own remote/server.ts stands in between.
 */
export class NetStack implements GuestNet {
  readonly room = new Room();
  readonly #options: NetStackOptions;
  readonly #ask: Ask;
  readonly #traffic: Traffic = { received: 0, sent: 0 };
  readonly #gate: Gate | undefined;
  readonly #streams: Streams;
  readonly #datagrams: Datagrams;
  #published: { readonly ports: readonly number[]; close(): void } | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: NetStackOptions) {
    const { spec } = options;
    this.#options = options;
    this.#ask = spec ? options.ask : lonely();
    if (spec)
      this.#gate = new Gate(spec.gate, {
        caller: (socket, greeting, first) =>
          greeting.protocol === 'tcp'
            ? this.#streams.called(socket, greeting, first)
            : this.#datagrams.called(socket, first),
      });
    const shared = {
      ask: this.#ask,
      traffic: this.#traffic,
      gate: spec?.gate,
      published: spec?.published,
      room: this.room,
      openGate: () => this.#gate?.open() ?? Promise.resolve(),
    };
    this.#streams = new Streams(shared);
    this.#datagrams = new Datagrams(shared);
  }

  get crowded(): boolean {
    return this.#options.crowded?.() === true;
  }

  /** Bytes over sockets of the host so far. */
  get received(): number {
    return this.#traffic.received;
  }

  get sent(): number {
    return this.#traffic.sent;
  }

  /** Opens the published ports; to be awaited before the guest runs. The ports as they were opened. @throws NotRunnable */
  async openPorts(): Promise<readonly number[]> {
    const published = await openPorts(this.#options.spec?.ports ?? [], {
      connection: (socket, port) => void this.#streams.forward(socket, port),
      datagram: (bytes, port, from, back) => void this.#datagrams.forward(bytes, port, from, back),
    });
    if (this.#closing) published.close();
    this.#published = published;
    return published.ports;
  }

  /** Of the published ports, once they are open. */
  get ports(): readonly number[] | undefined {
    return this.#published?.ports;
  }

  socket(family: SocketFamily, type: SocketType): StackSocket {
    const { changed } = this.#options;
    return type === 'stream'
      ? new StreamSocket(family, this.#streams, changed)
      : new DatagramSocket(family, this.#datagrams, changed);
  }

  lookup(name: string, family: 0 | SocketFamily): Answer<readonly string[] | Errno> {
    const result = new Answer<readonly string[] | Errno>();
    const settle = (value: readonly string[] | Errno): void => {
      result.settle(value);
      this.#options.changed(undefined);
    };
    this.#ask({ ask: 'lookup', name, family }).then(
      (answer) => {
        if ('addresses' in answer) settle(answer.addresses);
        else settle(errnoOfRefusal('error' in answer ? answer.error : 'tryAgain'));
      },
      (error: unknown) => settle(errnoOfNet(error)),
    );
    return result;
  }

  /**
   * Ends every connection and frees every port. With `graceful` what the guest has sent gets a moment to be delivered. Resolves when it is done: the same
   * ports can be opened again.
   */
  close(graceful: boolean): Promise<void> {
    return (this.#closing ??= this.#close(graceful));
  }

  async #close(graceful: boolean): Promise<void> {
    if (graceful) await this.#datagrams.flushed(LAST_DATAGRAMS);
    this.#published?.close();
    this.#gate?.close();
    this.#datagrams.close();
    await this.#streams.close(graceful);
    // libuv closes descriptors at once, but a server tells so a turn later.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
