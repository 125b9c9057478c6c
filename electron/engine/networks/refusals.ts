/** What the rules kept a container from: each told once a second at most, so that a guest which scans cannot flood anybody. */
import type { Refusal } from '../api/index.ts';

export type Refused = Omit<Refusal, 'count' | 'at'>;

const kept = 100;
/** Different ones that are told in a second; what is beyond them is counted only. */
const burst = 20;

interface Entry {
  readonly refused: Refused;
  count: number;
  at: number;
  /** Milliseconds of `now`; undefined = never. */
  told: number | undefined;
}

export class Refusals {
  readonly #tell: (refused: Refused) => void;
  readonly #now: () => number;
  /** The latest last. */
  readonly #entries = new Map<string, Entry>();
  #second = Number.NEGATIVE_INFINITY;
  #toldInSecond = 0;

  /** `now`: monotonic milliseconds. */
  constructor(tell: (refused: Refused) => void, now: () => number) {
    this.#tell = tell;
    this.#now = now;
  }

  note(refused: Refused): void {
    const key = `${refused.host} ${refused.port} ${refused.protocol}`;
    const entry: Entry = this.#entries.get(key) ?? { refused, count: 0, at: 0, told: undefined };
    entry.count++;
    entry.at = Date.now();
    this.#entries.delete(key);
    const oldest = this.#entries.keys().next();
    if (this.#entries.size >= kept && !oldest.done) this.#entries.delete(oldest.value);
    this.#entries.set(key, entry);
    if (this.#mayTell(entry)) this.#tell(refused);
  }

  list(): readonly Refusal[] {
    return [...this.#entries.values()].map(({ refused, count, at }) => ({ ...refused, count, at }));
  }

  #mayTell(entry: Entry): boolean {
    const now = this.#now();
    if (entry.told !== undefined && now - entry.told < 1000) return false;
    if (now - this.#second >= 1000) {
      this.#second = now;
      this.#toldInSecond = 0;
    }
    if (this.#toldInSecond >= burst) return false;
    this.#toldInSecond++;
    entry.told = now;
    return true;
  }
}
