import type { IncomingMessage } from 'node:http';
import { invalid } from '../base/errors.ts';

/** Largest JSON body that is read: a create request with every option is some KiB. */
export const BODY_LIMIT = 8 << 20;

/**
 * The JSON object in a request's body; an empty body or `null` is undefined.
 * @throws invalid on a wrong content type, bad JSON, anything but an object, or more than 8 MiB
 */
export async function readJson(request: IncomingMessage): Promise<Readonly<Record<string, unknown>> | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    // What is beyond the limit is read and dropped: an answer before the end of the body reaches few clients.
    if (size <= BODY_LIMIT) chunks.push(chunk);
  }
  if (size > BODY_LIMIT) throw invalid(`the request body is larger than ${BODY_LIMIT} bytes`);
  return parseJson(Buffer.concat(chunks), request.headers['content-type']);
}

/** The same for a body that was read elsewhere (before a hijack). */
export function parseJson(
  body: Buffer,
  contentType: string | undefined,
): Readonly<Record<string, unknown>> | undefined {
  if (body.length === 0) return undefined;
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type !== '' && type !== 'application/json')
    throw invalid(`unsupported Content-Type header (${type}): must be 'application/json'`);
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw invalid(`invalid JSON: ${(error as Error).message}`);
  }
  if (value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid('invalid JSON: the body must be an object');
  return value as Record<string, unknown>;
}

/** Reads and drops what is left of the body. Go clients report "broken pipe" instead of our answer when they cannot finish sending. */
export async function drain(request: IncomingMessage): Promise<void> {
  if (request.readableEnded || request.destroyed) return;
  await new Promise<void>((resolve) => {
    request.once('end', resolve);
    request.once('close', resolve);
    request.once('error', () => resolve());
    request.resume();
  });
}
