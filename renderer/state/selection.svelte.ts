import { SvelteSet } from 'svelte/reactivity';

/** Which rows of a list are chosen, where the cursor stands, which row's drawer is open. Keys are of the list's own kind. */
export class Selection {
  readonly chosen = new SvelteSet<string>();
  #cursor = $state('');
  #open = $state('');
  #anchor = '';

  get cursor(): string {
    return this.#cursor;
  }
  get open(): string {
    return this.#open;
  }
  set open(key: string) {
    this.#open = key;
  }

  /** Puts the cursor on a row; with a drawer open, the drawer goes along. */
  point(key: string): void {
    this.#cursor = key;
    this.#anchor = key;
    if (this.#open !== '' && key !== '') this.#open = key;
  }

  /** Moves the cursor by rows of `order`; `extend` chooses what it passes. */
  move(order: readonly string[], by: number, extend = false): void {
    if (order.length === 0) return;
    const at = order.indexOf(this.#cursor);
    // From nowhere, down begins above the first row and up below the last.
    const from = at >= 0 ? at : by > 0 ? -1 : order.length;
    const to = Math.max(0, Math.min(order.length - 1, from + by));
    const key = order[to] ?? '';
    if (!extend) {
      this.point(key);
      return;
    }
    this.#choosePath(order, key);
  }

  toggle(key: string): void {
    if (!this.chosen.delete(key)) this.chosen.add(key);
    this.#cursor = key;
    this.#anchor = key;
  }

  /** Chooses everything from the anchor (the last plain choice) to a row. */
  extendTo(order: readonly string[], key: string): void {
    this.#choosePath(order, key);
  }

  chooseAll(order: readonly string[]): void {
    const all = order.every((key) => this.chosen.has(key));
    this.chosen.clear();
    if (!all) for (const key of order) this.chosen.add(key);
  }

  clear(): void {
    this.chosen.clear();
  }

  /** Forgets rows that are gone. `exists` answers for a key. */
  keep(exists: (key: string) => boolean): void {
    for (const key of [...this.chosen]) if (!exists(key)) this.chosen.delete(key);
    if (this.#open !== '' && !exists(this.#open)) this.#open = '';
  }

  #choosePath(order: readonly string[], key: string): void {
    const from = Math.max(0, order.indexOf(this.#anchor || this.#cursor || key));
    const to = order.indexOf(key);
    if (to < 0) return;
    for (let i = Math.min(from, to); i <= Math.max(from, to); i++) this.chosen.add(order[i] as string);
    this.#cursor = key;
  }
}
