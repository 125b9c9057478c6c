import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { toDrydockError } from '../../base/errors.ts';
import { inflated } from './inflate.ts';

/** Bytes read and hashed at a time: under a millisecond of anybody else's. */
const piece = 1 << 20;

export interface Verified {
  /** undefined = it is what its name says. */
  readonly problem: string | undefined;
  /** The file that was read. */
  readonly inode: number | undefined;
}

/** Hashes a blob. Yields the bytes of each step; answers what is wrong with it. @throws the signal's reason */
export async function* verifyBlob(
  path: string,
  digest: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<number, Verified> {
  let inode: number | undefined;
  try {
    const file = await open(path, 'r');
    try {
      inode = (await file.stat()).ino;
      const hash = createHash('sha256');
      const buffer = Buffer.allocUnsafe(piece);
      for (;;) {
        signal?.throwIfAborted();
        const { bytesRead } = await file.read(buffer, 0, piece, null);
        if (bytesRead === 0) break;
        hash.update(buffer.subarray(0, bytesRead));
        yield bytesRead;
      }
      const found = `sha256:${hash.digest('hex')}`;
      return { problem: found === digest ? undefined : `its bytes are those of ${found}`, inode };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (signal?.aborted) throw error;
    const { code } = error as NodeJS.ErrnoException;
    return { problem: code === 'ENOENT' ? 'it is missing' : `it cannot be read (${code ?? String(error)})`, inode };
  }
}

/** What is wrong with the bytes in a layer that verified as it is packed; undefined = they are those of the diffID. @throws the signal's reason */
export async function verifyLayer(
  source: AsyncIterable<Uint8Array>,
  diffId: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of inflated(source, 'layer')) {
      signal?.throwIfAborted();
      hash.update(chunk);
    }
  } catch (error) {
    if (signal?.aborted) throw error;
    return toDrydockError(error).message;
  }
  const found = `sha256:${hash.digest('hex')}`;
  return found === diffId ? undefined : `inflated it is ${found}, and its image says ${diffId}`;
}
