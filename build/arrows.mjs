/**
 * The law of the house (docs/architecture.md): which folder may import which. A room not named here may import nothing.
 * `types:` marks an import that must be type-only.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';
import { root } from './paths.mjs';

/** @type {Record<string, string[]>} */
export const allowed = {
  'electron/base': [],
  'electron/platform': ['electron/base'],
  'electron/module': ['electron/base'],
  'electron/fs': ['electron/base'],
  'electron/supervisor': ['electron/base', 'electron/platform', 'electron/module', 'electron/fs'],
  'electron/runner': ['electron/base', 'electron/module', 'electron/fs', 'types:electron/supervisor'],
  'electron/engine': ['electron/base', 'electron/platform', 'electron/module', 'electron/fs', 'electron/supervisor'],
  'electron/contract': [],
  'electron/docker': ['electron/base', 'electron/platform', 'electron/engine'],
  'electron/rpc': ['electron/base', 'electron/platform', 'electron/engine', 'electron/contract'],
  'electron/web': [
    'electron/base',
    'electron/platform',
    'electron/engine',
    'electron/contract',
    'electron/rpc',
    'electron/docker',
  ],
  'electron/desktop': [
    'electron/base',
    'electron/platform',
    'electron/engine',
    'electron/contract',
    'electron/rpc',
    'electron/docker',
    'electron/supervisor',
  ],
  'electron/main.ts': [
    'electron/base',
    'electron/platform',
    'electron/engine',
    'electron/rpc',
    'electron/docker',
    'electron/supervisor',
    'electron/desktop',
  ],
  'electron/headless.ts': [
    'electron/base',
    'electron/platform',
    'electron/engine',
    'electron/rpc',
    'electron/docker',
    'electron/supervisor',
    'electron/web',
  ],
  'electron/starters.ts': ['electron/base', 'electron/platform', 'electron/engine', 'electron/supervisor'],
  'electron/preload.ts': ['types:electron/contract'],
  'electron/runner.ts': ['electron/runner'],
  renderer: ['types:electron/contract'],
};

/** Rooms that may import the `electron` module. */
const electronRooms = ['electron/desktop', 'electron/main.ts', 'electron/preload.ts'];

/** The room that a repository path lies in. @param {string} path @returns {string | undefined} */
export function roomOf(path) {
  return Object.keys(allowed).find((room) => path === room || path.startsWith(`${room}/`));
}

/** Every import of a source text: what, and whether it is type-only. @param {string} source */
export function importsOf(source) {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found = [];
  for (const match of code.matchAll(
    /^\s*(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?['"]([^'"]+)['"]/gm,
  )) {
    found.push({ from: match[2] ?? '', typeOnly: match[1] !== undefined });
  }
  for (const match of code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g))
    found.push({ from: match[1] ?? '', typeOnly: false });
  return found;
}

/** Violations of one file, as sentences. @param {string} path repository path @param {string} source @returns {string[]} */
export function violations(path, source) {
  const room = roomOf(path);
  if (!room) return [];
  const out = [];
  for (const { from, typeOnly } of importsOf(source)) {
    if (from === 'electron' && !electronRooms.includes(room))
      out.push(`${path} imports electron; only ${electronRooms.join(', ')} may`);
    if (!from.startsWith('.')) continue;
    const target = posix.normalize(posix.join(posix.dirname(path), from));
    const targetRoom = roomOf(target);
    if (!targetRoom) {
      if (target.startsWith('electron/') || target.startsWith('test/'))
        out.push(`${path} imports ${target}, which no room holds`);
      continue;
    }
    if (targetRoom === room || (room === 'electron/runner.ts' && targetRoom === 'electron/runner')) continue;
    const rules = allowed[room] ?? [];
    if (rules.includes(targetRoom)) continue;
    if (rules.includes(`types:${targetRoom}`)) {
      if (!typeOnly) out.push(`${path} imports ${target} for its values; only types may be taken from ${targetRoom}`);
      continue;
    }
    out.push(`${path} imports ${target}: ${room} may not import ${targetRoom}`);
  }
  return out;
}

/** @param {string} directory @returns {Generator<string>} */
function* sourcesUnder(directory) {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (name === 'generated') continue;
    if (statSync(path).isDirectory()) yield* sourcesUnder(path);
    else if (/\.(ts|svelte|mjs)$/.test(name) && !/\.test\.ts$/.test(name)) yield path;
  }
}

/** All violations of the checkout. */
export function checkArrows() {
  const out = [];
  for (const top of ['electron', 'renderer']) {
    for (const file of sourcesUnder(join(root, top))) {
      out.push(...violations(relative(root, file).split(sep).join('/'), readFileSync(file, 'utf8')));
    }
  }
  return out;
}

if (
  process.argv[1] &&
  resolve(process.argv[1]) === resolve(join(dirname(new URL(import.meta.url).pathname), 'arrows.mjs'))
) {
  const found = checkArrows();
  for (const line of found) console.error(line);
  if (found.length > 0) process.exit(1);
  console.log('arrows: all imports go the right way');
}
