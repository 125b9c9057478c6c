/**
 * `npm run dev [-- flags]`: builds everything and watches. A change in electron/ starts the web mode again (its new link is printed; containers are
 * stopped, the home is kept); a change in renderer/ is there at the page's next reload. Without --home it uses test/output/dev-home, never
 * the home you work with.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'vite';
import { assertNode } from './assert-node.mjs';
import { nodeConfigs, rendererConfig } from './build.mjs';
import { root } from './paths.mjs';

assertNode();
const given = process.argv.slice(2);
const home = join(root, 'test/output/dev-home');
const flags = given.includes('--home') ? given : ['--home', home, '--docker-host', `unix://${home}.sock`, ...given];

/** @type {import('node:child_process').ChildProcess | undefined} */
let engine;
/** @type {NodeJS.Timeout | undefined} */
let pending;
let ending = false;

/** Ends the engine that runs, and starts one from what is in dist. */
async function restart() {
  const old = engine;
  if (old && old.exitCode === null) {
    const ended = new Promise((resolve) => old.once('exit', resolve));
    old.kill('SIGTERM');
    await ended;
  }
  if (ending) return;
  engine = spawn(process.execPath, [join(root, 'dist/main/headless.js'), '--web', ...flags], { stdio: 'inherit' });
}

let last = Promise.resolve();
/** One restart for a burst of builds (a shared file is in several bundles). */
function restartSoon() {
  clearTimeout(pending);
  pending = setTimeout(() => (last = last.then(restart)), 200);
}

/**
 * Builds once, then on every change. Resolves when the first build is done.
 * @param {import('vite').InlineConfig} config @param {() => void} done called after each later build
 */
async function watch(config, done) {
  const watcher = /** @type {import('rolldown').RolldownWatcher} */ (
    await build({ ...config, build: { ...config.build, watch: {} } })
  );
  let first = true;
  await new Promise((resolve) => {
    watcher.on('event', (event) => {
      if (event.code === 'ERROR') console.error(event.error.message);
      if (event.code !== 'BUNDLE_END' && event.code !== 'ERROR') return;
      if (event.code === 'BUNDLE_END') void event.result.close();
      if (first) resolve(undefined);
      else if (event.code === 'BUNDLE_END') done();
      first = false;
    });
  });
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.on(signal, () => {
    if (ending) process.exit(1);
    ending = true;
    clearTimeout(pending);
    if (!engine || engine.exitCode !== null) process.exit(0);
    engine.once('exit', (code) => process.exit(code ?? 1));
    if (signal === 'SIGTERM') engine.kill(signal);
  });
}

await Promise.all([
  ...nodeConfigs.map((config) => watch(config, restartSoon)),
  watch(rendererConfig(), () => console.log('The window was built again: reload the page.')),
]);
await restart();
