import type { DesktopBridge } from '../../electron/contract/bridge.ts';
import { bridgeTransport } from './bridge.ts';
import type { Transport } from './transport.ts';
import { webTransport } from './websocket.ts';

declare global {
  interface Window {
    /** Put there by the desktop's preload; absent in a browser. */
    readonly drydock?: DesktopBridge;
  }
}

/** The transport of this page, and the desktop's bridge when there is one. */
export function chooseTransport(): { transport: Transport; bridge: DesktopBridge | undefined } {
  const bridge = window.drydock;
  if (bridge) return { transport: bridgeTransport(bridge), bridge };
  return { transport: webTransport(location.origin), bridge: undefined };
}
