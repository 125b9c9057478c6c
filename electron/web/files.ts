import { createReadStream } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pageHeaders } from '../platform/page-headers.ts';
import { sendText } from './pages.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};

/** The file below `root` that a URL path names, or undefined: nothing leads out, not `..` in any spelling and not a link. */
async function resolveFile(root: string, pathname: string): Promise<string | undefined> {
  let path: string;
  try {
    path = decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
  if (/[\0\\]/.test(path) || path.split('/').some((part) => part === '..' || part.startsWith('.'))) return undefined;
  try {
    const [base, file] = await Promise.all([realpath(root), realpath(join(root, path === '/' ? 'index.html' : path))]);
    return file.startsWith(base + sep) ? file : undefined;
  } catch {
    return undefined;
  }
}

/** Answers GET and HEAD with a file of the renderer. */
export async function sendFile(
  root: string,
  pathname: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = await resolveFile(root, pathname);
  const type = path === undefined ? undefined : types[extname(path)];
  if (path === undefined || type === undefined) return sendText(response, 404, `There is no ${pathname} here.`);
  const file = await open(path, 'r');
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return sendText(response, 404, `There is no ${pathname} here.`);
    response.writeHead(200, {
      ...pageHeaders,
      'Content-Type': type,
      'Content-Length': stat.size,
      // The page is never kept: it must not be seen without the cookie. Names under assets/ carry a hash of the content.
      'Cache-Control': pathname.startsWith('/assets/') ? 'private, max-age=31536000, immutable' : 'no-store',
    });
    if (request.method === 'HEAD') response.end();
    else
      await pipeline(
        createReadStream(path, { fd: file.fd, autoClose: false, end: Math.max(0, stat.size - 1) }),
        response,
      );
  } finally {
    await file.close();
  }
}
