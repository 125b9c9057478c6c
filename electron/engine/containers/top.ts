/** `docker top`: one row an instance, with the pid of the process that hosts it: the container's own program first, then its execs. */
import { conflict } from '../../base/errors.ts';
import type { Run } from '../../supervisor/api.ts';
import type { Context } from './context.ts';
import { commandOf } from './exec/exec.ts';

const titles = ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'] as const;

interface Instance {
  readonly run: Run;
  readonly startedAt: string;
  readonly tty: boolean;
  readonly command: string;
}

/** @throws notFound, conflict when it does not run */
export async function top(
  context: Pick<Context, 'store'>,
  ref: string,
): Promise<{ readonly titles: readonly string[]; readonly processes: readonly (readonly string[])[] }> {
  const container = context.store.find(ref);
  const { active, record } = container;
  if (!active) throw conflict(`Container ${container.id} is not running`);
  const main: Instance = {
    run: active.run,
    startedAt: record.startedAt,
    tty: record.config.tty,
    command: [record.path, ...record.args].join(' '),
  };
  const execs = container.execs.live().flatMap(({ state, run, startedAt, spec }): Instance[] => {
    if (state !== 'running' || !run) return [];
    return [{ run, startedAt, tty: spec.tty === true, command: commandOf(spec) }];
  });
  return { titles, processes: await Promise.all([main, ...execs].map(row)) };
}

async function row({ run, startedAt, tty, command }: Instance, index: number): Promise<readonly string[]> {
  const { cpuUser, cpuSystem } = await run.usage();
  const seconds = Math.floor((cpuUser + cpuSystem) / 1e6);
  const part = (value: number): string => String(value).padStart(2, '0');
  return [
    String(process.getuid?.() ?? 0),
    String(run.pid),
    String(process.pid),
    '0',
    startedAt.slice(11, 16),
    tty ? `pts/${index}` : '?',
    `${part(Math.floor(seconds / 3600))}:${part(Math.floor(seconds / 60) % 60)}:${part(seconds % 60)}`,
    command,
  ];
}
