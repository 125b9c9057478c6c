import type { MenuItemConstructorOptions } from 'electron';
import type { Words } from './words.ts';

export interface MenuCommands {
  run(): void;
  runFile(): void;
  show(page: 'containers' | 'images' | 'settings'): void;
}

/**
 * The application menu. On macOS it is seen; elsewhere the window has no menu bar, but the shortcuts are the menu's. The page hears a key first:
 * what it handles itself (design/README.md §4) never gets here.
 */
export function applicationMenu(
  words: Words,
  commands: MenuCommands,
  { mac, developer }: { readonly mac: boolean; readonly developer: boolean },
): MenuItemConstructorOptions[] {
  const settings: MenuItemConstructorOptions = {
    label: words.settings,
    accelerator: 'CmdOrCtrl+,',
    click: () => commands.show('settings'),
  };
  const separator: MenuItemConstructorOptions = { type: 'separator' };
  return [
    ...(mac
      ? [
          {
            role: 'appMenu' as const,
            submenu: [
              { role: 'about' as const },
              separator,
              settings,
              separator,
              { role: 'services' as const },
              separator,
              { role: 'hide' as const },
              { role: 'hideOthers' as const },
              { role: 'unhide' as const },
              separator,
              { role: 'quit' as const },
            ],
          },
        ]
      : []),
    {
      label: words.file,
      submenu: [
        { label: words.runImage, accelerator: 'CmdOrCtrl+N', click: () => commands.run() },
        { label: words.runFile, accelerator: 'CmdOrCtrl+O', click: () => commands.runFile() },
        separator,
        ...(mac ? [] : [settings, separator]),
        { role: 'close' },
        ...(mac ? [] : [{ role: 'quit' as const }]),
      ],
    },
    { role: 'editMenu' },
    {
      label: words.view,
      submenu: [
        { label: words.containers, click: () => commands.show('containers') },
        { label: words.images, click: () => commands.show('images') },
        separator,
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        separator,
        { role: 'togglefullscreen' },
        ...(developer ? [{ role: 'reload' as const }, { role: 'toggleDevTools' as const }] : []),
      ],
    },
    { role: 'windowMenu' },
  ];
}
