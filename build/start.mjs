/**
 * `npm start [-- flags]`: builds when stale, then opens the desktop app where there is Electron and a display, else serves the same window in the
 * browser (`--web` asks for that at once). Runs on any Node ≥ 20: goes on under the pinned one. Never imports electron: that would download it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './paths.mjs';
import { isStale } from './stale.mjs';

const windows = process.platform === 'win32';
const pinned = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies.node;
const pinnedNode = join(root, 'node_modules/node/bin', windows ? 'node.exe' : 'node');
const electronPackage = join(root, 'node_modules/electron');

/** How long the network may take to answer before a download of Electron is given up, ms. */
const patience = 5_000;

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(`drydock: ${message}`);
  process.exit(1);
}

/** Becomes `command`, where the system can; else runs it as a child. Never returns. @param {string} command @param {string[]} args */
async function become(command, args) {
  if (!windows && process.execve) process.execve(command, [command, ...args], process.env);
  process.exit(await run(command, args));
}

/** Runs a child with our terminal; signals go to it, its exit code comes back. @param {string} command @param {string[]} args @returns {Promise<number>} */
function run(command, args, hear = /** @type {((text: string) => void) | undefined} */ (undefined)) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['inherit', 'inherit', hear ? 'pipe' : 'inherit'] });
    child.stderr?.on('data', (chunk) => {
      process.stderr.write(chunk);
      hear?.(String(chunk));
    });
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
      // A terminal sends ^C to the whole group by itself; twice would be "at once".
      process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY) || child.kill(signal));
    }
    child.on('error', (error) => fail(`${command} cannot be started: ${error.message}`));
    child.on('exit', (code, signal) => resolve(code ?? 128 + (signal ? (constants.signals[signal] ?? 0) : 0)));
  });
}

async function underPinnedNode() {
  if (process.versions.node === pinned) return;
  if (!existsSync(pinnedNode)) {
    fail(
      `this needs Node ${pinned}, which "npm ci" brings (without --ignore-scripts); this is ${process.versions.node}.`,
    );
  }
  const { stdout } = spawnSync(pinnedNode, ['--version'], { encoding: 'utf8' });
  if (stdout?.trim() !== `v${pinned}`)
    fail(`${pinnedNode} is ${stdout?.trim() || 'broken'}, not v${pinned}. Run "npm ci".`);
  await become(pinnedNode, [fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
}

/** In a process of its own: the bundler's threads are gone before anything else starts. */
function build() {
  console.error('Building …');
  const { status } = spawnSync(process.execPath, [join(root, 'build/build.mjs')], { stdio: ['ignore', 2, 2] });
  if (status !== 0) fail('the build failed.');
}

/** The Electron program, or undefined when it is not there. @returns {string | undefined} */
function findElectron() {
  const override = process.env['ELECTRON_OVERRIDE_DIST_PATH'];
  const names = { darwin: 'Electron.app/Contents/MacOS/Electron', win32: 'electron.exe' };
  const name = names[/** @type {keyof typeof names} */ (process.platform)] ?? 'electron';
  if (override) {
    const program = join(override, name);
    return existsSync(program)
      ? program
      : fail(`ELECTRON_OVERRIDE_DIST_PATH is ${override}, but there is no ${program}.`);
  }
  try {
    const program = join(electronPackage, 'dist', readFileSync(join(electronPackage, 'path.txt'), 'utf8').trim());
    return existsSync(program) ? program : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a download can begin at all. Where a mirror or a proxy is set up, its owner knows best. */
async function isReachable() {
  const { env } = process;
  if (env['ELECTRON_GET_USE_PROXY'] || Object.keys(env).some((name) => /electron_(.*_)?mirror/i.test(name)))
    return true;
  try {
    await fetch('https://github.com', { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(patience) });
    return true;
  } catch {
    return false;
  }
}

/** Tries to fetch Electron once. @returns {Promise<string | undefined>} the program */
async function fetchElectron() {
  const installer = join(electronPackage, 'install.js');
  if (!existsSync(installer)) return undefined;
  console.error('Fetching Electron …');
  const child = spawn(process.execPath, [installer], { stdio: ['ignore', 2, 'ignore'] });
  const ended = new Promise((resolve) => child.on('close', resolve).on('error', resolve));
  // A copy in its cache needs no network, so it is tried anyway; a network that swallows everything would hold us up for minutes.
  const hopeless = isReachable().then((reachable) => {
    if (!reachable) setTimeout(() => child.kill(), patience).unref();
  });
  await ended;
  void hopeless;
  return findElectron();
}

/** Why there can be no desktop window, or undefined. */
function noDisplay() {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  return process.platform === 'linux' && !DISPLAY && !WAYLAND_DISPLAY ? 'There is no display' : undefined;
}

/** @param {string[]} flags */
async function serveInBrowser(flags) {
  await become(process.execPath, [join(root, 'dist/main/headless.js'), ...flags]);
}

/** @param {string} electron @param {string[]} flags */
async function openDesktop(electron, flags) {
  const args = [root, ...flags];
  if (process.platform === 'linux' && process.getuid?.() === 0) {
    console.error(
      'Warning: you are root, so Chromium runs without its sandbox (--no-sandbox). Better start Drydock as a user.',
    );
    args.splice(1, 0, '--no-sandbox');
  }
  let sandbox = false;
  const code = await run(electron, args, (text) => {
    sandbox ||= /SUID sandbox|chrome-sandbox|No usable sandbox/.test(text);
  });
  if (code !== 0 && sandbox) {
    console.error(
      'Chromium found no sandbox it may use. Allow unprivileged user namespaces, or make chrome-sandbox beside the electron program ' +
        'root-owned with mode 4755; or run "npm start -- --web".',
    );
  }
  process.exit(code);
}

await underPinnedNode();
const flags = process.argv.slice(2);
const plain = flags.some((flag) => ['--help', '-h', '--version', '--check'].includes(flag));
if (isStale()) build();
if (plain || flags.includes('--web')) await serveInBrowser(flags);

let reason = noDisplay();
if (reason === undefined) {
  const electron = findElectron() ?? (await fetchElectron());
  if (electron) await openDesktop(electron, flags);
  reason = 'Electron is not here and could not be fetched (ELECTRON_MIRROR, ELECTRON_GET_USE_PROXY)';
}
console.error(`${reason}: serving the window in the browser instead, as "npm start -- --web" does.`);
await serveInBrowser(flags);
