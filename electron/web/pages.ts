import type { ServerResponse } from 'node:http';
import { pageHeaders } from '../platform/page-headers.ts';

const style =
  'body{font:15px/1.6 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1.5rem;color:#24292f;background:#f6f7f8}' +
  'code{background:#e7e9ec;padding:.1em .35em;border-radius:4px}' +
  '@media(prefers-color-scheme:dark){body{color:#d7dbe0;background:#16181b}code{background:#2a2e33}}';

/** Ends an answer with a short text. */
export function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    ...pageHeaders,
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
  });
  response.end(`${text}\n`);
}

function sendPage(response: ServerResponse, status: number, title: string, body: string, head = ''): void {
  response.writeHead(status, {
    ...pageHeaders,
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
  });
  response.end(
    `<!doctype html><html lang="en"><meta charset="utf-8">${head}<title>${title}</title><style>${style}</style><h1>${title}</h1>${body}</html>\n`,
  );
}

/** How to get in, for somebody who has no cookie. @param used the link was good once */
export function sendLogin(response: ServerResponse, used: boolean): void {
  sendPage(
    response,
    401,
    used ? 'This link has been used' : 'Drydock needs its link',
    `<p>Look at the terminal in which Drydock runs: the last line that begins with <code>Open http://127.0.0.1:</code> is a link that lets one browser in.
Each link works once; when it is used, the next one is printed. If the terminal is gone, stop Drydock and start it again.</p>
<p>If this browser was let in before, Drydock has been restarted since, or its cookies were cleared.</p>`,
  );
}

/**
 * A link that was followed from another site's page does not carry a SameSite=Strict cookie, not even over our own redirect. This page asks again
 * from our side; `again` in the address keeps it from going round.
 */
export function sendAgain(response: ServerResponse): void {
  sendPage(
    response,
    401,
    'Opening Drydock',
    '<p><a href="/?again">Open Drydock</a></p>',
    '<meta http-equiv="refresh" content="0; url=/?again">',
  );
}
