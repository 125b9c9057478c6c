import type { IpcMain, IpcMainEvent, IpcMainInvokeEvent, MessagePortMain, WebContents } from 'electron';
import { denied } from '../base/errors.ts';
import type { PortLike } from '../rpc/port.ts';
import { isOwnPage } from './security.ts';

export interface IpcParts {
  readonly ipcMain: Pick<IpcMain, 'on' | 'handle'>;
  makeChannel(): { readonly port1: MessagePortMain; readonly port2: MessagePortMain };
  /** What answers the ports; resolved when the engine is open. Ports that are asked for earlier wait. */
  readonly doors: Promise<{ readonly rpc: (port: PortLike) => void; readonly channel: (port: PortLike) => void }>;
  hello(contents: WebContents): void;
  chooseFiles(): Promise<readonly string[]>;
  openExternal(url: string): void;
  log(line: string): void;
}

/** All that the page can ask of the main process (preload.ts is the other side). Whoever is not our own page is refused and logged. */
export function serveIpc(parts: IpcParts): void {
  const { ipcMain, log } = parts;
  const mayAsk = (event: IpcMainEvent | IpcMainInvokeEvent, what: string): boolean => {
    const url = event.senderFrame?.url;
    if (isOwnPage(url)) return true;
    log(`refused ${what} from ${url ?? 'a frame that is gone'}`);
    return false;
  };
  const on = (channel: string, take: (event: IpcMainEvent, ...args: unknown[]) => void): void => {
    ipcMain.on(channel, (event, ...args: unknown[]) => {
      if (mayAsk(event, channel)) take(event, ...args);
    });
  };

  on('drydock:hello', (event) => parts.hello(event.sender));
  on('drydock:port', (event, kind, key) => {
    if ((kind !== 'rpc' && kind !== 'channel') || typeof key !== 'string' || key.length > 64)
      return log(`refused a port of kind ${String(kind).slice(0, 20)}`);
    const frame = event.senderFrame;
    void parts.doors.then(
      (doors) => {
        // The page that asked may have been reloaded meanwhile; the new one asks for itself.
        if (event.sender.isDestroyed() || event.senderFrame !== frame || !isOwnPage(frame?.url)) return;
        const { port1, port2 } = parts.makeChannel();
        doors[kind](port1 as unknown as PortLike);
        event.sender.postMessage('drydock:port', key, [port2]);
      },
      // Reported where the engine was opened; the app is about to quit.
      () => undefined,
    );
  });
  on('drydock:open-external', (_event, url) => {
    if (typeof url === 'string') parts.openExternal(url);
  });
  ipcMain.handle('drydock:choose-files', (event) => {
    if (!mayAsk(event, 'drydock:choose-files')) throw denied('this page may not open files');
    return parts.chooseFiles();
  });
}
