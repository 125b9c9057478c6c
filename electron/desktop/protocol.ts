import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Protocol } from 'electron';
import { pageHeaders } from '../platform/page-headers.ts';
import { isOwnPage, scheme } from './security.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
};

/** Must run before ready, once. */
export function registerScheme(protocol: Pick<Protocol, 'registerSchemesAsPrivileged'>): void {
  protocol.registerSchemesAsPrivileged([
    { scheme, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ]);
}

/** The file below `root` that a page's URL names, or undefined. Lexical: the folder lies in app.asar, which holds no links. */
export function fileOf(root: string, url: string): string | undefined {
  if (!isOwnPage(url)) return undefined;
  let path: string;
  try {
    path = decodeURIComponent(new URL(url).pathname);
  } catch {
    return undefined;
  }
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.some((part) => part.startsWith('.') || /[\0\\:]/.test(part))) return undefined;
  return join(root, ...(parts.length === 0 ? ['index.html'] : parts));
}

/** Answers drydock://app/… with the files of the renderer. */
export function pageFiles(root: string): (request: Request) => Promise<Response> {
  const refuse = (status: number): Response => new Response(null, { status, headers: pageHeaders });
  return async (request) => {
    if (request.method !== 'GET') return refuse(405);
    const file = fileOf(root, request.url);
    const type = file === undefined ? undefined : types[extname(file)];
    if (file === undefined || type === undefined) return refuse(404);
    try {
      const body = await readFile(file);
      return new Response(new Uint8Array(body), { headers: { ...pageHeaders, 'Content-Type': type } });
    } catch {
      return refuse(404);
    }
  };
}
