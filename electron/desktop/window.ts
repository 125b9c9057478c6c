import type { BrowserWindow, BrowserWindowConstructorOptions, NativeTheme, Rectangle, WebContents } from 'electron';
import { pageUrl } from './security.ts';
import { placeWindow, savedWindow, smallest } from './window-bounds.ts';
import { pageColor, titleBarButtons, windowFrame } from './window-look.ts';

export interface WindowParts {
  make(options: BrowserWindowConstructorOptions): BrowserWindow;
  /** Work areas, the primary display's first. */
  areas(): Rectangle[];
  readonly theme: Pick<NativeTheme, 'shouldUseDarkColors' | 'on'>;
  /** Where size and position are kept. */
  readonly store: { get(key: 'window'): unknown; set(key: 'window', value: unknown): void };
  readonly preload: string;
  readonly icon: string;
  readonly platform: NodeJS.Platform;
  /** Closing hides while this says so; else the window goes. */
  hides(): boolean;
  onContents(contents: WebContents): void;
  /** The person has the window before them. */
  onSeen(): void;
  log(line: string): void;
}

/** The one window: made when first shown, hidden when closed. */
export class MainWindow {
  readonly #parts: WindowParts;
  #window: BrowserWindow | undefined;
  #crashes = 0;

  constructor(parts: WindowParts) {
    this.#parts = parts;
    parts.theme.on('updated', () => this.#dress());
  }

  /** Loads the page without showing it, so that it is there at once when it is wanted. */
  open({ show }: { readonly show: boolean }): void {
    if (this.#window) {
      if (show) this.#raise(this.#window);
      return;
    }
    const { make, areas, theme, store, preload, icon, platform } = this.#parts;
    const saved = savedWindow(store.get('window'));
    const dark = theme.shouldUseDarkColors;
    const window = make({
      ...placeWindow(saved, areas()),
      ...windowFrame(platform, dark),
      minWidth: smallest.width,
      minHeight: smallest.height,
      title: 'Drydock',
      icon,
      backgroundColor: pageColor(dark),
      show: false,
      webPreferences: {
        preload,
        contextIsolation: true,
        sandbox: true,
        nodeIntegration: false,
        webSecurity: true,
        webviewTag: false,
        spellcheck: false,
      },
    });
    this.#window = window;
    if (show) window.once('ready-to-show', () => this.#raise(window, saved?.maximized));
    this.#listen(window);
    this.#parts.onContents(window.webContents);
    this.#load(window);
  }

  show = (): void => this.open({ show: true });

  /** Before the app ends: the person sees at once that it does. */
  hide(): void {
    if (!this.#window) return;
    this.#keep(this.#window);
    this.#window.hide();
  }

  get focused(): boolean {
    return this.#window?.isVisible() === true && this.#window.isFocused();
  }

  /** For dialogs that belong to it. */
  get visible(): BrowserWindow | undefined {
    return this.#window?.isVisible() ? this.#window : undefined;
  }

  #raise(window: BrowserWindow, maximized = false): void {
    if (window.isDestroyed()) return;
    if (maximized) window.maximize();
    if (window.isMinimized()) window.restore();
    window.show();
    window.focus();
    this.#parts.onSeen();
  }

  #listen(window: BrowserWindow): void {
    window.on('close', (event) => {
      this.#keep(window);
      if (!this.#parts.hides()) return;
      event.preventDefault();
      window.hide();
    });
    window.on('closed', () => (this.#window = undefined));
    window.on('focus', () => this.#parts.onSeen());
    window.webContents.on('render-process-gone', (_event, { reason, exitCode }) => {
      if (reason === 'clean-exit') return;
      this.#parts.log(`the page ended: ${reason} (${exitCode})`);
      // A page that crashes whenever it loads would do so for ever.
      if (++this.#crashes <= 3 && !window.isDestroyed()) this.#load(window);
    });
  }

  #load(window: BrowserWindow): void {
    window.loadURL(pageUrl).catch((error: unknown) => {
      if (!window.isDestroyed()) this.#parts.log(`the page did not load: ${String(error)}`);
    });
  }

  #keep(window: BrowserWindow): void {
    this.#parts.store.set('window', { ...window.getNormalBounds(), maximized: window.isMaximized() });
  }

  #dress(): void {
    const dark = this.#parts.theme.shouldUseDarkColors;
    this.#window?.setBackgroundColor(pageColor(dark));
    if (this.#parts.platform !== 'darwin') this.#window?.setTitleBarOverlay(titleBarButtons(dark));
  }
}
