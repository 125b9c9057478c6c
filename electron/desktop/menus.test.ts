import type { MenuItemConstructorOptions } from 'electron';
import { expect, test } from 'vitest';
import { applicationMenu } from './menus.ts';
import { wordsFor } from './words.ts';

const commands = { run: () => undefined, runFile: () => undefined, show: () => undefined };
const all = (items: readonly MenuItemConstructorOptions[]): MenuItemConstructorOptions[] =>
  items.flatMap((item) => [item, ...(Array.isArray(item.submenu) ? all(item.submenu) : [])]);
const menu = (mac: boolean, developer = false) =>
  all(applicationMenu(wordsFor('en', ''), commands, { mac, developer }));

test('every system can edit, close, quit and reach the settings, each once', () => {
  for (const mac of [true, false]) {
    const items = menu(mac);
    for (const role of ['editMenu', 'close', 'quit'])
      expect(items.filter((item) => item.role === role)).toHaveLength(1);
    expect(items.filter((item) => item.label === 'Settings…')).toHaveLength(1);
  }
});

test('no shortcut is taken twice', () => {
  const keys = menu(true, true).flatMap((item) => item.accelerator ?? []);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys).toContain('CmdOrCtrl+O');
});

test('developer tools are for developers', () => {
  expect(menu(false).some((item) => item.role === 'toggleDevTools' || item.role === 'reload')).toBe(false);
  expect(menu(false, true).some((item) => item.role === 'toggleDevTools')).toBe(true);
});
