import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { readCase, type TestCase } from './spec.ts';

export interface Suite {
  /** From the manifest. */
  readonly name: string;
  readonly directory: string;
  /** Why none of its tests can be run, when that is so. */
  readonly skipped: string | undefined;
  readonly cases: readonly TestCase[];
}

const PREVIEW1 = 'wasm32-wasip1';

/**
 * The test suites below a directory: wherever a `manifest.json` lies beside `.wasm` files (wasi-testsuite: doc/specification.md, test-runner). Sources
 * are laid out the same way without modules; those directories are passed over. In order of their paths, tests in order of their names.
 */
export function findSuites(root: string): readonly Suite[] {
  if (!existsSync(root)) throw new Error(`there is no directory ${root}`);
  return directoriesBelow(root)
    .filter((directory) => existsSync(join(directory, 'manifest.json')))
    .map((directory) => readSuite(root, directory))
    .filter((suite) => suite.cases.length > 0 || suite.skipped !== undefined);
}

function readSuite(root: string, directory: string): Suite {
  const { name, version } = readManifest(directory);
  const modules = readdirSync(directory)
    .filter((file) => file.endsWith('.wasm'))
    .sort();
  const suite = { name: name ?? relative(root, directory), directory };
  if (modules.length === 0) return { ...suite, skipped: undefined, cases: [] };
  if (version !== PREVIEW1)
    return { ...suite, skipped: `${modules.length} tests for ${version}, which core modules do not use`, cases: [] };
  return { ...suite, skipped: undefined, cases: modules.map((file) => readCase(join(directory, file))) };
}

/** The version stands in the manifest or is the directory's name (wasi-testsuite: `_read_manifest`). */
function readManifest(directory: string): { readonly name: string | undefined; readonly version: string } {
  const path = join(directory, 'manifest.json');
  let manifest: { readonly name?: unknown; readonly version?: unknown };
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8')) as typeof manifest;
  } catch (error) {
    throw new Error(`cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  const named = basename(directory);
  const version = manifest.version ?? (named.startsWith('wasm32-wasi') ? named : PREVIEW1);
  return { name: typeof manifest.name === 'string' ? manifest.name : undefined, version: String(version) };
}

function directoriesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name === 'manifest.json')
    .map((entry) => entry.parentPath)
    .filter((directory) => basename(dirname(directory)) !== 'node_modules')
    .sort();
}
