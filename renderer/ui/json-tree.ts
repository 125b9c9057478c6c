/** A JSON value as the lines of a tree, for a list that draws only what is open. */

export interface TreeLine {
  /** JSON-pointer-like, unique: "/State/Running". '' = the root. */
  readonly path: string;
  readonly depth: number;
  readonly name: string;
  readonly value: unknown;
  readonly branch: 'object' | 'array' | undefined;
  readonly size: number;
  readonly open: boolean;
}

const isBranch = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Does a name or a leaf value contain the text? */
const holds = (name: string, value: unknown, text: string): boolean =>
  name.toLowerCase().includes(text) || (!isBranch(value) && String(value).toLowerCase().includes(text));

/** Lines of a value: branches in `toggled` are the other way round than `openDepth` says. With a search only what leads to a hit, all open. */
export function treeLines(
  value: unknown,
  options: { toggled: ReadonlySet<string>; search: string; openDepth?: number },
): TreeLine[] {
  const { toggled, openDepth = 1 } = options;
  const search = options.search.trim().toLowerCase();
  const lines: TreeLine[] = [];
  /** Answers whether anything in here was kept. */
  const walk = (name: string, node: unknown, path: string, depth: number, inside: boolean): boolean => {
    const hit = search === '' || inside || holds(name, node, search);
    const branch = Array.isArray(node) ? 'array' : isBranch(node) ? 'object' : undefined;
    if (!branch) {
      if (hit) lines.push({ path, depth, name, value: node, branch, size: 0, open: false });
      return hit;
    }
    const entries = Object.entries(node as object);
    const open = search === '' ? depth < openDepth !== toggled.has(path) : !toggled.has(path);
    const at = lines.length;
    lines.push({ path, depth, name, value: node, branch, size: entries.length, open });
    let kept = hit;
    const from = lines.length;
    for (const [key, child] of entries) {
      const escaped = key.replaceAll('~', '~0').replaceAll('/', '~1');
      if (walk(key, child, `${path}/${escaped}`, depth + 1, hit && search !== '')) kept = true;
    }
    if (!open) lines.length = from;
    if (!kept) lines.length = at;
    return kept;
  };
  if (isBranch(value))
    for (const [key, child] of Object.entries(value))
      walk(key, child, `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, 0, false);
  else walk('', value, '', 0, false);
  return lines;
}
