import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Call } from './call.ts';

/** Streams an archive as the body. The status is out: what fails now can only be told by ending early, which every client takes for an error. */
export const sendTar = ({ response }: Pick<Call, 'response'>, tar: AsyncIterable<Uint8Array>): Promise<void> =>
  pipeline(Readable.from(tar, { objectMode: false, highWaterMark: 1 << 20 }), response).catch((error: unknown) => {
    response.destroy(error instanceof Error ? error : undefined);
  });
