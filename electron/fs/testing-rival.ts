/** For tests only: one of two processes that change the same overlay at once. `node testing-rival.ts LOWER UPPER MARK TASK ROUNDS`; prints what it saw. */
import { openMountTable } from './mount-table.ts';
import { failure, openFile, readText } from './testing.ts';

const [lower = '', upper = '', mark = '', task = '', rounds = ''] = process.argv.slice(2);
const table = openMountTable([{ type: 'overlay', target: '/', lower, upper, readOnly: false }]);
const { root } = table;

/** Wait for the other one: each makes a file and looks for both. */
function meet(): void {
  openFile(table, `/ready-${mark}`, { write: true, create: true }).close();
  const other = mark === 'a' ? 'b' : 'a';
  while (failure(() => table.stat(root, `/ready-${other}`, { follow: true })) !== 'nothing');
}

const tasks: Record<string, (round: number) => void> = {
  /** Each appends its mark to every file of the image. */
  append(round) {
    const file = openFile(table, `/dir/${round}`, { write: true, append: true });
    const line = Buffer.from(`${mark}\n`);
    file.write(line, 0, line.length, Number(file.stat().size));
    file.close();
  },
  /** Names that the image has are made and deleted again: what the image has must never be seen again. */
  churn(round) {
    const path = `/dir/${round % 3}`;
    failure(() => openFile(table, path, { write: true, create: true, truncate: true }).close());
    failure(() => table.unlink(root, path));
    let seen = '';
    failure(() => (seen = readText(table, path)));
    if (seen.includes('image')) process.stdout.write(`round ${round}: ${seen}\n`);
  },
  /** The same with directories. */
  directories(round) {
    const path = `/tree/${round % 3}`;
    failure(() => table.makeDirectory(root, path));
    failure(() => table.removeDirectory(root, path));
    let seen = '';
    failure(() => (seen = readText(table, `${path}/inside`)));
    if (seen.includes('image')) process.stdout.write(`round ${round}: ${seen}\n`);
  },
  /** Renames over each other. */
  rename(round) {
    const path = `/dir/${mark}-${round % 3}`;
    failure(() => openFile(table, path, { write: true, create: true }).close());
    failure(() => table.rename(root, path, root, `/dir/${round % 3}`));
    if (round % 2) failure(() => table.unlink(root, `/dir/${round % 3}`));
    let seen = '';
    failure(() => (seen = readText(table, `/dir/${round % 3}`)));
    if (seen.includes('image')) process.stdout.write(`round ${round}: ${seen}\n`);
  },
};

const work = tasks[task];
if (!work) throw new Error(`no task ${task}`);
meet();
for (let round = 0; round < Number(rounds); round++) work(round);
table.close();
