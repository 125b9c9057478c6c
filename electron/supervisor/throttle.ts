/**
 * `--cpus` without control groups: a process may use so many cores' time in each period of 100 ms (as CFS quota does); when it has, it is stopped for
 * the rest of the period. What it used beyond its quota before anybody looked is taken from the next periods. A process that sleeps is looked at less and
 * less often, in the end once a second; so one that wakes after a long sleep may run up to a second before it is held back.
 */

/** The process that is held back. */
export interface Throttled {
  /** Milliseconds of CPU time so far; undefined when that is not known now. */
  cpuTime(): number | undefined | Promise<number | undefined>;
  /** SIGSTOP and SIGCONT. */
  stop(): void;
  go(): void;
}

/** As cgroup's cpu.stat: periods in which it ran, those in which it was stopped, and for how many milliseconds it stood. */
export interface Throttling {
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly throttledTime: number;
}

export const noThrottling: Throttling = { periods: 0, throttledPeriods: 0, throttledTime: 0 };

/** Milliseconds. */
const PERIOD = 100;
const LONGEST = 10 * PERIOD;
/** Shortest time between two looks. */
const STEP = 2;
/** Quotas of a period that can be owed at most: a stop has an end that a user can wait for. */
const MOST_OWED = 10;

export class Throttle {
  readonly #target: Throttled;
  #cores: number;
  /** Milliseconds (performance.now) at which the present window began, and how long it is to last; a multiple of PERIOD. */
  #began = 0;
  #length = PERIOD;
  /** CPU time at the last look, and used in this window or owed from the last. */
  #seen: number | undefined;
  #seenAt = 0;
  #used = 0;
  #rate = 1;
  #stoppedAt: number | undefined;
  #wasStopped = false;
  #held = false;
  #ended = false;
  #looking = false;
  #timer: NodeJS.Timeout | undefined;
  #periods = 0;
  #throttledPeriods = 0;
  #throttledTime = 0;

  /** @param cores more than 0; 0.25 = a quarter of one core's time. */
  constructor(target: Throttled, cores: number) {
    this.#target = target;
    this.#cores = cores;
    this.#restart();
  }

  /** Changes the limit from now on. */
  set cores(cores: number) {
    this.#cores = cores;
    if (!this.#held && !this.#ended) this.#restart();
  }

  /** True while the process stands because of its quota. */
  get stopped(): boolean {
    return this.#stoppedAt !== undefined;
  }

  get throttling(): Throttling {
    const standing = this.#stoppedAt === undefined ? 0 : performance.now() - this.#stoppedAt;
    return {
      periods: this.#periods,
      throttledPeriods: this.#throttledPeriods,
      throttledTime: this.#throttledTime + standing,
    };
  }

  /** Somebody else stops the process (pause): no signal is sent until `release`. */
  hold(): void {
    this.#held = true;
    clearTimeout(this.#timer);
    this.#standing(undefined);
  }

  /** The process goes on, and is watched again. */
  release(): void {
    if (!this.#held || this.#ended) return;
    this.#held = false;
    this.#restart();
  }

  /** For good: a process that stands goes on. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    if (this.#stoppedAt !== undefined) this.#go();
  }

  /** A new window that owes nothing. */
  #restart(): void {
    if (this.#stoppedAt !== undefined) this.#go();
    this.#began = performance.now();
    this.#length = PERIOD;
    this.#seen = undefined;
    this.#used = 0;
    this.#rate = 1;
    void this.#look();
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    clearTimeout(this.#timer);
    this.#looking = true;
    let total: number | undefined;
    try {
      const answer = this.#target.cpuTime();
      total = typeof answer === 'object' ? await answer : answer;
    } finally {
      this.#looking = false;
    }
    if (this.#ended || this.#held) return;
    this.#account(total, performance.now());
    this.#decide();
  }

  #account(total: number | undefined, now: number): void {
    if (total !== undefined) {
      const used = this.#seen === undefined ? 0 : Math.max(0, total - this.#seen);
      if (used > 0 && now > this.#seenAt) this.#rate = Math.max(1, used / (now - this.#seenAt));
      this.#used += used;
      this.#seen = total;
      this.#seenAt = now;
    }
    const periods = Math.floor((now - this.#began) / PERIOD);
    if (periods * PERIOD < this.#length) return;
    const quota = this.#cores * PERIOD;
    const idle = this.#used === 0 && !this.#wasStopped;
    if (!idle) this.#periods += periods;
    this.#used = Math.min(Math.max(0, this.#used - periods * quota), MOST_OWED * quota);
    this.#began += periods * PERIOD;
    this.#length = idle ? Math.min(this.#length * 2, LONGEST) : PERIOD;
    this.#wasStopped = false;
  }

  #decide(): void {
    const now = performance.now();
    const quota = this.#cores * this.#length;
    const end = this.#began + this.#length;
    if (this.#used >= quota) {
      if (this.#stoppedAt === undefined) {
        this.#target.stop();
        this.#stoppedAt = now;
        this.#rate = 1;
      }
      if (!this.#wasStopped) this.#throttledPeriods++;
      this.#wasStopped = true;
      return this.#again(end - now);
    }
    if (this.#stoppedAt !== undefined) this.#go();
    // A window this long was begun because the process slept.
    const longest = this.#length > PERIOD ? Infinity : Math.max(STEP, (quota - this.#used) / this.#rate);
    this.#again(Math.min(end - now, longest));
  }

  #again(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), Math.max(1, Math.ceil(milliseconds)));
    this.#timer.unref();
  }

  #go(): void {
    this.#standing(undefined);
    this.#target.go();
  }

  #standing(since: number | undefined): void {
    if (this.#stoppedAt !== undefined) this.#throttledTime += performance.now() - this.#stoppedAt;
    this.#stoppedAt = since;
  }
}
