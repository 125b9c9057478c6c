import type { Socket } from 'node:net';
import type { Carrier, CarrierOwner } from './carrier.ts';
import { reset } from './dial.ts';
import { errnoOfNet } from './errors.ts';
import type { SocketOptions } from './guest-net.ts';

/** Milliseconds that a closed connection has to deliver what is queued to a peer that does not read. */
const LINGER = 60_000;

/** What a run counts: bytes over sockets of the host. */
export interface Traffic {
  received: number;
  sent: number;
}

/** Who has the connections of a run. */
export interface CarrierKeeper {
  /** Its socket is closed. */
  gone(carrier: KernelCarrier): void;
  /** Nobody has it any more; it is there until what was sent is delivered. */
  lingers(carrier: KernelCarrier): void;
}

/** A connection over a socket of the host, which must have been made with `allowHalfOpen`. */
export class KernelCarrier implements Carrier {
  readonly #socket: Socket;
  readonly #traffic: Traffic;
  readonly #keeper: CarrierKeeper;
  #first: Uint8Array | undefined;
  #owner: CarrierOwner | undefined;
  /** There are bytes that the kernel has not taken. */
  #behind = false;
  #linger: NodeJS.Timeout | undefined;

  /** `first`: bytes that were read from the socket already. */
  constructor(socket: Socket, traffic: Traffic, keeper: CarrierKeeper, first?: Uint8Array) {
    this.#keeper = keeper;
    this.#socket = socket;
    this.#traffic = traffic;
    this.#first = first;
    socket.pause();
    socket.setNoDelay(true);
    socket.on('error', (error) => {
      const owner = this.#owner;
      this.#owner = undefined;
      owner?.failed(errnoOfNet(error));
    });
    socket.on('close', () => {
      clearTimeout(this.#linger);
      keeper.gone(this);
    });
  }

  get queued(): number {
    return this.#socket.writableLength;
  }

  attach(owner: CarrierOwner): void {
    this.#owner = owner;
    const socket = this.#socket;
    const first = this.#first;
    this.#first = undefined;
    if (first && first.length > 0) this.#data(first);
    socket.on('data', (bytes: Buffer) => this.#data(bytes));
    socket.on('end', () => this.#owner?.ending());
    socket.resume();
  }

  write(bytes: Uint8Array): void {
    this.#traffic.sent += bytes.length;
    if (!this.#socket.writable) return;
    this.#socket.write(bytes, this.#wrote);
    this.#behind = this.#socket.writableLength > 0;
  }

  end(): void {
    this.#socket.end();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  setOptions({ keepAlive, noDelay }: SocketOptions): void {
    if (keepAlive !== undefined) this.#socket.setKeepAlive(keepAlive);
    if (noDelay !== undefined) this.#socket.setNoDelay(noDelay);
  }

  close(): void {
    this.#owner = undefined;
    const socket = this.#socket;
    if (socket.destroyed) return;
    this.#linger = setTimeout(() => socket.destroy(), LINGER);
    socket.destroySoon();
    this.#keeper.lingers(this);
  }

  destroy(resetting = false): void {
    this.#owner = undefined;
    if (resetting) reset(this.#socket);
    else this.#socket.destroy();
  }

  /** Not the event 'drain', which comes only after more than a high-water mark had been waiting. */
  readonly #wrote = (): void => {
    if (!this.#behind || this.#socket.writableLength > 0) return;
    this.#behind = false;
    this.#owner?.drained();
  };

  #data(bytes: Uint8Array): void {
    this.#traffic.received += bytes.length;
    this.#owner?.data(bytes);
  }
}
