/** The log of one container: where it ends, who reads it, and waking the readers. */
import { nowNano } from '../../../base/clock.ts';
import { formatTime } from '../../../base/log-format.ts';
import type { LogEntry, LogOptions } from '../../api/index.ts';
import { LogCursor } from './cursor.ts';
import type { Wanted } from './entry.ts';
import { completeEnd, LogFiles } from './files.ts';
import { findTail, findTime } from './seek.ts';

/** When a waiting reader is done: with this run, or when the container has stopped for good (a restart policy may begin another run). */
type Until = 'run' | 'stop';

export class ContainerLog {
  readonly directory: string;
  /** Exact while nothing runs; undefined = not looked at yet. */
  #end: number | undefined;
  /** As far as the writer has told in this run. */
  #known = 0;
  #writing = false;
  #followable = false;
  readonly #cursors = new Map<LogCursor, Until | undefined>();

  /** `end`: the logical end when it is known, 0 for a new log. */
  constructor(directory: string, end?: number) {
    this.directory = directory;
    this.#end = end;
  }

  /** A run begins: from now on the file belongs to a runner. */
  begin(): void {
    this.#known = this.end();
    this.#writing = true;
    this.#followable = true;
  }

  grown(offset: number): void {
    if (offset <= this.#known) return;
    this.#known = offset;
    for (const [cursor, until] of this.#cursors) if (until !== undefined) cursor.grown(offset);
  }

  /** The run is over. `offset` undefined: its runner is gone, and the file has to be asked. */
  endRun(offset: number | undefined): void {
    this.#writing = false;
    this.#end = offset ?? completeEnd(this.directory);
    this.grown(this.#end);
    for (const [cursor, until] of this.#cursors) if (until === 'run') cursor.finish(this.#end);
  }

  /** No other run will follow by itself. */
  settle(): void {
    this.#followable = false;
    const end = this.end();
    for (const [cursor, until] of this.#cursors) if (until === 'stop') cursor.finish(end);
  }

  /** Logical end of what is complete now. */
  end(): number {
    if (this.#writing) return Math.max(this.#known, completeEnd(this.directory));
    return (this.#end ??= completeEnd(this.directory));
  }

  /** What this run (or the next, when none is under way) writes from now on; or with `replay` the log so far and then that; without `stream`, only the log so far. */
  attach(wanted: Wanted, options: { readonly replay: boolean; readonly stream: boolean }): LogCursor {
    const now = this.end();
    const begin = options.replay ? 0 : now;
    return this.#cursor(begin, now, options.stream ? undefined : now, wanted, options.stream ? 'run' : undefined);
  }

  /** `docker logs`. Follows only a container that runs or is about to run again. Ends when `signal` aborts. */
  async *read(options: LogOptions, signal?: AbortSignal): AsyncGenerator<readonly LogEntry[]> {
    if (signal?.aborted) return;
    const follow = options.follow === true && this.#followable;
    const { from, end } = await this.#place(options, follow);
    // Between the search and here the log may have grown, or the container stopped: both are asked for now, in one turn.
    const limit = follow ? (this.#followable ? undefined : this.end()) : end;
    const cursor = this.#cursor(
      from,
      Math.max(end, this.#known),
      limit,
      options,
      limit === undefined ? 'stop' : undefined,
    );
    const close = (): void => cursor.close();
    signal?.addEventListener('abort', close);
    const timer = follow ? closeAt(options.until, close) : undefined;
    const until = follow && options.until !== undefined ? formatTime(options.until) : undefined;
    try {
      for await (const batch of cursor) {
        if (until === undefined) yield batch;
        else {
          const inTime = batch.filter(({ time }) => time <= until);
          if (inTime.length > 0) yield inTime;
          if (inTime.length < batch.length) return;
        }
      }
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', close);
      cursor.close();
    }
  }

  /** Before the directory is removed: readers take along what they still need. True when its files may be used again. */
  detach(): boolean {
    let reusable = true;
    const end = this.end();
    for (const cursor of [...this.#cursors.keys()]) {
      cursor.finish(end);
      reusable = cursor.detach() && reusable;
    }
    return reusable;
  }

  #cursor(from: number, known: number, limit: number | undefined, wanted: Wanted, until: Until | undefined): LogCursor {
    const cursor = new LogCursor(this.directory, { from, known, limit }, wanted, (closed) =>
      this.#cursors.delete(closed),
    );
    this.#cursors.set(cursor, until);
    return cursor;
  }

  /** Where the wanted lines begin and, as far as is known, end. */
  async #place(options: LogOptions, follow: boolean): Promise<{ readonly from: number; readonly end: number }> {
    const files = new LogFiles(this.directory);
    try {
      const all = this.end();
      const segments = files.segments();
      const end =
        options.until === undefined || follow ? all : await findTime(files, segments, all, options.until, true);
      let from = segments[0]?.offset ?? all;
      if (options.since !== undefined) from = await findTime(files, segments, end, options.since);
      if (options.tail !== undefined && options.tail >= 0)
        from = Math.max(from, await findTail(files, segments, end, options.tail, options));
      return { from: Math.min(from, end), end };
    } finally {
      files.close();
    }
  }
}

function closeAt(until: bigint | undefined, close: () => void): NodeJS.Timeout | undefined {
  if (until === undefined) return undefined;
  const left = Number((until - nowNano()) / 1_000_000n) + 1;
  return left < 2 ** 31 ? setTimeout(close, Math.max(0, left)) : undefined;
}
