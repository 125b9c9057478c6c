import type { MenuItemConstructorOptions } from 'electron';
import type { Activity, ActivityRow } from './activity.ts';
import type { Words } from './words.ts';

/** What the items of the tray do. */
export interface TrayCommands {
  openWindow(): void;
  runFile(): void;
  settings(): void;
  show(id: string): void;
  openAddress(port: number): void;
  copyAddress(port: number): void;
  act(action: 'stop' | 'restart' | 'start' | 'pause' | 'unpause', ids: readonly string[]): void;
  quit(): void;
}

/** Containers in the menu; with more the last line leads to the window. */
export const rowsShown = 25;

const marks = { running: '●', paused: '‖', restarting: '↻', failed: '▲' } as const;
const separator: MenuItemConstructorOptions = { type: 'separator' };

/** The tray's menu for one state of things (design/tray.html); everything is in it, because on Linux a click on the icon may do nothing. */
export function trayMenu(
  { engine, rows }: Activity,
  words: Words,
  commands: TrayCommands,
): MenuItemConstructorOptions[] {
  const live = rows.filter((row) => row.state !== 'failed');
  const running = live.filter((row) => row.state === 'running').map((row) => row.id);
  const paused = live.filter((row) => row.state === 'paused').map((row) => row.id);
  const on = engine === 'on';
  const head =
    engine === 'starting'
      ? words.starting
      : engine === 'stopping'
        ? words.stopping
        : live.length === 0
          ? words.idle
          : words.running(live.length);
  const pauseAll =
    running.length === 0 && paused.length > 0
      ? { label: words.resumeAll, enabled: on, click: () => commands.act('unpause', paused) }
      : { label: words.pauseAll, enabled: on && running.length > 0, click: () => commands.act('pause', running) };
  return [
    { label: head, enabled: false },
    separator,
    ...groups(rows, words, commands),
    ...(rows.length > 0 ? [separator] : []),
    { label: words.runFile, enabled: on, click: () => commands.runFile() },
    { label: words.openWindow, click: () => commands.openWindow() },
    pauseAll,
    {
      label: words.stopAll,
      enabled: on && live.length > 0,
      click: () =>
        commands.act(
          'stop',
          live.map((row) => row.id),
        ),
    },
    separator,
    { label: words.settings, click: () => commands.settings() },
    {
      label: live.length === 0 ? words.quit : words.quitStopping(live.length),
      enabled: engine !== 'stopping',
      click: () => commands.quit(),
    },
  ];
}

function groups(rows: readonly ActivityRow[], words: Words, commands: TrayCommands): MenuItemConstructorOptions[] {
  const items: MenuItemConstructorOptions[] = [];
  const shown = rows.slice(0, rowsShown);
  const named = shown.some((row) => row.project !== '');
  // Those of a project first; rows come sorted by project, '' being the first.
  const ordered = [...shown.filter((row) => row.project !== ''), ...shown.filter((row) => row.project === '')];
  let project: string | undefined;
  for (const row of ordered) {
    if (named && row.project !== project)
      items.push({ label: literal(row.project || words.noProject), enabled: false });
    project = row.project;
    items.push({ label: labelOf(row, words), submenu: submenu(row, words, commands) });
  }
  if (rows.length > rowsShown)
    items.push({ label: words.more(rows.length - rowsShown), click: () => commands.openWindow() });
  return items;
}

function labelOf({ state, name, ports, exitCode, error }: ActivityRow, words: Words): string {
  const [port] = ports;
  const detail =
    state === 'failed'
      ? `  ${words.exitCode(exitCode)}${error === '' ? '' : `: ${shorten(error)}`}`
      : state === 'restarting'
        ? `  ${words.restarting}`
        : state === 'paused'
          ? `  ${words.paused}`
          : port === undefined
            ? ''
            : `  :${port}`;
  return `${marks[state]} ${literal(name + detail)}`;
}

/** '&' marks an access key in menus of Windows and Linux. */
const literal = (text: string): string => text.replaceAll('&', '&&');
const shorten = (text: string): string => {
  const line = text.split('\n')[0] ?? '';
  return line.length > 40 ? `${line.slice(0, 39)}…` : line;
};

function submenu(row: ActivityRow, words: Words, commands: TrayCommands): MenuItemConstructorOptions[] {
  const [port] = row.ports;
  const act = (action: Parameters<TrayCommands['act']>[0]) => () => commands.act(action, [row.id]);
  return [
    { label: words.openPage, click: () => commands.show(row.id) },
    ...(port === undefined || row.state === 'failed'
      ? []
      : [
          { label: words.openBrowser, click: () => commands.openAddress(port) },
          { label: words.copyAddress, click: () => commands.copyAddress(port) },
        ]),
    separator,
    ...(row.state === 'failed'
      ? [{ label: words.start, click: act('start') }]
      : [
          ...(row.state === 'running' ? [{ label: words.pause, click: act('pause') }] : []),
          ...(row.state === 'paused' ? [{ label: words.resume, click: act('unpause') }] : []),
          { label: words.restart, click: act('restart') },
          { label: words.stop, click: act('stop') },
        ]),
  ];
}
