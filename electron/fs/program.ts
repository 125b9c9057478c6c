import { fsError } from './error.ts';
import type { OpenFile } from './open-file.ts';

/** A module file that may be run. */
export interface Program {
  /** The identity of its bytes, for a cache of compiled modules. */
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** A buffer whose first `headroom` bytes are free and that holds the file after them. Throws ESTALE when the file is no longer the one `key` names. */
  read(headroom: number): Buffer;
}

function keyOf(file: OpenFile): { key: string; size: number } {
  const { dev, ino, size, mtime, ctime } = file.stat();
  return { key: `${dev}:${ino}:${size}:${mtime}:${ctime}`, size: Number(size) };
}

/** @param open opens the file anew; it is closed before this, and `read`, return. */
export function readProgram(open: () => OpenFile, path: string): Program {
  const withFile = <T>(action: (file: OpenFile) => T): T => {
    const file = open();
    try {
      return action(file);
    } finally {
      file.close();
    }
  };
  const { key, size } = withFile(keyOf);
  return {
    key,
    size,
    read: (headroom) =>
      withFile((file) => {
        if (keyOf(file).key !== key) throw fsError('ESTALE', path);
        const buffer = Buffer.allocUnsafeSlow(headroom + size);
        for (let done = 0; done < size;) {
          const read = file.read(buffer, headroom + done, size - done, done);
          if (read === 0) throw fsError('ESTALE', path);
          done += read;
        }
        return buffer;
      }),
  };
}
