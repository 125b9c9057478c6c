/** `npm run check`: types, lint, format, arrows, dead code. All run; the exit code says whether all held. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { assertNode } from './assert-node.mjs';
import { root } from './paths.mjs';

assertNode();

/** @type {[name: string, command: string, args: string[]][]} */
const steps = [
  [
    'messages',
    'paraglide-js',
    ['compile', '--silent', '--project', 'renderer/i18n/project.inlang', '--outdir', 'renderer/i18n/generated'],
  ],
  ['types', 'tsc', ['-p', '.']],
  [
    'types in components',
    'svelte-check',
    ['--tsconfig', './tsconfig.json', '--threshold', 'warning', '--output', 'human'],
  ],
  ['lint', 'eslint', ['--max-warnings', '0', '.']],
  ['format', 'prettier', ['--check', '--log-level', 'warn', '.']],
  ['arrows', 'node', ['build/arrows.mjs']],
  ['dead code', 'knip', ['--no-progress']],
];

let failed = 0;
for (const [name, command, args] of steps) {
  const started = Date.now();
  const { status } = spawnSync(join(root, 'node_modules/.bin', command), args, { cwd: root, stdio: 'inherit' });
  console.log(`${status === 0 ? 'ok' : 'FAILED'}  ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  if (status !== 0) failed++;
}
process.exit(failed === 0 ? 0 : 1);
