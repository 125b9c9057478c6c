/**
 * The desktop app, as a table of contents: what must be said before Electron is ready, then the shell that a person sees, then the engine behind it.
 * Runs as dist/main/main.js; runner.cjs lies beside it, the preload and the renderer in ../preload and ../renderer.
 */
import { join } from 'node:path';
import { app, dialog, ipcMain, MessageChannelMain, protocol, session, shell as system, utilityProcess } from 'electron';
import { toDrydockError } from './base/errors.ts';
import { openDesktopEngine, type DesktopEngine } from './desktop/engine.ts';
import { externalLinks, openPort } from './desktop/external-links.ts';
import { desktopFlags } from './desktop/flags.ts';
import { serveIpc } from './desktop/ipc.ts';
import { OpenFiles, ownArguments } from './desktop/open-files.ts';
import { pageFiles, registerScheme } from './desktop/protocol.ts';
import { Quit } from './desktop/quit.ts';
import { scheme, secureApp, secureSession } from './desktop/security.ts';
import { desktopSettings } from './desktop/settings.ts';
import { Shell } from './desktop/shell.ts';
import { claimInstance } from './desktop/single-instance.ts';
import { hasTray } from './desktop/tray-support.ts';
import { utilityHost } from './desktop/utility-host.ts';

const here = import.meta.dirname;
const version = app.getVersion();
const log = (line: string): void => void process.stderr.write(`drydock: ${line}\n`);
const start = { args: ownArguments(process.argv, app.isPackaged), cwd: process.cwd() };
const flags = desktopFlags(start.args);
const openExternal = externalLinks(system, log);

app.setAppUserModelId('dev.drydock.desktop');
// Another data root is another app: with its own window, its own lock, beside the usual one.
if (flags.ownHome) app.setPath('userData', join(flags.home, 'desktop'));
secureApp(app, openExternal);
registerScheme(protocol);
const files = new OpenFiles(app);
files.addArguments(start.args, start.cwd);

let shell: Shell | undefined;
const quit = new Quit({ app, limit: 15_000, onBegin: () => shell?.end(), log });
const second = (args: readonly string[], cwd: string): void => {
  files.addArguments(args, cwd);
  shell?.show();
};

async function open(): Promise<void> {
  secureSession(session.defaultSession);
  protocol.handle(scheme, pageFiles(join(here, '../renderer')));
  const { home } = flags;
  const settings = desktopSettings(home, version);
  const seen = (shell = new Shell({
    settings,
    files,
    preload: join(here, '../preload/index.cjs'),
    pictures: app.isPackaged ? process.resourcesPath : join(app.getAppPath(), 'assets'),
    tray: await hasTray(),
    hidden: flags.hidden,
    quitting: () => quit.begun,
    openPort: (port) => openPort(system, port, log),
    log,
  }));
  app.on('activate', () => seen.show());
  app.on('window-all-closed', () => app.quit());

  const opening = Promise.withResolvers<DesktopEngine>();
  serveIpc({
    ipcMain,
    makeChannel: () => new MessageChannelMain(),
    doors: opening.promise.then(({ doors }) => doors),
    hello: (contents) => seen.link.hello(contents),
    chooseFiles: () => seen.chooseFiles(),
    openExternal,
    log,
  });
  const opened = await openDesktopEngine({
    ...flags,
    version,
    settings,
    starters: join(here, '../starters'),
    processHost: utilityHost({
      runnerPath: join(here, 'runner.cjs'),
      fork: (path, args, options) => utilityProcess.fork(path, args, options),
      log,
      env: process.env,
      posix: process.platform !== 'win32',
    }),
    closing: (close) => quit.add(close),
    onNoSocket: ({ message, hint }) => seen.warn(seen.words.noSocket, message, hint),
    log,
  });
  opening.resolve(opened);
  await quit.add(seen.attach(opened.engine));
}

async function fail(thrown: unknown): Promise<void> {
  if (quit.begun) return;
  const { message, hint } = toDrydockError(thrown);
  log(message);
  dialog.showErrorBox(shell?.words.cannotStart ?? 'Drydock cannot start', [message, hint].filter(Boolean).join('\n\n'));
  await quit.fail();
}

if (claimInstance(app, start, second)) app.whenReady().then(open).catch(fail);
else app.quit();
