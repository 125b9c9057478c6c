/**
 * The shared memory between the control thread and the guest thread of a runner:
 *   words   Int32Array: flags, the one futex, heads and tails of both rings
 *   gauges  Float64Array: what `stats` wants to know; the guest writes, the control thread reads (aligned 8-byte stores are whole on every
 *           64-bit machine; a stale value costs nothing)
 *   input   ring of plain bytes, control → guest
 *   output  ring of records, guest → control
 * Heads and tails count bytes since the start of the run, modulo 2^32; ring sizes are powers of two.
 */
export const WORDS = 32;
export const GAUGES = 8;
export const INPUT_SIZE = 1 << 18;
export const OUTPUT_SIZE = 1 << 20;

/** Indexes into `words`. */
export const word = {
  /**
   * One futex for every reason that a guest may wait for. The guest: v = load(WAKE); test all conditions; wait(WAKE, v). Who changes a condition
   * adds one to WAKE and notifies: no wake-up is lost.
   */
  wake: 0,
  /** 1 = end at the next wait. */
  kill: 1,
  /** 1 = the control thread sleeps and wants a message when there is output. */
  controlSleeps: 2,
  /** 1 = the control thread holds stdin that did not fit and wants a message when the guest has taken some. */
  inputPending: 3,
  /** 1 = no more stdin after what is in the ring; 2 = an end that one read sees (a terminal's ^D), then more may come. */
  inputEnded: 4,
  inputHead: 5,
  inputTail: 6,
  outputHead: 7,
  outputTail: 8,
  rows: 9,
  columns: 10,
} as const;

/** Indexes into `gauges`. */
export const gauge = {
  memory: 0,
  memoryPeak: 1,
  readBytes: 2,
  writtenBytes: 3,
  receivedBytes: 4,
  sentBytes: 5,
  /** Threads of a guest that has some; 0 otherwise. */
  threads: 7,
} as const;

export interface Bridge {
  readonly shared: SharedArrayBuffer;
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly gauges: Float64Array<SharedArrayBuffer>;
  readonly input: Uint8Array<SharedArrayBuffer>;
  readonly output: Uint8Array<SharedArrayBuffer>;
}

const gaugesAt = WORDS * 4;
const inputAt = gaugesAt + GAUGES * 8;
const outputAt = inputAt + INPUT_SIZE;

/** A bridge over new shared memory, or over what the other thread has sent. */
export function openBridge(shared = new SharedArrayBuffer(outputAt + OUTPUT_SIZE)): Bridge {
  return {
    shared,
    words: new Int32Array(shared, 0, WORDS),
    gauges: new Float64Array(shared, gaugesAt, GAUGES),
    input: new Uint8Array(shared, inputAt, INPUT_SIZE),
    output: new Uint8Array(shared, outputAt, OUTPUT_SIZE),
  };
}

/** Makes everything as new for the next run. Only while no guest runs. */
export function resetBridge({ words, gauges }: Bridge): void {
  for (let i = 0; i < WORDS; i++) Atomics.store(words, i, 0);
  gauges.fill(0);
}

/** Tells a waiting guest that something has changed. */
export function wake(words: Int32Array): void {
  Atomics.add(words, word.wake, 1);
  Atomics.notify(words, word.wake);
}
