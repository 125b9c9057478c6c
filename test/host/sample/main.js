/** A small Electron app that uses what Drydock uses, so that the host is tested by itself (host.test.ts). */
import { join } from 'node:path';
import electron, {
  app,
  BrowserWindow,
  ipcMain,
  Menu,
  MessageChannelMain,
  protocol,
  Tray,
  utilityProcess,
} from 'electron';

const early = attempt(() => utilityProcess.fork(join(import.meta.dirname, 'child.cjs')));
const missing = [
  attempt(() => /** @type {any} */ (electron).powerMonitor),
  attempt(() => /** @type {any} */ (app).dock),
];
const opened = /** @type {string[]} */ ([]);
app.on('open-file', (_event, path) => opened.push(path));
protocol.registerSchemesAsPrivileged([
  { scheme: 'sample', privileges: { standard: true, secure: true, supportFetchAPI: true } },
]);
if (!app.requestSingleInstanceLock({ cwd: process.cwd(), args: process.argv.slice(2) })) app.quit();
app.on('second-instance', (_event, _argv, _cwd, data) => opened.push(JSON.stringify(data)));

/** @type {Tray} */
let tray;
await Promise.resolve();
void app.whenReady().then(() => {
  protocol.handle('sample', (request) => {
    const { pathname } = new URL(request.url);
    if (pathname !== '/index.html') return new Response('not here', { status: 404 });
    return new Response('<!doctype html><title>Sample</title><h1>Sample</h1>', {
      headers: { 'content-type': 'text/html', 'content-security-policy': "default-src 'none'; script-src 'self'" },
    });
  });
  const window = new BrowserWindow({
    show: false,
    webPreferences: { preload: join(import.meta.dirname, 'preload.cjs'), sandbox: true },
  });
  window.once('ready-to-show', () => window.show());
  window.on('close', (event) => {
    if (!quitting) event.preventDefault();
    if (!quitting) window.hide();
  });
  ipcMain.handle('facts', (event) => ({ early, missing, opened, from: event.senderFrame?.url, sandboxed: true }));
  ipcMain.handle('fails', () => {
    throw new TypeError('no such thing');
  });
  ipcMain.on('port', (event, message) => {
    const { port1, port2 } = new MessageChannelMain();
    port1.on('message', (e) => port1.postMessage({ echo: e.data }));
    port1.on('close', () => opened.push('port closed'));
    setImmediate(() => port1.start());
    event.sender.postMessage('port', message, [port2]);
  });
  ipcMain.handle('child', () => {
    const child = utilityProcess.fork(join(import.meta.dirname, 'child.cjs'), ['one'], {
      serviceName: 'child',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const before = child.pid;
    return new Promise((resolve) => {
      child.on('message', (message) => {
        const during = child.pid;
        if (message === 'kill me') return child.kill();
        child.on('exit', (code) =>
          setImmediate(() => resolve({ before, during: typeof during, code, message, out: child.stdout })),
        );
        child.postMessage('end');
      });
      child.on('spawn', () => child.postMessage({ hello: new Uint8Array([1, 2]) }));
    });
  });
  tray = new Tray(join(import.meta.dirname, '../../../assets/tray/running-on-dark.png'));
  tray.setContextMenu(
    Menu.buildFromTemplate([{ label: 'More', submenu: [{ label: 'Quit', click: () => app.quit() }] }]),
  );
  void window.loadURL('sample://app/index.html');
});
let quitting = false;
app.on('before-quit', () => void (quitting = true));

/** @param {() => unknown} what */
function attempt(what) {
  try {
    what();
    return 'worked';
  } catch (error) {
    return String(error);
  }
}
