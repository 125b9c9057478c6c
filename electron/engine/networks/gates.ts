/** Where runs are reached by other runs: one unix socket (or named pipe) each, in a directory that only this user can enter. */
import { createHash, randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** sun_path holds 104 bytes on macOS and 108 on Linux, the final NUL included; names below the directory take up to 11. */
const longestDirectory = 88;

export class Gates {
  readonly #preferred: string;
  readonly #platform: NodeJS.Platform;
  #directory: string | undefined;
  #count = 0;

  /** `preferred`: an empty directory of ours, made when it is needed; a path too long for a socket is replaced by one in the system's. */
  constructor(preferred: string, platform: NodeJS.Platform = process.platform) {
    this.#preferred = preferred;
    this.#platform = platform;
  }

  /** A new address; never given twice. */
  next(): string {
    const name = (++this.#count).toString(36);
    if (this.#platform === 'win32') return `\\\\.\\pipe\\drydock-${randomBytes(16).toString('hex')}-${name}`;
    return join((this.#directory ??= this.#make()), `${name}.sock`);
  }

  /** What a run left of it. */
  remove(gate: string): void {
    if (this.#platform !== 'win32') rmSync(gate, { force: true });
  }

  close(): void {
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true });
    this.#directory = undefined;
  }

  #make(): string {
    if (Buffer.byteLength(this.#preferred) > longestDirectory) return inTemporary(this.#preferred);
    mkdirSync(this.#preferred, { recursive: true, mode: 0o700 });
    return this.#preferred;
  }
}

/** One home has one engine, so what an earlier one left there (it was killed) is nobody's. */
function inTemporary(preferred: string): string {
  const prefix = `drydock-${createHash('sha256').update(preferred).digest('hex').slice(0, 12)}-`;
  for (const name of readdirSync(tmpdir()).filter((each) => each.startsWith(prefix))) {
    const left = join(tmpdir(), name);
    if (lstatSync(left, { throwIfNoEntry: false })?.uid === process.getuid?.())
      rmSync(left, { recursive: true, force: true });
  }
  return mkdtempSync(join(tmpdir(), prefix));
}
