/**
 * Puts the recipes of assets/starters into dist/starters, and compiles those of our own sources by LLVM as WebAssembly (the npm package @yowasp/clang): the
 * same bytes on every machine, with no compiler installed. A result is kept in node_modules/.cache until its sources change.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

const from = join(root, 'assets/starters');
const cache = join(root, 'node_modules/.cache/drydock-starters');
const flags = ['-O2', '-flto', '-Wall', '-Wextra', '-Werror', '-Wno-sign-compare', '-Wl,--strip-all'];

/** @param {string} to e.g. dist/starters */
export async function buildStarters(to) {
  const { version: compiler } = JSON.parse(readFileSync(join(root, 'node_modules/@yowasp/clang/package.json'), 'utf8'));
  for (const name of readdirSync(from, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)) {
    const { compile = {} } = JSON.parse(readFileSync(join(from, name, 'starter.json'), 'utf8'));
    mkdirSync(join(to, name), { recursive: true });
    cpSync(join(from, name), join(to, name), { recursive: true });
    for (const [output, sources] of Object.entries(compile)) {
      const files = Object.fromEntries(
        /** @type {string[]} */ (sources).map((source) => [source, readFileSync(join(from, name, source), 'utf8')]),
      );
      const key = createHash('sha256')
        .update(JSON.stringify([compiler, flags, files]))
        .digest('hex');
      const kept = join(cache, `${key}.wasm`);
      if (!existsSync(kept)) {
        mkdirSync(cache, { recursive: true });
        writeFileSync(kept, await compileC(files, output));
      }
      cpSync(kept, join(to, name, output));
    }
  }
}

/**
 * @param {Record<string, string>} files C sources by name @param {string} output
 * @returns {Promise<Uint8Array>} the module
 */
async function compileC(files, output) {
  const { runClang } = /** @type {{ runClang: import('@yowasp/clang').Command }} */ (
    /** @type {unknown} */ (await import('@yowasp/clang'))
  );
  /** @type {string[]} */
  const said = [];
  const decoder = new TextDecoder();
  try {
    const made = await runClang(['clang', ...flags, ...Object.keys(files), '-o', output], files, {
      stderr: (bytes) => void (bytes && said.push(decoder.decode(bytes))),
      fetchProgress: () => undefined,
    });
    const module = made?.[output];
    if (!(module instanceof Uint8Array)) throw new Error('the compiler left nothing');
    return module;
  } catch (error) {
    // Not as the cause: it carries all files.
    throw new Error(`${output} cannot be compiled:\n${said.join('')}${/** @type {Error} */ (error).message}`);
  }
}
