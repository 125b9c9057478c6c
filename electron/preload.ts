/**
 * The bridge: `window.drydock` is exactly DesktopBridge, and nothing else of Electron reaches the page. Runs sandboxed, built as one CommonJS file.
 * The other side is desktop/ipc.ts.
 */
import { contextBridge, ipcRenderer, webUtils } from 'electron';
import type { DesktopBridge, DesktopCommand } from './contract/bridge.ts';

/** What comes before the page listens is kept for its first listener. */
function inbox<T>(channel: string): (listener: (value: T) => void) => () => void {
  const listeners = new Set<(value: T) => void>();
  let waiting: T[] = [];
  ipcRenderer.on(channel, (_event, value: T) => {
    if (listeners.size === 0) waiting.push(value);
    for (const listener of [...listeners]) listener(value);
  });
  return (listener) => {
    // A listener of its own for each subscription: the same function may be given twice.
    const own = (value: T): void => listener(value);
    listeners.add(own);
    const kept = waiting;
    waiting = [];
    for (const value of kept) own(value);
    return () => {
      listeners.delete(own);
    };
  };
}

const bridge: DesktopBridge = {
  platform: process.platform as DesktopBridge['platform'],
  requestPort: (kind, key) => ipcRenderer.send('drydock:port', kind, key),
  pathOf: (file) => webUtils.getPathForFile(file),
  onOpenFiles: inbox<readonly string[]>('drydock:open-files'),
  onCommand: inbox<DesktopCommand>('drydock:command'),
  chooseFiles: () => ipcRenderer.invoke('drydock:choose-files') as Promise<readonly string[]>,
  openExternal: (url) => ipcRenderer.send('drydock:open-external', url),
};

contextBridge.exposeInMainWorld('drydock', bridge);
ipcRenderer.on('drydock:port', (event, key: string) => {
  window.postMessage({ drydock: 'port', key }, '*', [...event.ports]);
});
ipcRenderer.send('drydock:hello');
