import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { DrydockError } from '../../base/errors.ts';
import { describeModule } from '../../module/describe-module.ts';
import type { ModuleDescription } from '../../module/describe.ts';

/** Bytes read and hashed between two turns of the event loop. */
const step = 1 << 20;

/**
 * What a .wasm file on the host is. `digest` is "sha256:…" of its bytes. Errors call the file `fileName`: the path may be a temporary one.
 * @throws invalid when it is not WebAssembly or damaged; Node's errors when it cannot be read
 */
export async function describeFile(
  path: string,
  fileName: string,
): Promise<{ readonly digest: string; readonly description: ModuleDescription }> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.allocUnsafe((await file.stat()).size);
    const hash = createHash('sha256');
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, Math.min(step, bytes.length - length), length);
      if (bytesRead === 0) break; // it shrank while it was read
      hash.update(bytes.subarray(length, length + bytesRead));
      length += bytesRead;
    }
    return { digest: `sha256:${hash.digest('hex')}`, description: describeModule(bytes.subarray(0, length)) };
  } catch (error) {
    if (!(error instanceof DrydockError)) throw error;
    const { kind, message, hint, data } = error;
    throw new DrydockError(kind, `${fileName}: ${message}`, { hint, data, cause: error });
  } finally {
    await file.close();
  }
}
