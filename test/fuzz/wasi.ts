/** `npm run fuzz -- [--minutes N] [--seed N]`: see README.md. */
import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { assertNode } from '../../build/assert-node.mjs';
import { fuzz } from '../../electron/runner/wasi/fuzz-guest.ts';
import { openTestRunner } from '../support/runner.ts';
import { plantMounts, runModule } from './modules.ts';

/** A child that is silent for so long (ms) hangs. */
const SILENCE = 120_000;
const CALLS_EACH = 2000;
const MODULE_CALLS = 300;

interface Progress {
  readonly seed: number;
  readonly calls: number;
  readonly succeeded: number;
}

assertNode();
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    child: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
const firstSeed = Number(values.seed);
if (!(minutes > 0) || !Number.isSafeInteger(firstSeed)) {
  console.error('usage: npm run fuzz -- [--minutes N] [--seed N]');
  process.exit(2);
}
const until = Date.now() + minutes * 60_000;

if (values.child) callForEver();
else await watch();

/** The child: one guest after another, each told before it begins, so that the one that took the process with it is known. */
function callForEver(): void {
  let seed = firstSeed;
  const turn = (): void => {
    if (Date.now() >= until) process.exit(0);
    process.send?.({ seed, calls: 0, succeeded: 0 } satisfies Progress, () => {
      const done = fuzz(seed, CALLS_EACH, (calls) => calls >= CALLS_EACH);
      process.send?.({ seed, ...done } satisfies Progress, turn);
      seed += 1;
    });
  };
  turn();
}

async function watch(): Promise<void> {
  console.log(`seed ${firstSeed}, ${minutes} min`);
  const [direct, modules] = await Promise.all([directly(), throughRunners()]);
  console.log(
    `${direct.calls} calls of host functions from ${direct.guests} guests, ${direct.succeeded} of them succeeded`,
  );
  console.log(`${modules.count} modules of ${MODULE_CALLS} calls in real runners: ${modules.ends}`);
  const faults = [...direct.faults, ...modules.faults];
  for (const fault of faults) console.error(`FAULT ${fault}`);
  console.log(`${faults.length} faults`);
  process.exit(faults.length === 0 ? 0 : 1);
}

/** Calls of host functions in a child process: an end of it is a fault, and so is its silence. */
async function directly() {
  const faults: string[] = [];
  let calls = 0;
  let succeeded = 0;
  let guests = 0;
  for (let seed = firstSeed; Date.now() < until;) {
    let current = seed;
    const left = (until - Date.now()) / 60_000;
    const child = fork(import.meta.filename, ['--child', '--minutes', String(left), '--seed', String(seed)], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)));
    let silent: NodeJS.Timeout | undefined;
    child.on('message', (progress: Progress) => {
      current = progress.seed;
      calls += progress.calls;
      succeeded += progress.succeeded;
      if (progress.calls > 0) guests += 1;
      clearTimeout(silent);
      silent = setTimeout(() => child.kill('SIGKILL'), SILENCE);
    });
    const how = await new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code)));
    clearTimeout(silent);
    if (how !== 0) faults.push(`seed ${current}: the process ended with ${String(how)}: ${said}`);
    seed = current + 1;
  }
  return { calls, succeeded, guests, faults };
}

async function throughRunners() {
  const runner = await openTestRunner();
  const mounts = plantMounts(runner);
  const faults: string[] = [];
  const ends: Record<string, number> = {};
  let count = 0;
  for (let seed = firstSeed; Date.now() < until; seed++, count++) {
    try {
      const end = await runModule(runner, seed, MODULE_CALLS, mounts);
      ends[end] = (ends[end] ?? 0) + 1;
    } catch (error) {
      faults.push((error as Error).message);
    }
  }
  await runner.close();
  return { count, ends: JSON.stringify(ends), faults };
}
