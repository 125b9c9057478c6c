import type { FileStat } from './stat.ts';

/** Both times of a file, nanoseconds since the epoch; undefined = leave as it is. */
export interface FileTimes {
  readonly atime: bigint | undefined;
  readonly mtime: bigint | undefined;
}

interface Remembered {
  readonly atimeAsked: bigint;
  readonly atimeKept: bigint;
  readonly mtimeAsked: bigint;
  readonly mtimeKept: bigint;
}

const LIMIT = 4096;

/** Seconds for node:fs, which takes times as floating point numbers. */
export const toSeconds = (nanoseconds: bigint): number => Number(nanoseconds) / 1e9;

/**
 * Times to the nanosecond. node:fs sets times as floating-point seconds, which today resolve about 240 ns, so what was set would not be what is
 * read back. Remembered here, by device and inode, are the times asked for and the ones the kernel then reported: as long as the kernel still
 * reports those, the file was not touched since, and the exact ones are the answer.
 */
export class ExactTimes {
  readonly #byFile = new Map<string, Remembered>();

  /** Remembers that `asked` was set on the file that now reports `kept`. */
  remember(kept: FileStat, asked: { atime: bigint; mtime: bigint }): void {
    const key = `${kept.dev}:${kept.ino}`;
    this.#byFile.delete(key);
    if (kept.atime === asked.atime && kept.mtime === asked.mtime) return;
    if (this.#byFile.size >= LIMIT) this.#byFile.delete(this.#byFile.keys().next().value as string);
    this.#byFile.set(key, {
      atimeAsked: asked.atime,
      atimeKept: kept.atime,
      mtimeAsked: asked.mtime,
      mtimeKept: kept.mtime,
    });
  }

  /** The stat with the exact times where they are known. */
  exact(stat: FileStat): FileStat {
    if (this.#byFile.size === 0) return stat;
    const found = this.#byFile.get(`${stat.dev}:${stat.ino}`);
    if (!found) return stat;
    return {
      ...stat,
      atime: stat.atime === found.atimeKept ? found.atimeAsked : stat.atime,
      mtime: stat.mtime === found.mtimeKept ? found.mtimeAsked : stat.mtime,
    };
  }
}
