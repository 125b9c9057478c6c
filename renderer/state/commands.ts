/** The palette's entries. Ranked by how early and how whole the words of the query occur. */

export interface Command {
  readonly id: string;
  readonly group: 'row' | 'things' | 'everywhere';
  readonly title: string;
  /** Greyed behind the title. */
  readonly detail?: string;
  readonly icon: string;
  readonly chord?: string;
  readonly kind: 'command' | 'page' | 'image' | 'container';
  run(): void;
}

const prefixes: Readonly<Record<string, Command['kind']>> = { '>': 'command', ':': 'page', '#': 'image' };

/** Where the words of a query occur in a title, for the bold letters: merged ranges in order. undefined when one does not occur. */
export function matchTitle(title: string, detail: string, query: string): [number, number][] | undefined {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const low = title.toLowerCase();
  const ranges: [number, number][] = [];
  for (const word of words) {
    const at = low.indexOf(word);
    if (at >= 0) ranges.push([at, at + word.length]);
    else if (!detail.toLowerCase().includes(word)) return undefined;
  }
  ranges.sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const range of ranges) {
    const last = merged[merged.length - 1];
    if (last && range[0] <= last[1]) last[1] = Math.max(last[1], range[1]);
    else merged.push(range);
  }
  return merged;
}

export interface Found {
  readonly command: Command;
  readonly ranges: readonly (readonly [number, number])[];
}

/** Commands for a query, best first inside their groups, groups in their order; at most `most`. */
export function findCommands(commands: readonly Command[], query: string, most = 60): Found[] {
  const kind = prefixes[query[0] ?? ''];
  const words = (kind ? query.slice(1) : query).trim();
  const scored: (Found & { score: number })[] = [];
  for (const command of commands) {
    if (kind && command.kind !== kind) continue;
    const ranges = matchTitle(command.title, command.detail ?? '', words);
    if (!ranges) continue;
    const first = ranges[0];
    const score = !first ? 3 : first[0] === 0 ? 0 : /\W/.test(command.title[first[0] - 1] ?? ' ') ? 1 : 2;
    scored.push({ command, ranges, score });
  }
  const groups = ['row', 'things', 'everywhere'] as const;
  return groups
    .flatMap((group) =>
      scored.filter((found) => found.command.group === group).sort((a, b) => (words === '' ? 0 : a.score - b.score)),
    )
    .slice(0, most);
}
