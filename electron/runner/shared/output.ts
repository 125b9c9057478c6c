import type { FromRunner, RunSpec } from '../../supervisor/protocol.ts';
import { Announcer } from '../announcer.ts';
import { LogWriter } from '../log-writer.ts';
import { newlinesToCrlf } from '../tty.ts';
import type { GuestOutput } from '../wasi/world.ts';

/** Bytes that one call writes at most, as through the ring of a guest in its own thread. */
const RECORD_LIMIT = 1 << 17;
/** Milliseconds between attempts to write to a full disk, and how long an ended run goes on trying. */
const RETRY_INTERVAL = 100;
const RETRY_AT_END = 2000;

/**
 * The output of one guest, each call of it written to the log at once: a neighbour that computes, or the end of the process for one, must not hold
 * or lose what a guest has said. While the disk is full the guest has no room.
 */
export class SharedOutput {
  readonly #id: string;
  readonly #tty: boolean;
  readonly #log: LogWriter;
  readonly #announcer: Announcer;
  readonly #drained: () => void;
  #retryTimer: NodeJS.Timeout | undefined;

  /** `drained`: there is room again. @throws the file system's error when the log cannot be opened */
  constructor(spec: RunSpec, post: (message: FromRunner) => void, drained: () => void) {
    this.#id = spec.id;
    this.#tty = spec.tty !== undefined;
    this.#log = new LogWriter(spec.log);
    this.#announcer = new Announcer(spec.id, () => this.#log.offset, post);
    this.#drained = drained;
  }

  stream(stream: 0 | 1): GuestOutput {
    return {
      write: (chunks) => (this.#log.stuck ? 0 : this.#write(stream, chunks)),
      writable: () => !this.#log.stuck,
    };
  }

  /** Text of our own. */
  say(stream: 0 | 1, bytes: Buffer): void {
    this.#add(stream, [bytes], !this.#tty || stream === 0);
  }

  /** Resolves to the log's end when the last byte is in the file, or given up (which the engine's own log then says). */
  async finish(): Promise<number> {
    clearTimeout(this.#retryTimer);
    for (const deadline = Date.now() + RETRY_AT_END; this.#log.stuck && !this.#log.retry();) {
      if (Date.now() >= deadline) {
        process.stderr.write(`${this.#id}: the end of the log is lost: ${String(this.#log.stuck)}\n`);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL));
    }
    this.close();
    return this.#log.offset;
  }

  close(): void {
    clearTimeout(this.#retryTimer);
    this.#announcer.stop();
    this.#log.close();
  }

  #write(stream: 0 | 1, chunks: readonly Uint8Array[]): number {
    let left = RECORD_LIMIT;
    const parts: Buffer[] = [];
    for (const { buffer, byteOffset, length } of chunks) {
      const part = Buffer.from(buffer, byteOffset, Math.min(length, left));
      parts.push(part);
      left -= part.length;
      if (left === 0) break;
    }
    this.#add(stream, parts, !this.#tty);
    return RECORD_LIMIT - left;
  }

  #add(stream: 0 | 1, parts: readonly Buffer[], asIs: boolean): void {
    this.#log.begin();
    for (const part of parts) this.#log.add(this.#tty ? 0 : stream, asIs ? part : newlinesToCrlf(part));
    this.#log.end();
    this.#announcer.announce();
    if (this.#log.stuck) this.#retryLater();
  }

  #retryLater(): void {
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      if (!this.#log.retry()) return this.#retryLater();
      this.#announcer.announce();
      this.#drained();
    }, RETRY_INTERVAL);
  }
}
