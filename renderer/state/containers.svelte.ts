/* eslint-disable svelte/prefer-svelte-reactivity -- one counter stands for the whole map: a signal a row would be 100,000 signals */
import { SvelteMap } from 'svelte/reactivity';
import type { ContainerRow } from '../../electron/contract/containers.ts';
import type { Failure } from '../../electron/contract/errors.ts';
import { arrange, type Item, type View } from './arrange.ts';
import { isAlive } from './face.ts';
import { load, save } from './persisted.ts';

const isView = (value: unknown): value is View => {
  const view = value as View | undefined;
  return (
    typeof view === 'object' &&
    view !== null &&
    typeof view.filter === 'string' &&
    ['all', 'running'].includes(view.scope) &&
    ['name', 'image', 'state', 'since'].includes(view.sort) &&
    typeof view.descending === 'boolean' &&
    Array.isArray(view.folded)
  );
};

/** The mirror of the engine's containers, and how the list of them is looked at. */
export class Containers {
  // One map and one counter instead of a signal a row: 100,000 rows must not cost 100,000 signals.
  readonly #rows = new Map<string, ContainerRow>();
  #version = $state(0);
  #known = $state(false);
  #view = $state.raw<View>(
    load('containers.view', { filter: '', scope: 'all', sort: 'name', descending: false, folded: [] }, isView),
  );
  /** Rows that are about to be deleted and can still come back. */
  readonly #hidden: { has(id: string): boolean; readonly size: number };
  readonly #endOf: (row: ContainerRow) => Failure | undefined;
  readonly #problemOf: (row: ContainerRow) => Failure | undefined;
  readonly #dismissed = new SvelteMap<string, number>();

  /** `problemOf`: what went wrong with an action on a row. `endOf`: what its own end has to say. */
  constructor(
    hidden: { has(id: string): boolean; readonly size: number },
    problemOf: (id: string) => Failure | undefined,
    endOf: (row: ContainerRow) => Failure | undefined,
  ) {
    this.#endOf = endOf;
    this.#hidden = hidden;
    this.#problemOf = (row) => problemOf(row.id) ?? this.#ownProblem(row);
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
    save('containers.view', this.#view);
  }

  get(id: string): ContainerRow | undefined {
    void this.#version;
    return this.#rows.get(id);
  }

  readonly all: readonly ContainerRow[] = $derived.by(() => {
    void this.#version;
    const rows = [...this.#rows.values()];
    return this.#hidden.size === 0 ? rows : rows.filter((row) => !this.#hidden.has(row.id));
  });
  readonly items: readonly Item[] = $derived.by(() => arrange(this.all, this.#view, this.#problemOf));
  readonly running: number = $derived.by(() => this.all.filter(isAlive).length);
  readonly runningIds: readonly string[] = $derived.by(() =>
    this.all.filter((row) => row.state === 'running').map((row) => row.id),
  );

  /** Takes the error row of a container away until something new goes wrong. */
  dismiss(id: string): void {
    const row = this.#rows.get(id);
    if (row) this.#dismissed.set(id, row.finishedAt);
  }

  snapshot(rows: readonly ContainerRow[]): void {
    this.#rows.clear();
    for (const row of rows) this.#rows.set(row.id, row);
    this.#known = true;
    this.#version++;
  }
  change(upsert: readonly ContainerRow[], removed: readonly string[]): void {
    for (const row of upsert) this.#rows.set(row.id, row);
    for (const id of removed) {
      this.#rows.delete(id);
      this.#dismissed.delete(id);
    }
    this.#version++;
  }

  /** A container that stopped with a sentence of the engine shows it under its row. */
  #ownProblem(row: ContainerRow): Failure | undefined {
    if (this.#dismissed.get(row.id) === row.finishedAt) return undefined;
    return this.#endOf(row);
  }
}
