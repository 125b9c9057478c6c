/** The idle engine in web mode: memory of the whole process tree (PSS, Linux) and how often it wakes. */
import { readdirSync, readFileSync } from 'node:fs';
import { startEngine } from '../support/engine.ts';
import type { Row } from './table.ts';

const seconds = 20;

/** The process and all its descendants. */
function tree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // It ended meanwhile.
    }
  }
  const all = [root];
  for (const pid of all) all.push(...(children.get(pid) ?? []));
  return all;
}

const pss = (pid: number): number =>
  Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) / 1000;

/** Voluntary context switches of all threads: one for each time that something woke. */
function switches(pids: readonly number[]): number {
  let sum = 0;
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      sum += Number(
        /^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8'))?.[1] ?? 0,
      );
    }
  }
  return sum;
}

/** CPU of all processes in ms. */
function cpu(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) * 10;
  }, 0);
}

export default async function bench(): Promise<Row[]> {
  const engine = await startEngine();
  try {
    await new Promise((resolve) => setTimeout(resolve, 10_000)); // start-up garbage is collected, idle timers have run
    const pids = tree(engine.pid);
    const before = { switches: switches(pids), cpu: cpu(pids) };
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const woken = (switches(pids) - before.switches) / seconds;
    const used = (cpu(pids) - before.cpu) / seconds / 10;
    return [
      {
        what: `memory of ${pids.length} processes (PSS)`,
        p50: pids.reduce((sum, pid) => sum + pss(pid), 0),
        n: 1,
        unit: 'MB',
        goal: '≤90',
      },
      { what: 'wake-ups of all threads', p50: woken, n: seconds, unit: '/s', goal: '≤2' },
      { what: 'CPU, per cent of a core', p50: used, n: seconds, unit: 'x', goal: '≤0.1' },
    ];
  } finally {
    await engine.stop();
  }
}
