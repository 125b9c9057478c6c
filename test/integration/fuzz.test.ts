import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../fixtures/compile.ts';
import { plantMounts, runModule, SECRET } from '../fuzz/modules.ts';
import { openTestRunner, type TestRunner } from '../support/runner.ts';

describe('modules that call host functions at random, in a real runner', () => {
  let runner: TestRunner;
  beforeAll(async () => {
    runner = await openTestRunner();
    runner.write('tool.wasm', readFileSync(fixture('tool')));
  });
  afterAll(() => runner.close());

  it('end as modules end, never with their runner, which then runs the next program', async () => {
    const mounts = plantMounts(runner);
    const seeds = Array.from({ length: 60 }, (_, index) => (index < 40 ? index + 1 : (Date.now() % 1_000_000) + index));
    const ends = new Map<string, number>();
    const first = runner.start('/tool.wasm', ['echo', 'first'], { mounts });
    await first.end();
    for (const seed of seeds) {
      const end = await runModule(runner, seed, 300, mounts);
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    const last = runner.start('/tool.wasm', ['echo', 'still', 'alive'], { mounts });
    expect((await last.end()).outcome).toEqual({ kind: 'exit', code: 0 });
    expect(last.text()).toBe('still|alive\n');
    expect(ends.get('exit')).toBeGreaterThan(10);
    expect(ends.get('refused')).toBeGreaterThan(0);
    expect(readFileSync(join(dirname(runner.lower), 'secret'), 'utf8')).toBe(SECRET);
  });
});
