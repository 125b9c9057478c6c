import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '../../electron/engine/engine.ts';
import { nodeHost } from '../../electron/supervisor/node-host.ts';
import { buildRunner } from '../support/runner.ts';
import type { SuiteResult } from './report.ts';
import { runCase, type Failure, type RunOptions } from './run-case.ts';
import type { TestCase } from './spec.ts';
import type { Suite } from './suites.ts';

export interface SuitesOptions extends RunOptions {
  /** Only tests whose name or suite has this in it. */
  readonly filter: string;
  readonly parallel: number;
  /** Called after each test. */
  readonly progress?: (test: TestCase, failure: Failure) => void;
}

/** Runs the tests on an engine of their own, whose runners are bundled from this very source. */
export async function runSuites(suites: readonly Suite[], options: SuitesOptions): Promise<readonly SuiteResult[]> {
  const home = mkdtempSync(join(tmpdir(), 'drydock-conformance-home-'));
  const runnerPath = await buildRunner(join(home, 'dist'));
  const engine = await openEngine({
    home: join(home, 'home'),
    processHost: nodeHost({ runnerPath }),
    version: 'conformance',
    log: (line) => console.error(line),
  });
  try {
    const results = suites.map((suite) => ({ suite, ...select(suite, options.filter) }));
    const queue = results.flatMap(({ cases, failures }) => cases.map((test) => ({ test, failures })));
    const work = queue.values();
    await Promise.all(
      Array.from({ length: options.parallel }, async () => {
        for (const { test, failures } of work) {
          const failure = await runCase(engine, test, options);
          failures.set(test.name, failure);
          options.progress?.(test, failure);
        }
      }),
    );
    return results;
  } finally {
    await engine.close();
    rmSync(home, { recursive: true, force: true });
  }
}

function select(suite: Suite, filter: string) {
  const chosen = suite.cases.filter(({ name }) => name.includes(filter) || suite.name.includes(filter));
  const skipped = new Map<string, string>();
  for (const { name, skipped: reason } of chosen) if (reason !== undefined) skipped.set(name, reason);
  const cases = chosen.filter((test) => test.skipped === undefined);
  // Every test has its place in the table from the start, so that the order is that of the names.
  return { cases, skipped, failures: new Map<string, Failure>(cases.map(({ name }) => [name, 'it was not run'])) };
}
