import type { App, Session, WebContents } from 'electron';

export const scheme = 'drydock';
export const pageUrl = `${scheme}://app/index.html`;

/** True for the window's own pages, and nothing else: not another host of the scheme, not a look-alike. */
export function isOwnPage(url: string | undefined): boolean {
  const parsed = url === undefined ? null : URL.parse(url);
  return parsed?.protocol === `${scheme}:` && parsed.host === 'app' && parsed.username === '' && parsed.password === '';
}

const loopback: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** What may be handed to the system's browser or mail program. */
export function isExternalLink(url: string): boolean {
  const parsed = URL.parse(url);
  if (parsed && (parsed.username !== '' || parsed.password !== '')) return false;
  if (parsed?.protocol === 'https:') return parsed.hostname !== '';
  // A port that a container publishes on this computer.
  if (parsed?.protocol === 'http:') return loopback.has(parsed.hostname) && parsed.port !== '';
  return parsed?.protocol === 'mailto:';
}

/** The page copies text; it needs no other permission of Chromium. */
export const mayHave = (permission: string): boolean => permission === 'clipboard-sanitized-write';

/** Before ready: every page is sandboxed, stays where it is, opens nothing and embeds nothing. Links to elsewhere go to the system's browser. */
export function secureApp(app: App, openExternal: (url: string) => void): void {
  app.enableSandbox();
  app.on('web-contents-created', (_event, contents) => secureContents(contents, openExternal));
}

function secureContents(contents: WebContents, openExternal: (url: string) => void): void {
  contents.setWindowOpenHandler(({ url }) => {
    openExternal(url);
    return { action: 'deny' };
  });
  const stay = (event: { preventDefault(): void; readonly url: string }): void => {
    if (!isOwnPage(event.url)) event.preventDefault();
  };
  contents.on('will-navigate', stay);
  contents.on('will-frame-navigate', stay);
  contents.on('will-redirect', stay);
  contents.on('will-attach-webview', (event) => event.preventDefault());
}

/** After ready. */
export function secureSession(session: Session): void {
  session.setPermissionRequestHandler((_contents, permission, done) => done(mayHave(permission)));
  session.setPermissionCheckHandler((_contents, permission) => mayHave(permission));
  session.setDevicePermissionHandler(() => false);
}
