/** For tests only: a thread that exchanges directories for links, as another process of the host or as a guest of another container does. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import { openMountTable } from './mount-table.ts';

export interface Attack {
  readonly by: 'host' | 'guest';
  /** The mounted directory, and a snapshot and an upper for the guest's own root. */
  readonly shared: string;
  readonly lower: string;
  readonly upper: string;
  /** Two words: the end when not 0, and the number of exchanges so far. */
  readonly words: Int32Array;
  /** `NAME` is a directory there, and `NAME-evil` a link that leads out. */
  readonly name: string;
}

const { by, shared, lower, upper, words, name } = workerData as Attack;
const over = (): boolean => Atomics.load(words, 0) !== 0;

/** There and back: the directory aside, the link in its place, the link away, the directory in its place. */
const moves = [
  [name, `${name}-good`],
  [`${name}-evil`, name],
  [name, `${name}-evil`],
  [`${name}-good`, name],
] as const;

function move(): (from: string, to: string) => void {
  if (by === 'host') return (from, to) => renameSync(join(shared, from), join(shared, to));
  const table = openMountTable([
    { type: 'overlay', target: '/', lower, upper, readOnly: false },
    { type: 'bind', target: '/vol', source: shared, readOnly: false },
  ]);
  return (from, to) => table.rename(table.root, `/vol/${from}`, table.root, `/vol/${to}`);
}

const rename = move();
while (!over()) {
  for (const [from, to] of moves) rename(from, to);
  Atomics.add(words, 1, 1);
}
