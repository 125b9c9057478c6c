import type { Failure } from './run-case.ts';
import type { Suite } from './suites.ts';

export interface SuiteResult {
  readonly suite: Suite;
  /** By test, in order; skipped ones are not in it. */
  readonly failures: ReadonlyMap<string, Failure>;
  /** Tests that were not run, with the reason. */
  readonly skipped: ReadonlyMap<string, string>;
}

const failedOf = ({ failures }: SuiteResult): readonly (readonly [string, string])[] =>
  [...failures].filter((entry): entry is [string, string] => entry[1] !== undefined);

export const totals = (results: readonly SuiteResult[]): { readonly passed: number; readonly failed: number } => {
  const failed = results.reduce((sum, result) => sum + failedOf(result).length, 0);
  return { failed, passed: results.reduce((sum, { failures }) => sum + failures.size, 0) - failed };
};

/** The table, what failed and why, what was not run and why, and the sum as the last line. */
export function report(results: readonly SuiteResult[]): string {
  const rows = results.map((result) => {
    const failed = failedOf(result).length;
    return [result.suite.name, String(result.failures.size - failed), String(failed)];
  });
  const head = ['suite', 'passed', 'failed'];
  const width = (column: number): number => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0));
  const line = ([name = '', ...numbers]: readonly string[]): string =>
    [name.padEnd(width(0)), ...numbers.map((text, index) => text.padStart(width(index + 1)))].join('  ');
  const lines = [line(head), ...rows.map(line)];
  for (const result of results)
    for (const [test, reason] of failedOf(result)) lines.push(`FAILED  ${result.suite.name}: ${test}: ${reason}`);
  for (const { suite, skipped } of results) {
    if (suite.skipped !== undefined) lines.push(`skipped ${suite.name}: ${suite.skipped}`);
    for (const [test, reason] of skipped) lines.push(`skipped ${suite.name}: ${test}: ${reason}`);
  }
  const { passed, failed } = totals(results);
  return `${[...lines, `${passed} passed, ${failed} failed`].join('\n')}\n`;
}
