import { errno } from '../wasi/errno.ts';
import type { Carrier, CarrierOwner } from './carrier.ts';

/** One end of a connection within a guest: no socket of the host, no copy. */
class LocalCarrier implements Carrier {
  other!: LocalCarrier;
  #owner: CarrierOwner | undefined;
  #paused = true;
  /** What the other end has sent and this one does not take yet. */
  #held: Uint8Array[] = [];
  #length = 0;
  /** The other end sends no more. */
  #ending = false;
  #ended = false;
  #broken = false;

  get queued(): number {
    return this.other.#length;
  }

  attach(owner: CarrierOwner): void {
    this.#owner = owner;
    this.resume();
  }

  write(bytes: Uint8Array): void {
    this.other.#arrive(bytes);
  }

  end(): void {
    this.other.#ending = true;
    this.other.#deliver();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#deliver();
  }

  setOptions(): void {
    // None that mean anything in memory.
  }

  close(): void {
    // What has arrived is not read any more: as TCP does, the other end is told so by a reset.
    const unread = this.#length > 0;
    this.#drop();
    this.end();
    if (unread) this.other.#break();
  }

  destroy(reset = false): void {
    this.#drop();
    if (reset) this.other.#break();
    else this.end();
  }

  #arrive(bytes: Uint8Array): void {
    // Nobody reads here any more: the writer hears of it, as from a kernel.
    if (this.#broken) return this.other.#break();
    this.#held.push(bytes);
    this.#length += bytes.length;
    this.#deliver();
  }

  #deliver(): void {
    const had = this.#length > 0;
    while (!this.#paused && this.#owner) {
      const bytes = this.#held.shift();
      if (!bytes) break;
      this.#length -= bytes.length;
      this.#owner.data(bytes);
    }
    if (had && this.#length === 0) this.other.#owner?.drained();
    if (this.#ending && !this.#ended && this.#held.length === 0 && this.#owner && !this.#paused) {
      this.#ended = true;
      this.#owner.ending();
    }
  }

  /** This end reads no more. */
  #drop(): void {
    this.#broken = true;
    this.#owner = undefined;
    this.#held = [];
    this.#length = 0;
  }

  #break(): void {
    const owner = this.#owner;
    this.#drop();
    owner?.failed(errno.connreset);
  }
}

/** Both ends of a new connection. */
export function localPair(): readonly [Carrier, Carrier] {
  const [one, two] = [new LocalCarrier(), new LocalCarrier()];
  one.other = two;
  two.other = one;
  return [one, two];
}
