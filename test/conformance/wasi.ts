/** `npm run conformance:wasi -- DIR [--filter TEXT] [--parallel N] [--isolation process|shared|strict]`: see README.md. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { assertNode } from '../../build/assert-node.mjs';
import type { Isolation } from '../../electron/supervisor/api.ts';
import { report, totals } from './report.ts';
import { runSuites } from './run-suites.ts';
import { findSuites } from './suites.ts';

const isolations: readonly Isolation[] = ['process', 'shared', 'strict'];
const usage = 'usage: npm run conformance:wasi -- DIR [--filter TEXT] [--parallel N] [--isolation NAME]';

function fail(message: string): never {
  console.error(`${message}\n${usage}`);
  process.exit(2);
}

function attempt<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    return fail((error as Error).message);
  }
}

assertNode();
const { values, positionals } = attempt(() =>
  parseArgs({
    allowPositionals: true,
    options: {
      filter: { type: 'string', default: '' },
      parallel: { type: 'string', default: '2' },
      isolation: { type: 'string', default: 'process' },
    },
  }),
);
const [directory, ...more] = positionals;
if (directory === undefined || more.length > 0) fail('name one directory: a checkout of WebAssembly/wasi-testsuite');
const parallel = Number(values.parallel);
if (!Number.isInteger(parallel) || parallel < 1) fail(`--parallel ${values.parallel} is no number of tests`);
const isolation = values.isolation as Isolation;
if (!isolations.includes(isolation)) fail(`--isolation ${isolation}: known are ${isolations.join(', ')}`);

const suites = attempt(() => findSuites(resolve(directory)));
if (suites.length === 0) fail(`no manifest.json with .wasm files beside it is below ${directory}`);
const started = performance.now();
const results = await runSuites(suites, {
  filter: values.filter,
  parallel,
  isolation,
  limit: 20_000,
  progress: (_test, failure) => process.stderr.write(failure === undefined ? '.' : 'F'),
});
process.stderr.write(` ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
process.stdout.write(report(results));
const { passed, failed } = totals(results);
if (passed + failed === 0) fail(`no test has "${values.filter}" in its name`);
process.exit(failed === 0 ? 0 : 1);
