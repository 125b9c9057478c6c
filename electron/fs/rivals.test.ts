import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { hasDescriptorPaths } from './host-directory.ts';
import { readText, Scratch } from './testing.ts';

const run = promisify(execFile);
const rounds = 1000;

/** Two processes over one upper, as a container's program and an exec: each prints what it should not have seen. */
async function rivals(at: Scratch, task: string, count = rounds): Promise<string> {
  const script = join(import.meta.dirname, 'testing-rival.ts');
  const outputs = await Promise.all(
    ['a', 'b'].map((mark) => run(process.execPath, [script, at.lower, at.upper, mark, task, String(count)])),
  );
  return outputs.map(({ stdout, stderr }) => stdout + stderr).join('');
}

/** Three names that the image has and the container deleted. */
function deleted(): Scratch {
  const at = new Scratch(hasDescriptorPaths, {
    lower: Object.fromEntries(
      [0, 1, 2].flatMap((n) => [
        [`dir/${n}`, 'image'],
        [`tree/${n}/inside`, 'image'],
      ]),
    ),
  });
  const table = at.table();
  for (const n of [0, 1, 2]) {
    table.unlink(table.root, `/dir/${n}`);
    table.unlink(table.root, `/tree/${n}/inside`);
    table.removeDirectory(table.root, `/tree/${n}`);
  }
  return at;
}

it('two processes that change the same files of the image at once lose nothing of each other', async () => {
  const files = 400;
  using at = new Scratch(hasDescriptorPaths, {
    lower: Object.fromEntries(Array.from({ length: files }, (_, n) => [`dir/${n}`, 'image\n'])),
  });
  expect(await rivals(at, 'append', files)).toBe('');
  const table = at.table();
  for (let n = 0; n < files; n++) {
    const [first, ...marks] = readText(table, `/dir/${n}`).trim().split('\n');
    expect([first, marks.sort()]).toEqual(['image', ['a', 'b']]);
  }
});

it.each(['churn', 'rename', 'directories'])(
  'what the container deleted of the image is never seen again, whoever makes and deletes it meanwhile (%s)',
  async (task) => {
    using at = deleted();
    expect(await rivals(at, task)).toBe('');
    // No unfinished work is left either.
    for (const name of ['dir', 'tree'])
      expect(readdirSync(join(at.upper, name)).filter((each) => each.startsWith('.wh..wh.'))).toEqual([]);
  },
);
