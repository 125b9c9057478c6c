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

const tokenKey = 'drydock.token';

/** The token of the address that headless printed. It leaves the address bar, so that it is not in history, bookmarks or screenshots. */
function takeToken(): string {
  const address = new URL(location.href);
  const given = address.searchParams.get('token');
  if (given !== null) {
    sessionStorage.setItem(tokenKey, given);
    address.searchParams.delete('token');
    history.replaceState(null, '', address);
  }
  return sessionStorage.getItem(tokenKey) ?? '';
}

/** The transport of this page, and the desktop's bridge when there is one. */
export function chooseTransport(): { transport: Transport; bridge: DesktopBridge | undefined } {
  const bridge = window.drydock;
  if (bridge) return { transport: bridgeTransport(bridge), bridge };
  return { transport: webTransport({ origin: location.origin, token: takeToken() }), bridge: undefined };
}
