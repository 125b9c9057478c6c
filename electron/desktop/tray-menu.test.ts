import type { MenuItemConstructorOptions } from 'electron';
import { expect, test } from 'vitest';
import type { Activity, ActivityRow } from './activity.ts';
import { rowsShown, trayMenu, type TrayCommands } from './tray-menu.ts';
import { wordsFor } from './words.ts';

const row = (name: string, more: Partial<ActivityRow> = {}): ActivityRow => ({
  id: `id-${name}`,
  name,
  state: 'running',
  project: '',
  ports: [],
  exitCode: 0,
  error: '',
  ...more,
});

function menuOf(activity: Partial<Activity>, language: 'en' | 'zh-CN' = 'en') {
  const calls: unknown[] = [];
  const commands = new Proxy({} as TrayCommands, {
    get:
      (_, name) =>
      (...args: unknown[]) =>
        void calls.push([name, ...args]),
  });
  const menu = trayMenu({ engine: 'on', rows: [], unseen: false, ...activity }, wordsFor(language, 'en'), commands);
  const click = (...labels: string[]): void => {
    let items = menu;
    let item: MenuItemConstructorOptions | undefined;
    for (const label of labels) {
      item = items.find((candidate) => candidate.label === label);
      if (!item) throw new Error(`no ${label} in ${items.map((i) => i.label).join(', ')}`);
      items = (item.submenu as MenuItemConstructorOptions[] | undefined) ?? [];
    }
    item?.click?.(undefined as never, undefined, undefined as never);
  };
  const labels = menu.map((item) => item.label ?? '—');
  const enabled = (label: string) => menu.find((item) => item.label === label)?.enabled !== false;
  return { menu, labels, click, calls, enabled };
}

test('without containers', () => {
  const { labels, enabled } = menuOf({});
  expect(labels).toEqual([
    'Engine running, no containers',
    '—',
    'Run a .wasm file…',
    'Open Drydock',
    'Pause everything',
    'Stop all',
    '—',
    'Settings…',
    'Quit Drydock',
  ]);
  expect([enabled('Stop all'), enabled('Pause everything'), enabled('Open Drydock')]).toEqual([false, false, true]);
});

test('projects first, with ports, states and failures in words', () => {
  const rows = [
    row('notebook', { state: 'paused' }),
    row('build', { state: 'failed', exitCode: 134, error: 'wasm trap: unreachable\n  at main' }),
    row('api', { project: 'shop', ports: [8080] }),
    row('a&b', { project: 'shop', state: 'restarting' }),
  ];
  expect(menuOf({ rows }).labels.slice(0, 8)).toEqual([
    'Engine running, 3 containers',
    '—',
    'shop',
    '● api  :8080',
    '↻ a&&b  restarting',
    'Not in a project',
    '‖ notebook  paused',
    '▲ build  exit code 134: wasm trap: unreachable',
  ]);
});

test('items act on their container', () => {
  const rows = [row('api', { ports: [8080] }), row('dead', { state: 'failed', exitCode: 1 })];
  const { click, calls } = menuOf({ rows });
  click('● api  :8080', 'Stop');
  click('● api  :8080', 'Restart');
  click('● api  :8080', 'Pause');
  click('● api  :8080', 'Show');
  click('● api  :8080', 'Copy address');
  click('▲ dead  exit code 1', 'Start again');
  click('Stop all');
  click('Quit and stop 1 container');
  expect(calls).toEqual([
    ['act', 'stop', ['id-api']],
    ['act', 'restart', ['id-api']],
    ['act', 'pause', ['id-api']],
    ['show', 'id-api'],
    ['copyAddress', 8080],
    ['act', 'start', ['id-dead']],
    ['act', 'stop', ['id-api']],
    ['quit'],
  ]);
  expect(() => click('▲ dead  exit code 1', 'Stop')).toThrow(/no Stop/);
});

test('everything paused can be resumed', () => {
  const { click, calls, labels } = menuOf({ rows: [row('a', { state: 'paused' })] });
  expect(labels).toContain('Resume everything');
  click('Resume everything');
  expect(calls).toEqual([['act', 'unpause', ['id-a']]]);
});

test('a long list leads to the window', () => {
  const rows = Array.from({ length: rowsShown + 3 }, (_, i) => row(`c${i}`));
  const { labels, click, calls } = menuOf({ rows });
  expect(labels.filter((label) => label.startsWith('●'))).toHaveLength(rowsShown);
  click('3 more in the window…');
  expect(calls).toEqual([['openWindow']]);
});

test('while the engine starts or stops nothing can be run or stopped', () => {
  expect(menuOf({ engine: 'starting' }).enabled('Run a .wasm file…')).toBe(false);
  const stopping = menuOf({ engine: 'stopping' });
  expect(stopping.labels[0]).toBe('Engine stopping…');
  expect(stopping.enabled('Quit Drydock')).toBe(false);
});

test('speaks Chinese', () => {
  expect(menuOf({ rows: [row('api')] }, 'zh-CN').labels[0]).toBe('引擎运行中，1 个容器');
});
