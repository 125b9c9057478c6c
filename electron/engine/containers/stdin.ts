/** A container's stdin: what is written before the start is kept and delivered at the start, in order, before anything later. */
import type { Run } from '../../supervisor/api.ts';

/** Bytes kept while nothing runs; beyond, a writer waits. */
const limit = 1 << 20;

export class Stdin {
  #run: Run | undefined;
  #kept: Uint8Array[] = [];
  #size = 0;
  #ended = false;
  #waiting: (() => void)[] = [];

  /** Resolves when there is room for more. Of an ended stdin the rest is dropped, as by a pipe whose reader is gone. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#run) return this.#run.writeStdin(bytes);
    if (this.#ended || bytes.length === 0) return Promise.resolve();
    // A copy: the caller's buffer may be a view of something it goes on using.
    this.#kept.push(Uint8Array.from(bytes));
    this.#size += bytes.length;
    if (this.#size < limit) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  end(): void {
    if (this.#run) this.#run.endStdin();
    else this.#ended = true;
  }

  /** A run begins: everything kept goes there. Writers who waited may go on when the last of it is taken. */
  connect(run: Run): void {
    this.#run = run;
    let last: Promise<void> = Promise.resolve();
    for (const bytes of this.#kept) last = run.writeStdin(bytes);
    if (this.#ended) run.endStdin();
    const waiting = this.#waiting;
    this.#forget();
    if (waiting.length > 0) void last.finally(() => waiting.forEach((resolve) => resolve()));
  }

  /** The run is over; what comes now is for the next one. */
  disconnect(): void {
    this.#run = undefined;
  }

  /** The container is gone: nobody waits for room any longer. */
  close(): void {
    this.#run = undefined;
    this.#ended = true;
    this.#waiting.forEach((resolve) => resolve());
    this.#forget();
    this.#ended = true;
  }

  #forget(): void {
    this.#kept = [];
    this.#size = 0;
    this.#ended = false;
    this.#waiting = [];
  }
}
