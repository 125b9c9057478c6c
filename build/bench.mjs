/** `npm run bench [-- NAME …]`: runs test/bench/NAME.bench.ts, each in a process of its own, and prints their tables. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { assertNode } from './assert-node.mjs';
import { buildAll } from './build.mjs';
import { root } from './paths.mjs';
import { isStale } from './stale.mjs';

assertNode();
if (isStale()) await buildAll();
const { compileFixtures } = await import('../test/fixtures/compile.ts');
await compileFixtures();

const directory = join(root, 'test/bench');
const all = readdirSync(directory)
  .filter((name) => name.endsWith('.bench.ts'))
  .map((name) => name.replace('.bench.ts', ''));
const wanted = process.argv.slice(2);
console.log(`${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}, ${process.platform}`);
let failed = 0;
for (const name of wanted.length > 0 ? wanted : all) {
  const run = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', join(directory, 'run.ts'), name], {
    cwd: root,
    stdio: 'inherit',
  });
  if (run.status !== 0) failed++;
}
process.exit(failed === 0 ? 0 : 1);
