import type { ContainerRow } from '../../electron/contract/containers.ts';
import type { Failure } from '../../electron/contract/errors.ts';
import { isAlive, projectOf, sinceOf, faceOf } from './face.ts';

export type SortKey = 'name' | 'image' | 'state' | 'since';

/** How the list is looked at; survives restarts. */
export interface View {
  readonly filter: string;
  readonly scope: 'all' | 'running';
  readonly sort: SortKey;
  readonly descending: boolean;
  /** Names of folded groups; '' is the group of those in no project. */
  readonly folded: readonly string[];
}

export type Item =
  | {
      readonly kind: 'group';
      readonly key: string;
      readonly project: string;
      readonly rows: readonly ContainerRow[];
      readonly folded: boolean;
    }
  | { readonly kind: 'row'; readonly key: string; readonly row: ContainerRow; readonly child: boolean }
  | { readonly kind: 'problem'; readonly key: string; readonly row: ContainerRow; readonly failure: Failure };

/** px; the table's rows are absolute, so it needs to know. */
export const itemHeight = (item: Item): number => (item.kind === 'group' ? 36 : item.kind === 'problem' ? 64 : 40);

const collator = new Intl.Collator('en', { numeric: true });
const faceOrder = ['failed', 'restarting', 'running', 'paused', 'created', 'exited'];

const orders: Readonly<Record<SortKey, (a: ContainerRow, b: ContainerRow) => number>> = {
  name: (a, b) => collator.compare(a.name, b.name),
  image: (a, b) => collator.compare(a.image, b.image),
  state: (a, b) => faceOrder.indexOf(faceOf(a)) - faceOrder.indexOf(faceOf(b)),
  since: (a, b) => sinceOf(b) - sinceOf(a),
};

/** Does every word of the filter occur in name, image, id, project or a port? */
export function matchesFilter(row: ContainerRow, filter: string): boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const text = [row.name, row.image, projectOf(row) ?? '', ...row.ports.map((port) => `:${port.hostPort}`)]
    .join('\n')
    .toLowerCase();
  return words.every((word) => text.includes(word) || (word.length >= 3 && row.id.startsWith(word)));
}

/** The list as it is drawn, top to bottom: groups when anything belongs to a project, rows, and problems under their rows. */
export function arrange(
  rows: Iterable<ContainerRow>,
  view: View,
  problemOf: (row: ContainerRow) => Failure | undefined,
): Item[] {
  const kept: ContainerRow[] = [];
  for (const row of rows) {
    if (view.scope === 'running' && !isAlive(row) && row.state !== 'restarting') continue;
    if (matchesFilter(row, view.filter)) kept.push(row);
  }
  const order = orders[view.sort];
  const sign = view.descending ? -1 : 1;
  kept.sort((a, b) => sign * order(a, b) || collator.compare(a.name, b.name));

  const items: Item[] = [];
  const add = (row: ContainerRow, child: boolean): void => {
    items.push({ kind: 'row', key: row.id, row, child });
    const failure = problemOf(row);
    if (failure) items.push({ kind: 'problem', key: `problem ${row.id}`, row, failure });
  };
  const groups = new Map<string, ContainerRow[]>();
  for (const row of kept) {
    const project = projectOf(row) ?? '';
    const group = groups.get(project);
    if (group) group.push(row);
    else groups.set(project, [row]);
  }
  if (groups.size === 0 || (groups.size === 1 && groups.has(''))) {
    for (const row of kept) add(row, false);
    return items;
  }
  const names = [...groups.keys()].sort((a, b) => (a === '' ? 1 : b === '' ? -1 : collator.compare(a, b)));
  for (const project of names) {
    const members = groups.get(project) ?? [];
    const folded = view.folded.includes(project);
    items.push({ kind: 'group', key: `group ${project}`, project, rows: members, folded });
    if (!folded) for (const row of members) add(row, project !== '');
  }
  return items;
}
