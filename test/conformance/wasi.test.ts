import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../fixtures/compile.ts';
import { report, totals, type SuiteResult } from './report.ts';
import { runSuites } from './run-suites.ts';
import { findSuites } from './suites.ts';

const repository = join(import.meta.dirname, '../..');
const preview1 = 'testsuite/wasm32-wasip1';

/** Our own small suite: every module is the same program, the JSON beside it decides what it does. */
function plantSuite(): string {
  const root = mkdtempSync(join(tmpdir(), 'drydock-suite-'));
  cpSync(join(import.meta.dirname, 'fixture'), root, { recursive: true });
  const directory = join(root, preview1);
  for (const file of readdirSync(directory))
    if (file.endsWith('.json') && file !== 'manifest.json')
      cpSync(fixture('tool'), join(directory, file.replace(/\.json$/, '.wasm')));
  // Without a JSON: the defaults, which this program meets.
  cpSync(fixture('tool'), join(directory, 'defaults.wasm'));
  cpSync(fixture('tool'), join(root, 'testsuite/wasm32-wasip3/later.wasm'));
  return root;
}

describe('conformance:wasi', () => {
  let root: string;
  let results: readonly SuiteResult[];

  beforeAll(async () => {
    root = plantSuite();
    results = await runSuites(findSuites(root), { filter: '', parallel: 2, isolation: 'process', limit: 3000 });
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('passes what meets its specification and names what does not, with the reason', () => {
    const [ours] = results;
    expect(Object.fromEntries(ours?.failures ?? [])).toEqual({
      defaults: undefined,
      directory: undefined,
      environment: undefined,
      'exit-code': undefined,
      'fails-exit-code': 'it ended with 3 instead of 4: exiting 3',
      'fails-late': 'it did not end within 3 s: spinning',
      'fails-output': 'stdout begins with "one" instead of "two"',
      'left-behind': undefined,
      passes: undefined,
      root: undefined,
      stdin: undefined,
    });
    expect(totals(results)).toEqual({ passed: 8, failed: 3 });
  });

  it('says what it has not run', () => {
    const [ours, later] = results;
    expect(Object.fromEntries(ours?.skipped ?? [])).toEqual({ 'needs-server': 'it needs "connect"' });
    expect(later?.suite).toMatchObject({
      name: 'ours [wasm32-wasip3]',
      skipped: expect.stringMatching(/^1 tests for/),
    });
    expect(results).toHaveLength(2);
  });

  it('prints a table, the failed ones, the skipped ones and the sum', () => {
    const lines = report(results).split('\n');
    expect(lines[0]).toBe('suite                 passed  failed');
    expect(lines[1]).toBe('ours [wasm32-wasip1]       8       3');
    expect(lines).toContain('FAILED  ours [wasm32-wasip1]: fails-output: stdout begins with "one" instead of "two"');
    expect(lines).toContain('skipped ours [wasm32-wasip1]: needs-server: it needs "connect"');
    expect(lines.slice(-2)).toEqual(['8 passed, 3 failed', '']);
  });

  it('leaves the suite as it was', () => {
    expect(readdirSync(join(root, preview1, 'files.dir')).sort()).toEqual(['earlier.cleanup', 'hello.txt']);
  });

  const command = (...args: string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, 'wasi.ts'), ...args], { encoding: 'utf8', cwd: repository });

  it('as a command: exits with 0 when all passed, 1 when one failed, 2 when there is nothing to do', () => {
    const good = command(root, '--filter', 'passes');
    expect(good.stdout).toMatch(/\n1 passed, 0 failed\n$/);
    expect(good.status).toBe(0);
    const bad = command(root, '--filter', 'fails-output', '--isolation', 'shared', '--parallel', '1');
    expect(bad.stdout).toMatch(/\n0 passed, 1 failed\n$/);
    expect(bad.status).toBe(1);
    for (const args of [[], [root, '--filter', 'no such test'], [join(root, 'nowhere')], [root, '--parallel', 'x']]) {
      const none = command(...args);
      expect(none.status, args.join(' ')).toBe(2);
      expect(none.stderr).toMatch(/usage: npm run conformance:wasi/);
    }
  });

  it('names a specification that cannot be read', () => {
    const broken = mkdtempSync(join(tmpdir(), 'drydock-suite-'));
    writeFileSync(join(broken, 'manifest.json'), '{}');
    writeFileSync(join(broken, 'a.wasm'), '');
    writeFileSync(join(broken, 'a.json'), '{');
    expect(() => findSuites(broken)).toThrow(/cannot read .*a\.json/);
    rmSync(broken, { recursive: true });
  });
});
