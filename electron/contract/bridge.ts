/**
 * `window.drydock`, put there by the desktop's preload; absent in the browser. Types only. contextBridge passes no MessagePort, so a port is asked
 * for here and arrives as a window message `{ drydock: 'port', key }` (from `window` itself) with the port transferred.
 */
export interface DesktopBridge {
  readonly platform: 'darwin' | 'win32' | 'linux';
  /** 'rpc': the one oRPC port (ask again after a reload). 'channel': a new port for one log or terminal. `key` comes back with the port. */
  requestPort(kind: 'rpc' | 'channel', key: string): void;
  /** Path of a dropped or picked file; '' when it has none. */
  pathOf(file: File): string;
  /** Files that the OS asked Drydock to open (double click, argv, second start). Returns the unsubscriber. */
  onOpenFiles(listener: (paths: readonly string[]) => void): () => void;
  /** Tray and menu commands meant for the page. Returns the unsubscriber. */
  onCommand(listener: (command: DesktopCommand) => void): () => void;
  /** Native dialog for .wasm files; [] when cancelled. */
  chooseFiles(): Promise<readonly string[]>;
  /** https: and mailto:, and http: with a port of this computer. */
  openExternal(url: string): void;
}

export type DesktopCommand =
  | { readonly command: 'run' }
  | { readonly command: 'show'; readonly page: 'containers' | 'images' | 'settings' }
  | { readonly command: 'container'; readonly id: string };
