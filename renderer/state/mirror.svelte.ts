/* eslint-disable svelte/prefer-svelte-reactivity -- one counter stands for the whole map: a signal a row would be 100,000 signals */
import { load, save } from './persisted.ts';

/** The window's copy of one of the engine's lists, and how that list is looked at. */
export class Mirror<Row extends { readonly id: string }, View> {
  // One map and one counter instead of a signal a row: 100,000 rows must not cost 100,000 signals.
  readonly #rows = new Map<string, Row>();
  #version = $state(0);
  #known = $state(false);
  readonly #name: string;
  #view: View;

  /** `name`: under which the view is kept over restarts. */
  constructor(name: string, view: View, isView: (value: unknown) => value is View) {
    this.#name = `${name}.view`;
    this.#view = $state.raw(load(this.#name, view, isView));
  }

  /** False until the first snapshot: an empty list is not the same as an unknown one. */
  get known(): boolean {
    return this.#known;
  }
  get view(): View {
    return this.#view;
  }
  look(change: Partial<View>): void {
    this.#view = { ...this.#view, ...change };
    save(this.#name, this.#view);
  }

  get(id: string): Row | undefined {
    void this.#version;
    return this.#rows.get(id);
  }
  /** Every row the engine told of. */
  readonly rows: readonly Row[] = $derived.by(() => {
    void this.#version;
    return [...this.#rows.values()];
  });

  snapshot(rows: readonly Row[]): void {
    this.#rows.clear();
    for (const row of rows) this.#rows.set(row.id, row);
    this.#known = true;
    this.#version++;
  }
  change(upsert: readonly Row[], removed: readonly string[]): void {
    for (const row of upsert) this.#rows.set(row.id, row);
    for (const id of removed) this.#rows.delete(id);
    this.#version++;
  }
}
