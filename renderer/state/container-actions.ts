/** Everything that can be done to containers, once: buttons, menus, keys and the palette all draw from this table. */
import type { ContainerRow } from '../../electron/contract/containers.ts';
import { m } from '../i18n/generated/messages.js';
import { connection, containers, operations, overlays, removals, route } from './app.svelte.ts';
import { copy } from './copy.ts';
import { canOf, isAlive } from './face.ts';
import { portsShown } from './ports.ts';

type Verb = 'start' | 'stop' | 'restart' | 'kill' | 'pause' | 'unpause';

const doing: Readonly<Record<Verb, (inputs: { name: string }) => string>> = {
  start: m.doing_start,
  stop: m.doing_stop,
  restart: m.doing_restart,
  kill: m.doing_kill,
  pause: m.doing_pause,
  unpause: m.doing_unpause,
};

/** Does one verb to each of these. Failures stay with their rows. */
export function act(verb: Verb, rows: readonly ContainerRow[]): void {
  for (const { id, name } of rows) {
    if (operations.busy(id)) continue;
    containers.dismiss(id);
    void operations.run(id, verb, doing[verb]({ name }), () => connection.api.containers[verb]({ id }));
  }
}

/** Deletes after the time of undo; what runs is killed with it. */
export function remove(rows: readonly ContainerRow[]): void {
  const [first] = rows;
  if (!first) return;
  const title = rows.length === 1 ? m.deleted_one({ name: first.name }) : m.deleted_many({ count: rows.length });
  removals.schedule(
    rows.map((row) => row.id),
    title,
    () => {
      for (const { id, name } of rows)
        void operations.run(id, 'remove', m.doing_remove({ name }), () =>
          connection.api.containers.remove({ id, force: true, volumes: false }),
        );
    },
  );
}

export function openContainer(
  row: ContainerRow,
  tab: 'overview' | 'logs' | 'terminal' | 'stats' | 'inspect' = 'overview',
): void {
  route.go({ page: 'containers', id: row.id, tab });
}

export type IconName =
  | 'play'
  | 'stop'
  | 'restart'
  | 'pause'
  | 'kill'
  | 'logs'
  | 'terminal'
  | 'stats'
  | 'inspect'
  | 'open'
  | 'copy'
  | 'rename'
  | 'trash';

export interface ContainerAction {
  readonly id: string;
  readonly icon: IconName;
  readonly label: () => string;
  /** '' = none. */
  readonly chord: string;
  readonly danger?: boolean;
  /** A line above it in menus. */
  readonly apart?: boolean;
  /** Makes sense for several at once. */
  readonly bulk: boolean;
  can(row: ContainerRow): boolean;
  run(rows: readonly ContainerRow[]): void;
}

const single = (run: (row: ContainerRow) => void) => (rows: readonly ContainerRow[]) => {
  if (rows[0]) run(rows[0]);
};

export const containerActions: readonly ContainerAction[] = [
  {
    id: 'start',
    icon: 'play',
    label: m.action_start,
    chord: 's',
    bulk: true,
    can: (row) => canOf(row).start,
    run: (rows) => act('start', rows),
  },
  {
    id: 'stop',
    icon: 'stop',
    label: m.action_stop,
    chord: 's',
    bulk: true,
    can: (row) => canOf(row).stop,
    run: (rows) => act('stop', rows),
  },
  {
    id: 'restart',
    icon: 'restart',
    label: m.action_restart,
    chord: 'r',
    bulk: true,
    can: (row) => canOf(row).restart,
    run: (rows) => act('restart', rows),
  },
  {
    id: 'pause',
    icon: 'pause',
    label: m.action_pause,
    chord: 'p',
    bulk: true,
    can: (row) => canOf(row).pause,
    run: (rows) => act('pause', rows),
  },
  {
    id: 'unpause',
    icon: 'play',
    label: m.action_unpause,
    chord: 'p',
    bulk: true,
    can: (row) => canOf(row).unpause,
    run: (rows) => act('unpause', rows),
  },
  {
    id: 'kill',
    icon: 'kill',
    label: m.action_kill,
    chord: '',
    bulk: true,
    can: isAlive,
    run: (rows) => act('kill', rows),
  },
  {
    id: 'open',
    icon: 'open',
    label: m.action_open,
    chord: 'Enter',
    apart: true,
    bulk: false,
    can: () => true,
    run: single((row) => openContainer(row)),
  },
  {
    id: 'logs',
    icon: 'logs',
    label: m.action_logs,
    chord: 'l',
    bulk: false,
    can: () => true,
    run: single((row) => openContainer(row, 'logs')),
  },
  {
    id: 'terminal',
    icon: 'terminal',
    label: m.action_terminal,
    chord: 't',
    bulk: false,
    can: (row) => canOf(row).terminal,
    run: single((row) => openContainer(row, 'terminal')),
  },
  {
    id: 'stats',
    icon: 'stats',
    label: m.action_stats,
    chord: '',
    bulk: false,
    can: () => true,
    run: single((row) => openContainer(row, 'stats')),
  },
  {
    id: 'address',
    icon: 'open',
    label: m.action_address,
    chord: 'o',
    bulk: false,
    can: (row) => addressOf(row) !== undefined,
    run: single((row) => openAddress(row)),
  },
  {
    id: 'rename',
    icon: 'rename',
    label: m.action_rename,
    chord: '',
    apart: true,
    bulk: false,
    can: () => true,
    run: single((row) => overlays.show({ kind: 'rename', id: row.id, name: row.name })),
  },
  {
    id: 'copyId',
    icon: 'copy',
    label: m.action_copy_id,
    chord: 'c',
    bulk: false,
    can: () => true,
    run: single((row) => void copy(row.id)),
  },
  {
    id: 'copyCommand',
    icon: 'copy',
    label: m.action_copy_command,
    chord: 'alt+c',
    bulk: false,
    can: () => true,
    run: single((row) => void copy(`docker logs -f ${row.name}`)),
  },
  {
    id: 'delete',
    icon: 'trash',
    label: m.action_delete,
    chord: 'Backspace',
    danger: true,
    apart: true,
    bulk: true,
    can: (row) => row.state !== 'removing',
    run: remove,
  },
];

/** "http://127.0.0.1:8080" of the first published port that a browser can open. */
export const addressOf = (row: ContainerRow): string | undefined => portsShown(row).find(({ url }) => url)?.url;

function openAddress(row: ContainerRow): void {
  const address = addressOf(row);
  if (address) window.open(address, '_blank', 'noopener');
}

/** The action that a chord means for these rows: the first that at least one of them can do. */
export function actionFor(chord: string, rows: readonly ContainerRow[]): ContainerAction | undefined {
  return containerActions.find(
    (action) => action.chord === chord && (rows.length < 2 || action.bulk) && rows.some((row) => action.can(row)),
  );
}

/** Does an action to those of the rows that can do it. */
export function perform(action: ContainerAction, rows: readonly ContainerRow[]): void {
  const able = rows.filter((row) => action.can(row));
  if (able.length > 0) action.run(able);
}
