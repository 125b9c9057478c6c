/** `npm test [-- filters]`: builds when stale, compiles the fixtures, runs every test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startVitest } from 'vitest/node';
import { assertNode } from './assert-node.mjs';
import { buildAll } from './build.mjs';
import { root } from './paths.mjs';
import { isStale } from './stale.mjs';

assertNode();
if (isStale()) {
  console.log('Building …');
  await buildAll();
}
const { compileFixtures } = await import('../test/fixtures/compile.ts');
await compileFixtures();

// Whatever a test leaves behind in the temporary directory goes with it.
const temporary = mkdtempSync(join(tmpdir(), 'drydock-tests-'));
process.env['TMPDIR'] = temporary;

const vitest = await startVitest('test', process.argv.slice(2), {
  run: true,
  watch: false,
  config: join(root, 'vitest.config.ts'),
});
const counts = { passed: 0, failed: 0, skipped: 0 };
for (const module of vitest.state.getTestModules()) {
  for (const test of module.children.allTests()) {
    const state = test.result().state;
    if (state !== 'pending') counts[state]++;
  }
}
const broken =
  vitest.state.getUnhandledErrors().length + vitest.state.getTestModules().filter((module) => !module.ok()).length;
await vitest.close();
rmSync(temporary, { recursive: true, force: true, maxRetries: 3 });
if (process.env['CI'] === 'true' && counts.skipped > 0) {
  console.error(`${counts.skipped} tests were skipped: under CI=true every tool must be there.`);
  process.exitCode = 1;
}
if (broken > 0) process.exitCode = 1;
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit();
