/**
 * Host calls of the threads of one run, over shared memory. Each thread has a slot: it writes what it asks, raises its bit, wakes the host by the
 * bridge's one futex and waits on its own until the slot holds an answer. A thread asks one thing at a time, so a slot needs no queue.
 *
 *   header  one word for the run's end, then a bit for each slot that asks
 *   slots   state, number of the function, two words of nothing; then 16 values of 8 bytes: the arguments (i64 as such, anything else as a float,
 *           which holds every i32), later the answer
 */
import { wake } from '../bridge/layout.ts';

/** Slots of a run, which is a bound on threads that live at once. A multiple of 32. */
export const SLOTS = 512;

const HEADER = 4 * (1 + SLOTS / 32);
const VALUES = 16;
const SLOT = 16 + VALUES * 8;
/** Slots are aligned to 8 bytes. */
const slotsAt = (HEADER + 7) & ~7;

/** Of the run: threads run; they are being ended, so nothing is answered any more; none is left. */
const run = { live: 0, ending: 1, over: 2 } as const;
/** Of a slot. */
const slot = { free: 0, asked: 1, answered: 2, failed: 3 } as const;

/** Function numbers count from 0. */
export type Answer = number | undefined;

interface Slot {
  /** State, then the function's number. */
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly floats: Float64Array<SharedArrayBuffer>;
  readonly integers: BigInt64Array<SharedArrayBuffer>;
  readonly text: Uint8Array<SharedArrayBuffer>;
}

export const createCalls = (): SharedArrayBuffer => new SharedArrayBuffer(slotsAt + SLOTS * SLOT);

function openSlot(shared: SharedArrayBuffer, index: number): Slot {
  const at = slotsAt + index * SLOT;
  return {
    words: new Int32Array(shared, at, 4),
    floats: new Float64Array(shared, at + 16, VALUES),
    integers: new BigInt64Array(shared, at + 16, VALUES),
    text: new Uint8Array(shared, at + 16, VALUES * 8),
  };
}

function finish({ words }: Slot, state: number): void {
  Atomics.store(words, 0, state);
  Atomics.notify(words, 0);
}

/** A thread's end. */
export class Caller {
  readonly #header: Int32Array<SharedArrayBuffer>;
  readonly #slot: Slot;
  readonly #word: number;
  readonly #bit: number;
  readonly #wakeWords: Int32Array;

  /** `wakeWords`: the bridge's. */
  constructor(shared: SharedArrayBuffer, index: number, wakeWords: Int32Array) {
    this.#header = new Int32Array(shared, 0, HEADER / 4);
    this.#slot = openSlot(shared, index);
    this.#word = 1 + (index >> 5);
    this.#bit = 1 << (index & 31);
    this.#wakeWords = wakeWords;
  }

  /** Asks the host for function `index` and waits. Never returns when the run ends meanwhile. @throws Error with the host's own words when it failed */
  call(index: number, args: readonly (number | bigint)[]): Answer {
    const { words, floats, integers } = this.#slot;
    words[1] = index;
    for (let at = 0; at < args.length && at < VALUES; at++) {
      const value = args[at];
      if (typeof value === 'bigint') integers[at] = value;
      else floats[at] = Number(value);
    }
    return this.ask(() => {
      Atomics.or(this.#header, this.#word, this.#bit);
      wake(this.#wakeWords);
    });
  }

  /** Waits for the answer to what `send` asks of somebody who knows the slot. */
  ask(send: () => void): Answer {
    const { words, floats, text } = this.#slot;
    Atomics.store(words, 0, slot.asked);
    send();
    while (Atomics.load(words, 0) === slot.asked) Atomics.wait(words, 0, slot.asked);
    if (Atomics.exchange(words, 0, slot.free) === slot.failed)
      throw new Error(Buffer.from(text.slice(0, words[2])).toString());
    const value = floats[0] as number;
    return Number.isNaN(value) ? undefined : value;
  }
}

/** The side that answers. */
export class Answerer {
  readonly #header: Int32Array<SharedArrayBuffer>;
  readonly #shared: SharedArrayBuffer;
  /** Those that were used. */
  readonly #slots: Slot[] = [];

  constructor(shared: SharedArrayBuffer) {
    this.#header = new Int32Array(shared, 0, HEADER / 4);
    this.#shared = shared;
  }

  /** Hands over each slot that has asked since the last time. */
  take(each: (index: number) => void): void {
    for (let word = 0; word < SLOTS / 32; word++) {
      if (Atomics.load(this.#header, 1 + word) === 0) continue;
      let bits = Atomics.exchange(this.#header, 1 + word, 0);
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits);
        bits &= ~(1 << bit);
        each(word * 32 + bit);
      }
    }
  }

  /** Number of the function that a slot asks for. */
  functionOf(index: number): number {
    return this.#at(index).words[1] as number;
  }

  /** Its arguments, by the types of the function's parameters. */
  argsOf(index: number, params: readonly string[]): (number | bigint)[] {
    const { floats, integers } = this.#at(index);
    return params
      .slice(0, VALUES)
      .map((type, at) => (type === 'i64' ? (integers[at] as bigint) : (floats[at] as number)));
  }

  answer(index: number, value: Answer): void {
    const to = this.#at(index);
    to.floats[0] = value ?? NaN;
    finish(to, slot.answered);
  }

  /** The call failed in the host itself: the guest traps with this text (cut where it does not fit). */
  fail(index: number, message: string): void {
    const to = this.#at(index);
    to.words[2] = Buffer.from(message).copy(to.text);
    finish(to, slot.failed);
  }

  /** True once the threads are being ended, or have. */
  get ending(): boolean {
    return Atomics.load(this.#header, 0) !== run.live;
  }

  /** From here on the host answers nothing. */
  beginEnd(wakeWords: Int32Array): void {
    Atomics.store(this.#header, 0, run.ending);
    wake(wakeWords);
  }

  /** No thread is left. */
  end(): void {
    Atomics.store(this.#header, 0, run.over);
    Atomics.notify(this.#header, 0);
  }

  /** Blocks until no thread is left. */
  waitForEnd(): void {
    for (let state; (state = Atomics.load(this.#header, 0)) !== run.over;) Atomics.wait(this.#header, 0, state);
  }

  #at(index: number): Slot {
    return (this.#slots[index] ??= openSlot(this.#shared, index));
  }
}
