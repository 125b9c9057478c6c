import type { EngineApi, EngineEvent } from '../engine/api/index.ts';
import { diskBytes } from './rows.ts';

/** Quiet time after an event before the home is measured, and the least time between two measurements; ms. Measuring walks directories. */
const defaults = { settle: 2_000, apart: 10_000 };

const changing = new Set([
  'create',
  'die',
  'destroy',
  'commit',
  'pull',
  'load',
  'import',
  'tag',
  'untag',
  'delete',
  'prune',
  'build',
]);

/** True when an event may have changed how much the home holds. */
export function changesDisk(event: EngineEvent): boolean {
  return (
    (event.type === 'container' || event.type === 'image' || event.type === 'volume') && changing.has(event.action)
  );
}

/** The disk figure: measured when somebody looks, again after events that change it, never on a clock. */
export class DiskFigure {
  readonly #engine: EngineApi;
  readonly #changed: () => void;
  readonly #times: typeof defaults;
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #measuredAt = Number.NEGATIVE_INFINITY;
  #measuring = false;
  #watched = false;
  #stale = true;

  /** @param changed called when the figure is another one */
  constructor(engine: EngineApi, changed: () => void, times = defaults) {
    this.#engine = engine;
    this.#changed = changed;
    this.#times = times;
  }

  /** Bytes, as last measured; 0 before the first time. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Somebody looks from now on. */
  watch(): void {
    this.#watched = true;
    if (this.#stale) this.#schedule(0);
  }

  /** Nobody looks any more: nothing runs. */
  unwatch(): void {
    this.#watched = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Something changed the home. */
  outdate(): void {
    this.#stale = true;
    this.#schedule(this.#times.settle);
  }

  #schedule(wait: number): void {
    if (!this.#watched || this.#measuring || this.#timer) return;
    const earliest = this.#measuredAt + this.#times.apart - Date.now();
    this.#timer = setTimeout(() => void this.#measure(), Math.max(wait, earliest));
  }

  async #measure(): Promise<void> {
    this.#timer = undefined;
    this.#measuring = true;
    this.#stale = false;
    const before = this.#bytes;
    try {
      this.#bytes = diskBytes(await this.#engine.system.diskUsage());
    } catch {
      // Something went while it was walked; the event that says so measures again.
    }
    this.#measuring = false;
    this.#measuredAt = Date.now();
    if (this.#bytes !== before) this.#changed();
    if (this.#stale) this.#schedule(this.#times.settle);
  }
}
