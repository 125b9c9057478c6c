/**
 * The whole build, with plain Vite: main and headless (ESM, code shared), the runner and its guest thread (one CommonJS file each: 3.6 MB and
 * 20 ms less than ES modules, reference runner.md §1), the preload (one CommonJS file, as a sandboxed preload must be), the renderer.
 */
import { rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { paraglideVitePlugin } from '@inlang/paraglide-js';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import { build } from 'vite';
import { assertNode } from './assert-node.mjs';
import { root } from './paths.mjs';
import { sourceTime, stamp } from './stale.mjs';
import { buildStarters } from './starters.mjs';

const builtins = [...builtinModules, /^node:/, 'electron', 'bufferutil', 'utf-8-validate'];

/**
 * @param {Record<string, string>} input
 * @param {{ out: string, format: 'es' | 'cjs', extension: string }} options
 * @returns {import('vite').InlineConfig}
 */
export const nodeConfig = (input, { out, format, extension }) => ({
  configFile: false,
  root,
  logLevel: 'warn',
  publicDir: false,
  ssr: { noExternal: true, target: 'node' },
  build: {
    ssr: true,
    target: 'node24',
    outDir: join(root, 'dist', out),
    emptyOutDir: false,
    minify: false,
    sourcemap: false,
    rolldownOptions: {
      input,
      external: builtins,
      output: {
        format,
        entryFileNames: `[name].${extension}`,
        chunkFileNames: `chunks/[name]-[hash].${extension}`,
        ...(format === 'cjs' ? { codeSplitting: false } : {}),
      },
    },
  },
});

/** @returns {import('vite').InlineConfig} */
export const rendererConfig = () => ({
  configFile: false,
  root: join(root, 'renderer'),
  base: './',
  logLevel: 'warn',
  plugins: [
    paraglideVitePlugin({
      project: join(root, 'renderer/i18n/project.inlang'),
      outdir: join(root, 'renderer/i18n/generated'),
      // The window says itself which language it speaks (renderer/i18n/locale.svelte.ts).
      strategy: ['baseLocale'],
    }),
    tailwindcss(),
    svelte({ configFile: false }),
  ],
  build: {
    target: 'chrome156',
    outDir: join(root, 'dist/renderer'),
    emptyOutDir: true,
    // The content security policy lets fonts come from files only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});

const entry = (/** @type {string} */ name) => join(root, 'electron', name);

/** @type {import('vite').InlineConfig[]} */
export const nodeConfigs = [
  nodeConfig(
    { main: entry('main.ts'), headless: entry('headless.ts'), starters: entry('starters.ts') },
    { out: 'main', format: 'es', extension: 'js' },
  ),
  nodeConfig({ runner: entry('runner.ts') }, { out: 'main', format: 'cjs', extension: 'cjs' }),
  nodeConfig({ guest: entry('runner/guest.ts') }, { out: 'main', format: 'cjs', extension: 'cjs' }),
  nodeConfig({ thread: entry('runner/threads/thread.ts') }, { out: 'main', format: 'cjs', extension: 'cjs' }),
  nodeConfig({ wasmer: entry('runner/wasmer/library.ts') }, { out: 'main', format: 'cjs', extension: 'cjs' }),
  nodeConfig({ index: entry('preload.ts') }, { out: 'preload', format: 'cjs', extension: 'cjs' }),
];

/** Builds everything into dist/. */
export async function buildAll() {
  const time = sourceTime();
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  for (const config of [...nodeConfigs, rendererConfig()]) await build(config);
  await buildStarters(join(root, 'dist/starters'));
  stamp(time);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  assertNode();
  await buildAll();
}
