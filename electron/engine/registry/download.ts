import { damaged, unavailable } from '../../base/errors.ts';
import type { Authorizer } from './auth.ts';
import type { Endpoint } from './endpoints.ts';
import { connectionFailure } from './failures.ts';
import { ask, type Asking } from './request.ts';
import { attempts, backOff, isBroken } from './retry.ts';
import type { Incoming } from './transport.ts';

export interface Wanted {
  /** "/v2/NAME/blobs/sha256:…" */
  readonly target: string;
  readonly digest: string;
  /** What the descriptor says; more or less is refused. */
  readonly size: number;
  readonly scopes: readonly string[];
  readonly signal?: AbortSignal | undefined;
  readonly onRetry?: ((after: number) => void) | undefined;
}

/**
 * A blob's bytes, exactly `size` of them. A connection that breaks is taken up where it broke (Range); where a server does not know ranges, what is known
 * already is read again and dropped. Whether they are the right bytes, whoever hashes them says.
 * @throws damaged for another length, unavailable when it broke too often without a byte in between, and what `ask` throws
 */
export async function* download(
  asking: Asking,
  endpoint: Endpoint,
  authorizer: Authorizer,
  wanted: Wanted,
): AsyncGenerator<Uint8Array> {
  const { digest, size, signal, onRetry } = wanted;
  let received = 0;
  let failed = 0;
  while (received < size || (size === 0 && failed === 0)) {
    const answer = await ask(asking, endpoint, authorizer, {
      method: 'GET',
      target: wanted.target,
      headers: { 'accept-encoding': 'identity', ...(received > 0 && { range: `bytes=${received}-` }) },
      scopes: wanted.scopes,
      accept: received > 0 ? [200, 206] : [200],
      signal,
      onRetry,
    });
    let drop = received - startOf(answer);
    if (drop < 0) throw unavailable(`${answer.url.host} continues ${digest} at the wrong place`);
    const before = received;
    try {
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
        const part = drop > 0 ? chunk.subarray(Math.min(drop, chunk.length)) : chunk;
        drop -= chunk.length - part.length;
        if (part.length === 0) continue;
        received += part.length;
        if (received > size) throw longer(digest, size);
        yield part;
      }
      if (size === 0) return;
      if (received < size && answer.body.complete) throw shorter(digest, size, received);
    } catch (error) {
      if (signal?.aborted) throw error;
      const failure = connectionFailure(error, answer.url.host);
      if (!isBroken(failure)) throw failure;
      failed = received > before ? 1 : failed + 1;
      if (failed >= attempts) throw failure;
      const after = backOff(failed);
      onRetry?.(after);
      await asking.sleep(after, signal);
    } finally {
      answer.body.destroy();
    }
  }
}

/** Where the body begins: at 0 for a server that sends everything again. */
function startOf({ status, headers }: Incoming): number {
  if (status !== 206) return 0;
  const match = /^bytes (\d+)-/.exec(headers['content-range'] ?? '');
  return match ? Number(match[1]) : 0;
}

const longer = (digest: string, size: number) =>
  damaged(`the registry sent more than the ${size} bytes that ${digest} has`, { data: { digest, size } });

const shorter = (digest: string, size: number, received: number) =>
  damaged(`the registry sent ${received} of the ${size} bytes that ${digest} has, and called that all`, {
    data: { digest, size, received },
  });
