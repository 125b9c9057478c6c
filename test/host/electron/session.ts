import type Electron from 'electron';
import { protocol } from './protocol.ts';
import { strict } from './strict.ts';

/** What the app set; tests ask the handlers through control.ts. */
export const permissions: {
  request?: Parameters<Electron.Session['setPermissionRequestHandler']>[0];
  check?: Parameters<Electron.Session['setPermissionCheckHandler']>[0];
} = {};

const defaultSession = strict('session', {
  protocol,
  setPermissionRequestHandler: (handler: typeof permissions.request) => void (permissions.request = handler ?? null),
  setPermissionCheckHandler: (handler: typeof permissions.check) => void (permissions.check = handler ?? null),
  setDevicePermissionHandler: () => undefined,
}) as unknown as Electron.Session;

export const session = { defaultSession };
