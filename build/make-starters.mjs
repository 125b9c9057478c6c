/**
 * `npm run starters [-- NAME…]`: builds the images to begin with, all or some, in the home of the app (--home DIR for another one), which must not be running.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { assertNode } from './assert-node.mjs';
import { root } from './paths.mjs';
import { isStale } from './stale.mjs';

assertNode();
const { values, positionals } = parseArgs({ options: { home: { type: 'string' } }, allowPositionals: true });
if (isStale()) execFileSync(process.execPath, [join(root, 'build/build.mjs')], { stdio: 'inherit' });
const entry = join(root, 'dist/main/starters.js');
if (!existsSync(entry)) throw new Error(`${entry} is missing: run npm run build`);
const args = values.home === undefined ? [] : ['--home', values.home];
try {
  execFileSync(process.execPath, [entry, ...args, ...positionals], { stdio: 'inherit' });
} catch (error) {
  process.exit(/** @type {{ status?: number }} */ (error).status ?? 1);
}
