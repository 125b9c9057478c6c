import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { conflict, full, invalid, notFound } from '../base/errors.ts';
import type { StagedModule } from '../contract/modules.ts';
import type { EngineApi } from '../engine/api/index.ts';
import { moduleInfoOf } from './module-info.ts';

export interface StagingLimits {
  /** Bytes of one file. */
  readonly file: number;
  /** Bytes of all files that wait. */
  readonly total: number;
  /** Milliseconds that a file waits. */
  readonly keep: number;
}

const defaults: StagingLimits = { file: 1 << 30, total: 4 * (1 << 30), keep: 10 * 60_000 };

interface Staged {
  readonly fileName: string;
  readonly path: string;
  readonly size: number;
  expires: number;
  /** Being imported: not to be removed under the reader. */
  busy: boolean;
}

/** What an image made from the file would be called: "My Tool.wasm" → "my-tool:latest". */
export function suggestedReference(fileName: string): string {
  const name = basename(fileName)
    .replace(/\.(wasm|wat|component)$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/[._-]{2,}/g, '-')
    .replace(/^[._-]+|[._-]+$/g, '')
    .slice(0, 128);
  return `${name || 'module'}:latest`;
}

/** A file's bytes; opened when the first is asked for, so that one which is never read is never opened. */
async function* bytesOf(path: string): AsyncGenerator<Uint8Array, void> {
  yield* createReadStream(path) as AsyncIterable<Uint8Array>;
}

/** Files that were dropped, picked or uploaded and wait to become images. Owns its temporary files; each has a limit and an end. */
export class Staging {
  readonly #engine: EngineApi;
  readonly #directory: string;
  readonly #limits: StagingLimits;
  readonly #staged = new Map<string, Staged>();
  #arriving = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param directory HOME/tmp: whatever a crash leaves there is cleared when the home is opened */
  constructor(engine: EngineApi, directory: string, limits: Partial<StagingLimits> = {}) {
    this.#engine = engine;
    this.#directory = directory;
    this.#limits = { ...defaults, ...limits };
  }

  /** Bytes that one file may have. */
  get limit(): number {
    return this.#limits.file;
  }

  /** Files that wait. */
  get count(): number {
    return this.#staged.size;
  }

  /** A file of the user's own machine. The path is copied from: what is described is what becomes the image. */
  async addFile(path: string): Promise<StagedModule> {
    const found = await stat(path);
    if (!found.isFile()) throw invalid(`${path} is not a file`, { hint: 'Choose a .wasm file.' });
    if (found.size > this.#limits.file) throw this.#tooLarge(path);
    return this.add(path, bytesOf(path));
  }

  /**
   * Takes in the bytes of a file and tells what it is. Reading stops at the first bytes when they are not WebAssembly.
   * @throws invalid when it is not a module or too large, full when the disk or the waiting room is
   */
  async add(fileName: string, bytes: AsyncIterable<Uint8Array>): Promise<StagedModule> {
    const stageId = randomUUID();
    const name = basename(fileName.replaceAll('\\', '/')) || 'module.wasm';
    const path = join(this.#directory, `stage-${stageId}.wasm`);
    let keep = false;
    try {
      const size = await this.#write(name, bytes, path);
      const { digest, description } = await this.#engine.images.describe(path, name);
      this.#staged.set(stageId, { fileName: name, path, size, expires: Date.now() + this.#limits.keep, busy: false });
      keep = true;
      this.#watchClock();
      return {
        stageId,
        fileName: name,
        suggestedReference: suggestedReference(name),
        module: moduleInfoOf(digest, description),
      };
    } finally {
      if (!keep) await rm(path, { force: true });
    }
  }

  /** The staged file becomes an image; it stays staged when that fails, so that another name can be tried. */
  async import(stageId: string, reference: string): Promise<{ imageId: string; reference: string }> {
    const staged = this.#staged.get(stageId);
    if (!staged) {
      throw notFound('The file is no longer kept', { hint: 'Drop it again: files wait for ten minutes.' });
    }
    if (staged.busy) throw conflict(`${staged.fileName} is being imported already`);
    staged.busy = true;
    try {
      const view = await this.#engine.images.importModule(bytesOf(staged.path), {
        fileName: staged.fileName,
        reference,
      });
      staged.busy = false;
      await this.discard(stageId);
      const tag = view.repoTags.find((each) => each === reference || each === `${reference}:latest`);
      return { imageId: view.id, reference: tag ?? reference };
    } finally {
      staged.busy = false;
    }
  }

  /** Forgets a staged file. Idempotent; one that is being imported goes when that is done. */
  async discard(stageId: string): Promise<void> {
    const staged = this.#staged.get(stageId);
    if (!staged || staged.busy) return;
    this.#staged.delete(stageId);
    this.#watchClock();
    await rm(staged.path, { force: true });
  }

  /** Removes all files. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const all = [...this.#staged.values()];
    this.#staged.clear();
    await Promise.all(all.map(({ path }) => rm(path, { force: true })));
  }

  async #write(name: string, bytes: AsyncIterable<Uint8Array>, path: string): Promise<number> {
    await mkdir(this.#directory, { recursive: true });
    // Opened before the first byte is looked at: a stream that is refused while its file is still being opened would leave the file behind.
    const file = await open(path, 'wx', 0o600);
    let size = 0;
    try {
      const checked = this.#checked(name, bytes, (grown) => {
        size += grown;
        this.#arriving += grown;
      });
      for await (const chunk of checked) await file.writeFile(chunk);
    } finally {
      this.#arriving -= size;
      await file.close();
    }
    return size;
  }

  async *#checked(
    name: string,
    bytes: AsyncIterable<Uint8Array>,
    grown: (bytes: number) => void,
  ): AsyncGenerator<Uint8Array, void> {
    let size = 0;
    let head = Buffer.alloc(0);
    const waiting = [...this.#staged.values()].reduce((sum, staged) => sum + staged.size, 0);
    for await (const chunk of bytes) {
      size += chunk.length;
      grown(chunk.length);
      if (size > this.#limits.file) throw this.#tooLarge(name);
      if (waiting + this.#arriving > this.#limits.total) {
        throw full(`${name} does not fit: too many files wait to become images`, {
          hint: 'Import or dismiss some of them first.',
        });
      }
      yield chunk;
      if (head.length < 4) head = Buffer.concat([head, chunk.subarray(0, 4)]);
      // Not WebAssembly: enough is written for `describe` to say what it is instead.
      if (head.length >= 4 && head.subarray(0, 4).toString('latin1') !== '\0asm') return;
    }
  }

  #tooLarge(name: string) {
    return invalid(`${name} is larger than ${this.#limits.file / (1 << 20)} MiB`, {
      hint: 'Build an image from it with docker build.',
    });
  }

  /** One timer, and only while something waits. */
  #watchClock(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const next = Math.min(...[...this.#staged.values()].map((staged) => staged.expires));
    if (!Number.isFinite(next)) return;
    this.#timer = setTimeout(() => void this.#expire(), Math.max(0, next - Date.now()));
    this.#timer.unref();
  }

  async #expire(): Promise<void> {
    const now = Date.now();
    for (const [stageId, staged] of this.#staged) {
      if (staged.expires > now) continue;
      // An import that takes this long keeps its file a little longer.
      if (staged.busy) staged.expires = now + this.#limits.keep;
      else await this.discard(stageId);
    }
    this.#watchClock();
  }
}
