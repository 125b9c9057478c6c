/** What a test can do to the app from outside, as a person or the OS would. Calls come over the process's IPC channel. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { app } from './electron/app.ts';
import { answerDialog, shown } from './electron/dialog.ts';
import { FakeMenu } from './electron/menu.ts';
import { notifications } from './electron/notification.ts';
import { permissions } from './electron/session.ts';
import { clipboardText, openedExternally } from './electron/system.ts';
import { trays } from './electron/tray.ts';
import { windows } from './electron/window.ts';

const only = <T>(things: readonly T[], what: string): T => {
  const [first] = things;
  if (!first || things.length > 1) throw new Error(`${things.length} ${what}, not one`);
  return first;
};

/** The page of the one window once it has a target. */
async function targetId(): Promise<string> {
  for (;;) {
    const id = windows[0]?.webContents.targetId;
    if (id !== undefined) return id;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const tray = () => only(trays, 'tray icons');
const window = () => only(windows, 'windows');

export const commands = {
  targetId,
  window: () => {
    const { webContents, options } = window();
    return {
      url: webContents.getURL(),
      visible: window().isVisible(),
      focused: window().isFocused(),
      bounds: window().getBounds(),
      preferences: options.webPreferences as Record<string, unknown>,
    };
  },
  windowCount: () => windows.length,
  sandboxed: () => app.sandboxed,
  closeWindow: () => window().close(),
  blurWindow: () => window().blur(),
  reload: () => window().webContents.reload(),
  /** The app itself navigates: for pages that the app's guards would not let in. */
  load: async (url: string) => {
    await window().webContents.loadURL(url);
  },
  tray: () => ({
    image: basename(tray().image),
    toolTip: tray().toolTip,
    menusSet: tray().menusSet,
    menu: tray().menu?.describe() ?? [],
  }),
  trayCount: () => trays.length,
  clickTray: (labels: string[]) => tray().menu?.click(labels),
  applicationMenu: () => FakeMenu.application?.describe() ?? [],
  clickMenu: (labels: string[]) => FakeMenu.application?.click(labels),
  dialogs: () => shown,
  answerDialog: (kind: 'open' | 'message', value: unknown) => answerDialog(kind, value),
  notifications: () => notifications.map(({ title, body }) => ({ title, body })),
  clickNotification: (index: number) => void notifications[index]?.emit('click', {}),
  openedExternally: () => openedExternally,
  clipboard: () => clipboardText.value,
  permission: (name: string) => {
    let granted: boolean | undefined;
    permissions.request?.(null as never, name as never, (value) => (granted = value), {} as never);
    return { request: granted, check: permissions.check?.(null, name as never, '', {} as never) };
  },
  openFile: (path: string) => void app.emit('open-file', { preventDefault: () => undefined }, path),
  /** Before the drop itself, which goes through DevTools. */
  dropped: (paths: string[]) =>
    window().webContents.tellDropped(
      paths.map((path) => {
        const { size, mtimeMs } = statSync(path);
        return { path, name: basename(path), size, modified: mtimeMs };
      }),
    ),
  quit: () => app.quit(),
};

export type Commands = typeof commands;

/** Takes the IPC channel away from the app: Electron's main process has no process.send. */
export function listenToTest(): void {
  const send = process.send?.bind(process);
  if (!send) throw new Error('test host: started without a test');
  delete process.send;
  process.on('message', (message: { id: number; name: keyof Commands; args: never[] }) => {
    void (async () => {
      try {
        const value = await (commands[message.name] as (...args: never[]) => unknown)(...message.args);
        send({ id: message.id, value: value ?? null });
      } catch (error) {
        send({ id: message.id, error: error instanceof Error ? error.message : String(error) });
      }
    })();
  });
  // A test that ended without closing its app must not leave it behind.
  process.on('disconnect', () => app.exit(1));
}
