/** What a table and its rows tell each other (DataTable.svelte, TableRow.svelte). */

export interface Heading<Sort extends string> {
  readonly label: string;
  /** What a click on it sorts by; absent = cannot be sorted by. */
  readonly sort?: Sort;
  /** Classes of its place: where its column stands to the right, for example. */
  readonly class?: string;
}

/** How a row stands in its table. */
export interface RowPlace {
  /** aria-rowindex: from 1, the headings are 1. */
  readonly index: number;
  /** Rows are being chosen: the check boxes take the focus. */
  readonly choosing: boolean;
  readonly chosen: boolean;
  readonly onchoose: (event: MouseEvent) => void;
}
