import { EventEmitter } from 'node:events';
import type Electron from 'electron';
import { app } from './app.ts';
import { host, requireReady } from './host.ts';
import { strict } from './strict.ts';
import { session } from './session.ts';
import { FakeWebContents } from './web-contents.ts';

export const windows: FakeBrowserWindow[] = [];

/** A window is a page of headless Chromium; showing, hiding, focus and bounds are remembered, not seen. */
export class FakeBrowserWindow
  extends EventEmitter
  implements
    Pick<
      Electron.BrowserWindow,
      | 'id'
      | 'show'
      | 'hide'
      | 'focus'
      | 'close'
      | 'destroy'
      | 'restore'
      | 'isVisible'
      | 'isFocused'
      | 'isMinimized'
      | 'isMaximized'
      | 'isFullScreen'
      | 'isDestroyed'
      | 'maximize'
      | 'minimize'
      | 'getBounds'
      | 'getNormalBounds'
      | 'setBounds'
      | 'setTitleBarOverlay'
      | 'setBackgroundColor'
    >
{
  static #last = 0;
  readonly id = ++FakeBrowserWindow.#last;
  readonly webContents: FakeWebContents;
  readonly options: Electron.BrowserWindowConstructorOptions;
  #visible: boolean;
  #focused = false;
  #state: 'normal' | 'minimized' | 'maximized' = 'normal';
  #destroyed = false;
  #bounds: Electron.Rectangle;

  constructor(options: Electron.BrowserWindowConstructorOptions = {}) {
    super();
    requireReady('BrowserWindow');
    this.options = options;
    this.#visible = options.show ?? true;
    this.#bounds = {
      x: options.x ?? 100,
      y: options.y ?? 100,
      width: options.width ?? 800,
      height: options.height ?? 600,
    };
    const { width, height } = this.#bounds;
    const contents = new FakeWebContents(session.defaultSession, options.webPreferences?.preload, { width, height });
    this.webContents = strict('webContents', contents);
    contents.once('did-finish-load', () => this.emit('ready-to-show'));
    windows.push(this);
    const proxy = strict('BrowserWindow', this);
    app.emit('web-contents-created', {}, this.webContents);
    app.emit('browser-window-created', {}, proxy);
    return proxy;
  }

  static getAllWindows = (): FakeBrowserWindow[] => [...windows];
  static getFocusedWindow = (): FakeBrowserWindow | null => windows.find((w) => w.#focused) ?? null;
  static fromWebContents = (contents: FakeWebContents): FakeBrowserWindow | null =>
    windows.find((w) => w.webContents.id === contents.id) ?? null;

  loadURL = (url: string): Promise<void> => this.webContents.loadURL(url);

  show(): void {
    if (!this.#visible) {
      this.#visible = true;
      this.emit('show');
    }
    this.focus();
  }
  showInactive(): void {
    this.#visible = true;
    this.emit('show');
  }
  hide(): void {
    if (!this.#visible) return;
    this.blur();
    this.#visible = false;
    this.emit('hide');
  }
  focus(): void {
    if (this.#focused) return;
    this.#focused = true;
    this.emit('focus');
  }
  blur(): void {
    if (!this.#focused) return;
    this.#focused = false;
    this.emit('blur');
  }
  minimize(): void {
    this.#state = 'minimized';
    this.emit('minimize');
  }
  maximize(): void {
    this.#state = 'maximized';
    this.emit('maximize');
  }
  restore(): void {
    this.#state = 'normal';
    this.emit('restore');
  }
  isVisible = (): boolean => this.#visible;
  isFocused = (): boolean => this.#focused;
  isMinimized = (): boolean => this.#state === 'minimized';
  isMaximized = (): boolean => this.#state === 'maximized';
  isFullScreen = (): boolean => false;
  isDestroyed = (): boolean => this.#destroyed;
  getBounds = (): Electron.Rectangle => ({ ...this.#bounds });
  getNormalBounds = (): Electron.Rectangle => ({ ...this.#bounds });
  setBounds(bounds: Partial<Electron.Rectangle>): void {
    this.#bounds = { ...this.#bounds, ...bounds };
    this.emit('resize');
    this.emit('move');
  }
  setTitleBarOverlay(_options: Electron.TitleBarOverlay): void {
    if (this.options.titleBarOverlay === undefined) throw new Error('Titlebar overlay is not enabled');
  }
  setBackgroundColor(_color: string): void {}

  close(): void {
    if (this.#destroyed) return;
    let prevented = false;
    this.emit('close', { preventDefault: () => void (prevented = true), defaultPrevented: false });
    if (!prevented) this.destroy();
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.webContents.destroy();
    windows.splice(windows.indexOf(this), 1);
    this.emit('closed');
    if (windows.length === 0 && !host.quitting) app.windowsGone();
  }
}
