import type Electron from 'electron';
import { requireNotReady, requireReady } from './host.ts';

type Handler = (request: Request) => Response | Promise<Response>;
const handlers = new Map<string, Handler>();
let privileged: readonly Electron.CustomScheme[] | undefined;

/**
 * Chromium without Electron has no schemes of its own: `scheme://host/path` is served as `http://host.scheme.localhost/path`, which is a secure
 * context with an origin of its own too. The app sees the scheme's URLs only.
 */
export function toPage(url: string): string {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]+)(.*)$/i.exec(url);
  if (!match || /^https?$/i.test(match[1] ?? '') || !handlers.has(match[1] ?? '')) return url;
  return `http://${match[2]}.${match[1]}.localhost${match[3] || '/'}`;
}

/** The reverse of toPage. */
export function toApp(url: string): string {
  const match = /^http:\/\/([^/.]+)\.([a-z][a-z0-9+-]*)\.localhost(\/.*)?$/i.exec(url);
  return match && handlers.has(match[2] ?? '') ? `${match[2]}://${match[1]}${match[3] ?? '/'}` : url;
}

export const protocol = {
  registerSchemesAsPrivileged(schemes: Electron.CustomScheme[]): void {
    requireNotReady('protocol.registerSchemesAsPrivileged');
    if (privileged) throw new Error('protocol.registerSchemesAsPrivileged must be called once');
    privileged = schemes;
  },
  handle(scheme: string, handler: Handler): void {
    requireReady('protocol.handle');
    if (handlers.has(scheme)) throw new Error(`Failed to register protocol: ${scheme}`);
    const is = privileged?.find((entry) => entry.scheme === scheme)?.privileges;
    if (!is?.standard || !is.secure || !is.supportFetchAPI)
      throw new Error(
        `test host: ${scheme} is not standard, secure and fetchable: the page could not load its scripts`,
      );
    handlers.set(scheme, handler);
  },
  unhandle: (scheme: string): void => void handlers.delete(scheme),
  isProtocolHandled: (scheme: string): boolean => handlers.has(scheme),
};

/** The app's answer to a request of the page, or undefined when no handler is meant. @param url as the page sees it */
export async function serve(
  url: string,
  method: string,
  headers: Record<string, string>,
): Promise<Response | undefined> {
  const own = toApp(url);
  const handler = own === url ? undefined : handlers.get(new URL(own).protocol.slice(0, -1));
  if (!handler) return undefined;
  try {
    return await handler(new Request(own, { method, headers }));
  } catch (error) {
    process.stderr.write(`test host: the protocol handler failed: ${String(error)}\n`);
    return new Response(null, { status: 500 });
  }
}
