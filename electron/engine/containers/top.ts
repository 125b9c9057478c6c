/** `docker top`: one row an instance, with the pid of the process that hosts it. */
import { conflict } from '../../base/errors.ts';
import type { Context } from './context.ts';

const titles = ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'] as const;

/** @throws notFound, conflict when it does not run */
export async function top(
  context: Pick<Context, 'store'>,
  ref: string,
): Promise<{ readonly titles: readonly string[]; readonly processes: readonly (readonly string[])[] }> {
  const container = context.store.find(ref);
  const { active, record } = container;
  if (!active) throw conflict(`Container ${container.id} is not running`);
  const { cpuUser, cpuSystem } = await active.run.usage();
  const seconds = Math.floor((cpuUser + cpuSystem) / 1e6);
  const part = (value: number): string => String(value).padStart(2, '0');
  const time = `${part(Math.floor(seconds / 3600))}:${part(Math.floor(seconds / 60) % 60)}:${part(seconds % 60)}`;
  return {
    titles,
    processes: [
      [
        String(process.getuid?.() ?? 0),
        String(active.run.pid),
        String(process.pid),
        '0',
        record.startedAt.slice(11, 16),
        record.config.tty ? 'pts/0' : '?',
        time,
        [record.path, ...record.args].join(' '),
      ],
    ],
  };
}
