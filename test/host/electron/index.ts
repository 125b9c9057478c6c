/**
 * The `electron` module of the main process, as far as Drydock uses it. An export that is missing here makes the app fail to link with its name;
 * a missing member throws with its name (strict.ts).
 */
import { app as fakeApp } from './app.ts';
import { dialog as fakeDialog } from './dialog.ts';
import { ipcMain as fakeIpcMain } from './ipc-main.ts';
import { FakeMenu } from './menu.ts';
import { FakeNativeImage } from './native-image.ts';
import { FakeNotification } from './notification.ts';
import { FakeMessageChannelMain } from './ports.ts';
import { protocol as fakeProtocol } from './protocol.ts';
import { session as fakeSession } from './session.ts';
import { strict } from './strict.ts';
import {
  clipboard as fakeClipboard,
  nativeTheme as fakeNativeTheme,
  screen as fakeScreen,
  shell as fakeShell,
} from './system.ts';
import { FakeTray } from './tray.ts';
import { utilityProcess as fakeUtilityProcess } from './utility-process.ts';
import { FakeBrowserWindow } from './window.ts';

export const app = strict('app', fakeApp);
export const clipboard = strict('clipboard', fakeClipboard);
export const dialog = strict('dialog', fakeDialog);
export const ipcMain = strict('ipcMain', fakeIpcMain);
export const nativeTheme = new Proxy(strict('nativeTheme', fakeNativeTheme), {
  set: (_, key, value) => Reflect.set(fakeNativeTheme, key, value, fakeNativeTheme),
});
export const protocol = strict('protocol', fakeProtocol);
export const screen = strict('screen', fakeScreen);
export const session = strict('session', fakeSession);
export const shell = strict('shell', fakeShell);
export const utilityProcess = strict('utilityProcess', fakeUtilityProcess);
export const nativeImage = strict('nativeImage', { createFromPath: FakeNativeImage.createFromPath });
export {
  FakeBrowserWindow as BrowserWindow,
  FakeMenu as Menu,
  FakeMessageChannelMain as MessageChannelMain,
  FakeNotification as Notification,
  FakeTray as Tray,
};

export default strict('electron', {
  app,
  clipboard,
  dialog,
  ipcMain,
  nativeTheme,
  protocol,
  screen,
  session,
  shell,
  utilityProcess,
  nativeImage,
  BrowserWindow: FakeBrowserWindow,
  Menu: FakeMenu,
  MessageChannelMain: FakeMessageChannelMain,
  Notification: FakeNotification,
  Tray: FakeTray,
} satisfies Partial<Record<keyof typeof Electron.CrossProcessExports, unknown>>);
