/* eslint-disable svelte/prefer-svelte-reactivity -- made anew by each derivation */
import { SvelteMap } from 'svelte/reactivity';

/** ms in which a deletion can be taken back. */
export const undoTime = 8000;

export interface Removal {
  readonly id: number;
  /** Keys of the rows that are out of sight meanwhile. */
  readonly keys: readonly string[];
  readonly title: string;
  readonly endsAt: number;
}

/**
 * Deletions wait 8 s before they happen, so that undo is exact and costs nothing. Closing the window meanwhile keeps the things: losing nothing
 * is the better mistake.
 */
export class Removals {
  readonly #pending = new SvelteMap<
    number,
    Removal & { readonly timer: ReturnType<typeof setTimeout>; readonly commit: () => void }
  >();
  #lastId = 0;

  readonly pending: readonly Removal[] = $derived.by(() => [...this.#pending.values()]);
  readonly #keys: ReadonlySet<string> = $derived.by(() => new Set(this.pending.flatMap((removal) => removal.keys)));

  get size(): number {
    return this.#keys.size;
  }
  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** Hides the rows and does `commit` when the time is over. */
  schedule(keys: readonly string[], title: string, commit: () => void): void {
    const id = ++this.#lastId;
    const timer = setTimeout(() => this.finish(id), undoTime);
    this.#pending.set(id, { id, keys, title, endsAt: Date.now() + undoTime, timer, commit });
  }

  /** Do it now: the time is over, or the person closed the toast. */
  finish(id: number): void {
    const removal = this.#pending.get(id);
    if (!removal) return;
    clearTimeout(removal.timer);
    // First the call, then the row may come back: the task that the call starts keeps it greyed instead of flickering.
    removal.commit();
    this.#pending.delete(id);
  }

  /** Takes back the newest, or the one named. */
  undo(id?: number): void {
    const last = [...this.#pending.keys()].at(-1);
    const removal = this.#pending.get(id ?? last ?? -1);
    if (!removal) return;
    clearTimeout(removal.timer);
    this.#pending.delete(removal.id);
  }
}
