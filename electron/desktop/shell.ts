import { app, BrowserWindow, clipboard, dialog, Menu, nativeTheme, Notification, screen, Tray } from 'electron';
import type { EngineApi } from '../engine/api/index.ts';
import type { SettingsStore } from '../platform/settings.ts';
import { actOn, type Action } from './actions.ts';
import { ActivityWatch, pictureOf, type Activity } from './activity.ts';
import { chooseFiles } from './choose-files.ts';
import { applicationMenu } from './menus.ts';
import { FailureNotifications } from './notifications.ts';
import type { OpenFiles } from './open-files.ts';
import { PageLink } from './page-link.ts';
import { windowStore } from './settings.ts';
import { trayImage } from './tray-image.ts';
import { trayMenu, type TrayCommands } from './tray-menu.ts';
import { TrayIcon } from './tray.ts';
import { MainWindow } from './window.ts';
import { wordsFor, type Words } from './words.ts';

export interface ShellOptions {
  readonly settings: SettingsStore;
  readonly files: OpenFiles;
  readonly preload: string;
  /** Folder with tray/ and icon.png. */
  readonly pictures: string;
  /** False where an icon in the tray would not be seen. */
  readonly tray: boolean;
  /** Start without showing the window. */
  readonly hidden: boolean;
  /** True once the app is ending. */
  quitting(): boolean;
  /** Opens a published port of this computer in the browser. */
  openPort(port: number): void;
  log(line: string): void;
}

/** All that a person sees of the desktop app outside the page: window, tray, menus, dialogs, notifications. Made after ready. */
export class Shell {
  readonly link = new PageLink();
  readonly #options: ShellOptions;
  readonly #window: MainWindow;
  readonly #tray: TrayIcon | undefined;
  readonly #activity: ActivityWatch;
  #engine: EngineApi | undefined;

  constructor(options: ShellOptions) {
    const { settings, files, preload, pictures, tray, hidden, quitting, log } = options;
    this.#options = options;
    nativeTheme.themeSource = settings.get().theme;
    this.#window = new MainWindow({
      make: (given) => new BrowserWindow(given),
      areas: () => screen.getAllDisplays().map((display) => display.workArea),
      theme: nativeTheme,
      store: windowStore(),
      preload,
      icon: `${pictures}/icon.png`,
      platform: process.platform,
      // The dock keeps a macOS app reachable without any window or tray.
      hides: () => !quitting() && (this.#tray !== undefined || process.platform === 'darwin'),
      onContents: (contents) => this.link.attach(contents),
      onSeen: () => this.#activity.seen(),
      log,
    });
    this.#tray = tray
      ? new TrayIcon({
          make: (image) => new Tray(image),
          build: (template) => Menu.buildFromTemplate(template),
          onClick: () => this.show(),
        })
      : undefined;
    const notifications = new FailureNotifications({
      make: Notification.isSupported() ? (title, body) => new Notification({ title, body }) : undefined,
      watched: () => this.#window.focused,
      words: () => this.#words,
      onClick: (id) => this.#showContainer(id),
    });
    this.#activity = new ActivityWatch(
      (activity) => this.#paint(activity),
      (rows) => notifications.tell(rows),
    );
    settings.onChange(({ theme }) => {
      nativeTheme.themeSource = theme;
      this.#applyMenu();
      this.#paint(this.#activity.current());
    });
    nativeTheme.on('updated', () => this.#paint(this.#activity.current()));
    this.#applyMenu();
    this.#window.open({ show: !hidden || !tray });
    files.listen((paths) => this.#openFiles(paths));
  }

  show = (): void => this.#window.show();

  /** The engine is open. Returns how to let go of it. */
  attach(engine: EngineApi): () => void {
    this.#engine = engine;
    return this.#activity.attach(engine);
  }

  /** The app is ending: out of sight at once, whatever closing takes. */
  end(): void {
    this.#window.hide();
    this.#activity.end();
  }

  chooseFiles = (): Promise<readonly string[]> => chooseFiles(dialog, this.#window.visible, this.#words);

  /** Says what went wrong without stopping anything. */
  warn(title: string, message: string, hint: string | undefined): void {
    this.#options.log(`${title}: ${message}${hint === undefined ? '' : ` (${hint})`}`);
    const options = { type: 'warning' as const, message: title, detail: [message, hint].filter(Boolean).join('\n\n') };
    const window = this.#window.visible;
    void (window ? dialog.showMessageBox(window, options) : dialog.showMessageBox(options));
  }

  get words(): Words {
    return this.#words;
  }

  get #words(): Words {
    return wordsFor(this.#options.settings.get().language, app.getLocale());
  }

  #openFiles(paths: readonly string[]): void {
    this.link.openFiles(paths);
    this.show();
  }

  #showContainer(id: string | undefined): void {
    this.link.command(id === undefined ? { command: 'show', page: 'containers' } : { command: 'container', id });
    this.show();
  }

  #showPage(page: 'containers' | 'images' | 'settings'): void {
    this.link.command({ command: 'show', page });
    this.show();
  }

  async #runFile(): Promise<void> {
    const paths = await this.chooseFiles();
    if (paths.length > 0) this.#openFiles(paths);
  }

  async #act(action: Action, ids: readonly string[]): Promise<void> {
    if (!this.#engine) return;
    const failures = await actOn(this.#engine, action, ids);
    if (this.#options.quitting()) return;
    for (const { name, error } of failures) this.warn(this.#words.actionFailed(name), error.message, error.hint);
  }

  #applyMenu(): void {
    const commands = {
      run: () => {
        this.link.command({ command: 'run' });
        this.show();
      },
      runFile: () => void this.#runFile(),
      show: (page: 'containers' | 'images' | 'settings') => this.#showPage(page),
    };
    const template = applicationMenu(this.#words, commands, {
      mac: process.platform === 'darwin',
      developer: !app.isPackaged,
    });
    Menu.setApplicationMenu(Menu.buildFromTemplate(template));
  }

  #paint(activity: Activity): void {
    if (!this.#tray) return;
    const words = this.#words;
    const image = trayImage(`${this.#options.pictures}/tray`, pictureOf(activity), {
      platform: process.platform,
      dark: nativeTheme.shouldUseDarkColorsForSystemIntegratedUI,
      desktop: process.env['XDG_CURRENT_DESKTOP'] ?? '',
    });
    const key = JSON.stringify([words.quit, activity.engine, activity.rows]);
    this.#tray.show(image, 'Drydock', key, () => trayMenu(activity, words, this.#commands));
  }

  readonly #commands: TrayCommands = {
    openWindow: () => this.show(),
    runFile: () => void this.#runFile(),
    settings: () => this.#showPage('settings'),
    show: (id) => this.#showContainer(id),
    openAddress: (port) => this.#options.openPort(port),
    copyAddress: (port) => void clipboard.writeText(`http://localhost:${port}/`),
    act: (action, ids) => void this.#act(action, ids),
    quit: () => app.quit(),
  };
}
