/* eslint-disable svelte/prefer-svelte-reactivity -- promises that nothing draws from */
import type { Failure } from '../../electron/contract/errors.ts';
import type { ImageDetails, ImageRow } from '../../electron/contract/images.ts';
import type { Connection } from './connection.svelte.ts';
import { Mirror } from './mirror.svelte.ts';

/** A line of the list: one name of an image, as `docker images` shows them. */
export interface ImageItem {
  /** id and tag: unique. */
  readonly key: string;
  readonly row: ImageRow;
  /** '' = the image has no name. */
  readonly reference: string;
  readonly problem: Failure | undefined;
}

export type ImageSort = 'name' | 'size' | 'created' | 'platform';
export interface ImageView {
  readonly filter: string;
  readonly sort: ImageSort;
  readonly descending: boolean;
}
const isView = (value: unknown): value is ImageView => {
  const view = value as ImageView | undefined;
  return (
    typeof view?.filter === 'string' &&
    ['name', 'size', 'created', 'platform'].includes(view.sort) &&
    typeof view.descending === 'boolean'
  );
};

export const platformOf = (row: ImageRow): string => `${row.os}/${row.architecture}`;
/** Can an image of this platform run here at all? (DESIGN §4: an image without a Wasm platform cannot.) */
export const isWasm = (row: ImageRow): boolean => /^wasi|^wasip|wasm/.test(`${row.os}/${row.architecture}`);

const orders: Readonly<Record<ImageSort, (a: ImageItem, b: ImageItem) => number>> = {
  name: (a, b) =>
    (a.reference === '' ? 1 : 0) - (b.reference === '' ? 1 : 0) ||
    a.reference.localeCompare(b.reference, 'en', { numeric: true }),
  size: (a, b) => b.row.size - a.row.size,
  created: (a, b) => b.row.createdAt - a.row.createdAt,
  platform: (a, b) => platformOf(a.row).localeCompare(platformOf(b.row)),
};

/** The lines of the list, in order. */
export function arrangeImages(
  rows: Iterable<ImageRow>,
  view: ImageView,
  hidden: { has(key: string): boolean },
  problemOf: (key: string) => Failure | undefined,
): ImageItem[] {
  const words = view.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const items: ImageItem[] = [];
  for (const row of rows) {
    for (const reference of row.tags.length === 0 ? [''] : row.tags) {
      const key = `${row.id} ${reference}`;
      if (hidden.has(key)) continue;
      const text = `${reference}\n${platformOf(row)}`.toLowerCase();
      if (words.every((word) => text.includes(word) || row.id.replace('sha256:', '').startsWith(word)))
        items.push({ key, row, reference, problem: problemOf(key) });
    }
  }
  const sign = view.descending ? -1 : 1;
  return items.sort((a, b) => sign * orders[view.sort](a, b) || (a.key < b.key ? -1 : 1));
}

/** The mirror of the engine's images, and how the list of them is looked at. */
export class Images extends Mirror<ImageRow, ImageView> {
  readonly #connection: Connection;
  readonly #hidden: { has(key: string): boolean; readonly size: number };
  readonly #problemOf: (key: string) => Failure | undefined;
  /** Details do not change for an id; asked for once. */
  readonly #details = new Map<string, Promise<ImageDetails>>();

  constructor(
    connection: Connection,
    hidden: { has(key: string): boolean; readonly size: number },
    problemOf: (key: string) => Failure | undefined,
  ) {
    super('images', { filter: '', sort: 'name', descending: false }, isView);
    this.#connection = connection;
    this.#hidden = hidden;
    this.#problemOf = problemOf;
  }

  get all(): readonly ImageRow[] {
    return this.rows;
  }
  readonly items: readonly ImageItem[] = $derived.by(() =>
    arrangeImages(this.all, this.view, this.#hidden, this.#problemOf),
  );
  /** Bytes of all images together. */
  readonly size: number = $derived.by(() => this.all.reduce((sum, row) => sum + row.size, 0));

  details(id: string): Promise<ImageDetails> {
    let details = this.#details.get(id);
    if (!details) {
      details = Promise.resolve().then(() => this.#connection.api.images.inspect({ id }));
      this.#details.set(id, details);
      details.catch(() => this.#details.delete(id));
    }
    return details;
  }

  override snapshot(rows: readonly ImageRow[]): void {
    this.#details.clear();
    super.snapshot(rows);
  }
  override change(upsert: readonly ImageRow[], removed: readonly string[]): void {
    for (const id of [...upsert.map((row) => row.id), ...removed]) this.#details.delete(id);
    super.change(upsert, removed);
  }
}
