import { isAbsolute, resolve } from 'node:path';
import { parseArgs } from 'node:util';
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
  const socketPath = socketOf(values['docker-host']) ?? defaultSocket();
  return {
    home: resolve(given ?? defaultHome()),
    ownHome: given !== undefined || Boolean(env['DRYDOCK_HOME']),
    socketPath,
    dockerHost: socketPath.startsWith('\\\\') ? `npipe://${socketPath.replaceAll('\\', '/')}` : `unix://${socketPath}`,
    hidden: values.hidden === true,
  };
}

function socketOf(host: unknown): string | undefined {
  if (typeof host !== 'string') return undefined;
  if (host.startsWith('npipe://')) return host.slice('npipe://'.length).replaceAll('/', '\\');
  const path = host.startsWith('unix://') ? host.slice('unix://'.length) : '';
  return isAbsolute(path) ? path : undefined;
}
