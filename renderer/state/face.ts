import type { ContainerRow } from '../../electron/contract/containers.ts';

/** What a row shows: a state is a shape first. 'failed' is not a state of the engine but what a person wants to know about an exit. */
export type Face = 'running' | 'paused' | 'restarting' | 'exited' | 'failed' | 'created';

/** Exit codes that somebody asked for: 137 by kill, 143 by stop, 130 by ^C. */
const asked = new Set([0, 130, 137, 143]);

export function faceOf(row: ContainerRow): Face {
  switch (row.state) {
    case 'running':
    case 'paused':
    case 'restarting':
      return row.state;
    case 'created':
      return row.error === '' ? 'created' : 'failed';
    case 'dead':
      return 'failed';
    case 'exited':
    case 'removing':
      return row.oomKilled || row.error !== '' || !asked.has(row.exitCode) ? 'failed' : 'exited';
  }
}

export const isAlive = (row: ContainerRow): boolean => row.state === 'running' || row.state === 'paused';

/** The instant that the "Since" column counts from, ms since the epoch. */
export function sinceOf(row: ContainerRow): number {
  if (isAlive(row) || row.state === 'restarting') return row.startedAt || row.createdAt;
  return row.finishedAt || row.createdAt;
}

export const projectOf = (row: ContainerRow): string | undefined => row.labels['com.docker.compose.project'];

export type ExitMeaning =
  'done' | 'failed' | 'engine' | 'notRunnable' | 'notFound' | 'interrupted' | 'trap' | 'killed' | 'stopped' | 'memory';

/** What an exit code means here (docs: DESIGN §3): one word for the table, spelled out by `words.ts`. */
export function exitMeaning(row: Pick<ContainerRow, 'exitCode' | 'oomKilled'>): ExitMeaning {
  if (row.oomKilled) return 'memory';
  switch (row.exitCode) {
    case 0:
      return 'done';
    case 125:
      return 'engine';
    case 126:
      return 'notRunnable';
    case 127:
      return 'notFound';
    case 130:
      return 'interrupted';
    case 134:
      return 'trap';
    case 137:
      return 'killed';
    case 143:
      return 'stopped';
    default:
      return 'failed';
  }
}

/** What a row's state lets a person do. */
export interface Can {
  readonly start: boolean;
  readonly stop: boolean;
  readonly restart: boolean;
  readonly pause: boolean;
  readonly unpause: boolean;
  readonly terminal: boolean;
}

export function canOf(row: ContainerRow): Can {
  const alive = isAlive(row);
  const busy = row.state === 'removing';
  return {
    start: !alive && !busy && row.state !== 'restarting',
    stop: alive || row.state === 'restarting',
    restart: !busy && row.state !== 'created',
    pause: row.state === 'running',
    unpause: row.state === 'paused',
    terminal: row.tty || row.openStdin,
  };
}
