import { EventEmitter } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type Electron from 'electron';
import { host, requireNotReady } from './host.ts';
import { SingleInstance } from './single-instance.ts';
import { windows } from './window.ts';

const manifest = JSON.parse(readFileSync(join(host.options.appPath, 'package.json'), 'utf8')) as {
  version: string;
  productName: string;
};

/** Electron's application object: ready, quit in its order (before-quit, windows, will-quit, quit), paths, the single instance. */
class FakeApp
  extends EventEmitter
  implements
    Pick<
      Electron.App,
      | 'isPackaged'
      | 'name'
      | 'isReady'
      | 'whenReady'
      | 'quit'
      | 'exit'
      | 'getVersion'
      | 'getName'
      | 'getLocale'
      | 'getAppPath'
      | 'getPath'
      | 'setPath'
      | 'enableSandbox'
      | 'requestSingleInstanceLock'
      | 'hasSingleInstanceLock'
      | 'setAppUserModelId'
      | 'setAsDefaultProtocolClient'
      | 'focus'
    >
{
  readonly isPackaged = host.options.packaged;
  readonly name = manifest.productName;
  readonly #paths = new Map<string, string>([
    ['userData', host.options.userData],
    ['home', homedir()],
    ['temp', tmpdir()],
    ['exe', process.execPath],
    ['downloads', join(homedir(), 'Downloads')],
  ]);
  #sandboxed = false;
  #exiting = false;
  readonly #instance = new SingleInstance((argv, cwd, data) => this.emit('second-instance', {}, argv, cwd, data));

  isReady = (): boolean => host.ready;
  whenReady(): Promise<void> {
    return host.ready ? Promise.resolve() : new Promise((resolve) => this.once('ready', () => resolve()));
  }

  quit(): void {
    if (host.quitting || this.#exiting) return;
    let prevented = false;
    const event = { preventDefault: () => void (prevented = true), defaultPrevented: false };
    this.emit('before-quit', event);
    if (prevented) return;
    host.quitting = true;
    for (const window of [...windows]) window.close();
    if (windows.length > 0) {
      host.quitting = false;
      return;
    }
    this.emit('will-quit', event);
    if (prevented) {
      host.quitting = false;
      return;
    }
    this.emit('quit', {}, 0);
    this.exit(0);
  }

  exit(code = 0): void {
    if (this.#exiting) return;
    this.#exiting = true;
    host.events.emit('exit');
    void this.#instance.close().finally(() => process.exit(code));
  }

  /** The last window is gone. */
  windowsGone(): void {
    if (!this.emit('window-all-closed')) this.quit();
  }

  getVersion = (): string => manifest.version;
  getName = (): string => this.name;
  getLocale = (): string => host.options.locale;
  getAppPath = (): string => host.options.appPath;

  getPath(name: string): string {
    const path = this.#paths.get(name);
    if (path === undefined) throw new Error(`Failed to get '${name}' path`);
    return path;
  }

  setPath(name: string, path: string): void {
    if (name === 'userData' && this.#instance.held) throw new Error('userData set after the single instance lock');
    mkdirSync(path, { recursive: true });
    this.#paths.set(name, path);
  }

  enableSandbox(): void {
    requireNotReady('app.enableSandbox');
    this.#sandboxed = true;
  }

  get sandboxed(): boolean {
    return this.#sandboxed;
  }

  requestSingleInstanceLock(additionalData?: Record<string, unknown>): boolean {
    return this.#instance.request(this.getPath('userData'), additionalData);
  }

  hasSingleInstanceLock = (): boolean => this.#instance.held;
  setAppUserModelId(_id: string): void {}
  setAsDefaultProtocolClient = (_protocol: string): boolean => true;
  focus(): void {}
}

export const app = new FakeApp();
process.on('SIGTERM', () => app.quit());
process.on('SIGINT', () => app.quit());
