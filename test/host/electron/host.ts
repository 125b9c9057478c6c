import { EventEmitter } from 'node:events';
import type { Cdp } from '../cdp.ts';

/** How the test wants this app process to look; from the environment, see launch.ts. */
export interface HostOptions {
  /** WebSocket of the browser. */
  readonly browser: string;
  /** Repository root: what Electron calls the app path. */
  readonly appPath: string;
  /** Relative to the app path. */
  readonly main: string;
  readonly userData: string;
  readonly packaged: boolean;
  readonly args: readonly string[];
  /** Files that "the OS" opens before ready (macOS). */
  readonly earlyFiles: readonly string[];
  readonly locale: string;
}

/** The state of the one app in this process, shared by the fake's files. */
export const host = {
  options: JSON.parse(process.env['DRYDOCK_TEST_HOST'] ?? '{}') as HostOptions,
  ready: false,
  quitting: false,
  browser: undefined as Cdp | undefined,
  /** 'exit' runs the last things before the process ends. */
  events: new EventEmitter(),
};

/** @throws the way Electron does when an API is used too early. */
export function requireReady(what: string): void {
  if (!host.ready) throw new Error(`${what} cannot be used before the app is ready`);
}

export function requireNotReady(what: string): void {
  if (host.ready) throw new Error(`${what} must be called before the app is ready`);
}

export function browser(): Cdp {
  if (!host.browser) throw new Error('test host: no browser yet');
  return host.browser;
}
