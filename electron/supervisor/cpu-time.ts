import { readFileSync } from 'node:fs';

/** Milliseconds of one tick of /proc: USER_HZ is 100 wherever Node runs. */
const TICK = 10;

/** True where the system tells what another process has used. */
export const tellsCpuTime = process.platform === 'linux';

/** CPU time of a process and all its threads so far, in milliseconds (by tens; what is cut off comes with the next). Undefined when it is gone. Linux only (proc_pid_stat(5)). */
export function cpuTimeOf(pid: number): number | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field is the program's name, in which anything may stand.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? ticks * TICK : undefined;
}
