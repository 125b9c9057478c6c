/**
 * One process a data root. The lock is a file that names its holder by pid and start time, so that a pid which was given to another
 * process after a crash or a reboot does not keep the root locked for ever.
 */
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { conflict, internal } from '../base/errors.ts';

export interface Lock {
  /** Idempotent. Leaves a lock that is not ours alone. */
  release(): void;
}

interface Holder {
  readonly pid: number;
  /** Clock ticks since boot (Linux), '' where the system does not tell. */
  readonly startTime: string;
}

/** Field 22 of /proc/PID/stat; '' when there is no such process or no /proc. The command (field 2) may hold spaces and brackets. */
export function processStartTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return holder.startTime === '' || processStartTime(holder.pid) === holder.startTime;
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder> | null;
    if (value && Number.isInteger(value.pid) && (value.pid ?? 0) > 0)
      return { pid: value.pid as number, startTime: String(value.startTime ?? '') };
  } catch {
    // A torn or foreign file holds nothing.
  }
  return undefined;
}

/**
 * Takes the lock, or throws conflict that names the live holder's pid. The file appears with its content at once (link of a finished file), so a
 * reader never sees half a holder. A stale lock is moved away by rename and looked at again, so that of two processes
 * which both found it stale one cannot throw away the other's fresh lock.
 */
export function acquireLock(path: string): Lock {
  const mine = JSON.stringify({ pid: process.pid, startTime: processStartTime(process.pid) });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, mine);
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        linkSync(draft, path);
        return lockOf(path, mine);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const found = read(path);
      if (found === undefined) continue;
      const holder = parseHolder(found);
      if (holder && isAlive(holder)) {
        throw conflict(`the data root is in use by process ${holder.pid} (${path})`, {
          hint: 'Quit that Drydock first, or give this one another data root (DRYDOCK_HOME).',
          data: { pid: holder.pid, path },
        });
      }
      const aside = `${draft}.stale`;
      renameSync(path, aside);
      if (read(aside) !== found) linkSync(aside, path);
      unlinkSync(aside);
    }
  } finally {
    unlinkSync(draft);
  }
  throw internal(`the lock ${path} changes hands too fast`, { data: { path } });
}

function lockOf(path: string, mine: string): Lock {
  let held = true;
  return {
    release() {
      if (!held) return;
      held = false;
      if (read(path) === mine) unlinkSync(path);
    },
  };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
