import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { DrydockError } from '../../base/errors.ts';
import { describeModule } from '../../module/describe-module.ts';
import type { ModuleDescription } from '../../module/describe.ts';

/** What a .wasm file on the host is. Reads it whole: describing needs the bytes. @throws invalid that calls it `fileName` when it is not a module */
export async function describeFile(
  path: string,
  fileName: string,
): Promise<{ readonly digest: string; readonly description: ModuleDescription }> {
  const bytes = await readFile(path);
  try {
    const description = describeModule(bytes);
    return { digest: await digestInPieces(bytes), description };
  } catch (error) {
    if (!(error instanceof DrydockError)) throw error;
    throw new DrydockError(error.kind, `${fileName}: ${error.message}`, {
      hint: error.hint,
      data: { ...error.data, file: fileName },
      cause: error,
    });
  }
}

const piece = 4 * 1024 * 1024;

/** Lets others have their turn: a big module takes tens of milliseconds to hash. */
async function digestInPieces(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += piece) {
    hash.update(bytes.subarray(at, at + piece));
    await setImmediate();
  }
  return `sha256:${hash.digest('hex')}`;
}
