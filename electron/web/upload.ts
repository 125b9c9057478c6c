import type { IncomingMessage, ServerResponse } from 'node:http';
import { invalid } from '../base/errors.ts';
import { failureOf, statusOf } from '../rpc/status.ts';
import type { Staging } from '../rpc/staging.ts';
import { pageHeaders } from '../platform/page-headers.ts';

/** How long the rest of a refused upload is read and thrown away, ms: a browser that is still sending when the connection goes never sees the answer. */
const drainTime = 10_000;

/** POST /stage?name=FILE: the body is the file, the answer a StagedModule or a Failure as JSON. */
export async function upload(
  staging: Staging,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = (status: number, value: unknown): void => {
    if (response.headersSent || response.destroyed) return;
    response.writeHead(status, { ...pageHeaders, 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
    response.end(JSON.stringify(value));
    if (request.complete) return;
    request.resume();
    const limit = setTimeout(() => request.destroy(), drainTime);
    request.once('close', () => clearTimeout(limit));
  };
  try {
    const name = url.searchParams.get('name') ?? '';
    if (name === '') throw invalid('The upload has no name', { hint: 'Send it to /stage?name=FILE.wasm.' });
    const declared = Number(request.headers['content-length'] ?? 0);
    if (declared > staging.limit) throw invalid(`${name} is larger than ${staging.limit / (1 << 20)} MiB`);
    answer(200, await staging.add(name, request.iterator({ destroyOnReturn: false })));
  } catch (error) {
    const failure = failureOf(error);
    answer(statusOf(failure.kind), failure);
  }
}
