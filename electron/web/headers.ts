import type { OutgoingHttpHeaders } from 'node:http';

/** As in the desktop (reference electron.md A7). 'self' in connect-src covers the WebSockets of the same host and port. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  // xterm's renderer and Svelte's transitions write styles.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** On every answer. */
export const securityHeaders: OutgoingHttpHeaders = {
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};
