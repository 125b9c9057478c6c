import { SvelteMap } from 'svelte/reactivity';
import type { ContainerRow } from '../../electron/contract/containers.ts';
import type { Failure } from '../../electron/contract/errors.ts';
import { arrange, type Item, type View } from './arrange.ts';
import { isAlive } from './face.ts';
import { Mirror } from './mirror.svelte.ts';

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
export class Containers extends Mirror<ContainerRow, View> {
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
    super('containers', { filter: '', scope: 'all', sort: 'name', descending: false, folded: [] }, isView);
    this.#endOf = endOf;
    this.#hidden = hidden;
    this.#problemOf = (row) => problemOf(row.id) ?? this.#ownProblem(row);
  }

  /** Without those about to be deleted. */
  readonly all: readonly ContainerRow[] = $derived.by(() =>
    this.#hidden.size === 0 ? this.rows : this.rows.filter((row) => !this.#hidden.has(row.id)),
  );
  readonly items: readonly Item[] = $derived.by(() => arrange(this.all, this.view, this.#problemOf));
  readonly running: number = $derived.by(() => this.all.filter(isAlive).length);
  readonly runningIds: readonly string[] = $derived.by(() =>
    this.all.filter((row) => row.state === 'running').map((row) => row.id),
  );

  /** Takes the error row of a container away until something new goes wrong. */
  dismiss(id: string): void {
    const row = this.get(id);
    if (row) this.#dismissed.set(id, row.finishedAt);
  }

  override change(upsert: readonly ContainerRow[], removed: readonly string[]): void {
    super.change(upsert, removed);
    for (const id of removed) this.#dismissed.delete(id);
  }

  /** A container that stopped with a sentence of the engine shows it under its row. */
  #ownProblem(row: ContainerRow): Failure | undefined {
    if (this.#dismissed.get(row.id) === row.finishedAt) return undefined;
    return this.#endOf(row);
  }
}
