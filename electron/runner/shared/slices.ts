/** A guest that computes for so long between two waits (milliseconds) is no sleeper: its neighbours stood still meanwhile. */
const HOG = 1000;
/** Milliseconds after which a guest that could go on lets others have their turn. */
const TURN = 10;

/** The CPU time of one guest among many on a thread: the sum of the slices in which it ran. */
export class Slices {
  readonly #hogged: () => void;
  #user = 0;
  #system = 0;
  #cpu: NodeJS.CpuUsage | undefined;
  #since = 0;

  /** `hogged` is called at the end of a slice that was too long. */
  constructor(hogged: () => void) {
    this.#hogged = hogged;
  }

  /** The guest runs from here on. */
  enter(): void {
    this.#cpu = process.threadCpuUsage();
    this.#since = performance.now();
  }

  /** The guest waits, or is over. */
  leave(): void {
    if (!this.#cpu) return;
    const { user, system } = process.threadCpuUsage(this.#cpu);
    this.#user += user;
    this.#system += system;
    this.#cpu = undefined;
    if (performance.now() - this.#since > HOG) this.#hogged();
  }

  /** True when others should have a turn. */
  get isLong(): boolean {
    return performance.now() - this.#since > TURN;
  }

  /** Microseconds so far. */
  get total(): { readonly user: number; readonly system: number } {
    return { user: this.#user, system: this.#system };
  }
}
