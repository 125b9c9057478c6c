import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { dockerHostOf, socketPathOf } from '../platform/docker-host.ts';
import { defaultHome, defaultSocket } from '../platform/paths.ts';

export interface DesktopFlags {
  /** Absolute path of the data root. */
  readonly home: string;
  /** True when it is not the usual one: then this is an instance of its own beside the usual one. */
  readonly ownHome: boolean;
  readonly socketPath: string;
  /** The same as the docker CLI wants it. */
  readonly dockerHost: string;
  /** Start in the tray (at login). */
  readonly hidden: boolean;
}

/**
 * The flags that headless takes too (electron/web/flags.ts), and --hidden. Lenient: Chromium's own switches and files stand among them, and a window
 * that opens is better than one that complains about a switch of the system's.
 */
export function desktopFlags(args: readonly string[], env: NodeJS.ProcessEnv = process.env): DesktopFlags {
  const { values } = parseArgs({
    args: [...args],
    strict: false,
    options: { home: { type: 'string' }, 'docker-host': { type: 'string' }, hidden: { type: 'boolean' } },
  });
  const given = typeof values.home === 'string' && values.home !== '' ? values.home : undefined;
  const host = values['docker-host'];
  const socketPath = (typeof host === 'string' ? socketPathOf(host) : undefined) ?? defaultSocket();
  return {
    home: resolve(given ?? defaultHome()),
    ownHome: given !== undefined || Boolean(env['DRYDOCK_HOME']),
    socketPath,
    dockerHost: dockerHostOf(socketPath),
    hidden: values.hidden === true,
  };
}
