/** The output of one exec: a log in a directory of its own, kept only as far as its one reader still needs it. */
import { readdirSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { segmentOffset } from '../../../base/log-format.ts';
import type { Run } from '../../../supervisor/api.ts';
import type { LogSpec } from '../../../supervisor/protocol.ts';
import type { LogEntry } from '../../api/index.ts';
import { ContainerLog } from '../logs/container-log.ts';
import type { LogCursor } from '../logs/cursor.ts';

/** Bytes after which a segment is closed; what was read is given up in steps of this. */
const SEGMENT = 16 << 20;
/** Bytes that wait for the reader before the program does. */
const AHEAD = 64 << 20;
/** Bytes after which the runner is told that they were read. */
const STEP = 4 << 20;

export class ExecOutput {
  readonly directory: string;
  readonly #log: ContainerLog;
  readonly #reader: LogCursor;
  /** What the program could not say itself; the last of the output. */
  #epilogue: LogEntry | undefined;
  #reading = true;
  #writing = true;
  #trimmed = 0;
  #told = 0;
  #run: Pick<Run, 'logRead'> | undefined;

  constructor(directory: string, wanted: { readonly stdout: boolean; readonly stderr: boolean }) {
    this.directory = directory;
    this.#log = new ContainerLog(directory, 0);
    this.#reader = this.#log.attach(wanted, { replay: false, stream: true });
    if (!wanted.stdout && !wanted.stderr) this.close();
    this.#log.begin();
  }

  /** For the runner. Old segments are ours to remove, not its. */
  get spec(): LogSpec {
    return { directory: this.directory, maxSize: SEGMENT, maxFiles: 1 << 20, ahead: AHEAD };
  }

  /** Who writes it, and has to hear how far it was read. */
  writtenBy(run: Pick<Run, 'logRead'>): void {
    this.#run = run;
    if (!this.#reading) this.#letGo();
  }

  grown(offset: number): void {
    this.#log.grown(offset);
    if (!this.#reading) this.#trim(offset);
  }

  /** Nothing more comes; `epilogue`: one last entry of our own. */
  end(offset: number | undefined, epilogue: LogEntry | undefined): void {
    this.#epilogue = epilogue;
    this.#writing = false;
    this.#log.endRun(offset);
    if (!this.#reading) this.#remove();
  }

  /** Nobody reads any more: what comes is given up. */
  close(): void {
    if (!this.#reading) return;
    this.#reading = false;
    this.#letGo();
    this.#reader.close();
    if (!this.#writing) this.#remove();
  }

  /** Before the container's directory goes: a reader that is not done takes along what it still needs. */
  detach(): void {
    this.#log.detach();
  }

  /** For one reader. Closed when it stops. */
  async *read(): AsyncGenerator<readonly LogEntry[]> {
    try {
      for await (const batch of this.#reader) {
        yield batch;
        this.#wasRead(this.#reader.position);
      }
      if (this.#epilogue && this.#reading) yield [this.#epilogue];
    } finally {
      this.close();
    }
  }

  #wasRead(position: number): void {
    this.#trim(position);
    if (position - this.#told < STEP) return;
    this.#told = position;
    this.#run?.logRead(position);
  }

  /** Nobody reads: the program need not wait for anybody. */
  #letGo(): void {
    this.#run?.logRead(Number.MAX_SAFE_INTEGER);
  }

  /** Removes the segments before `position`; the last one is the writer's. */
  #trim(position: number): void {
    if (position - this.#trimmed < SEGMENT) return;
    this.#trimmed = position;
    try {
      const segments = readdirSync(this.directory)
        .map((name) => ({ name, offset: segmentOffset(name) ?? Infinity }))
        .sort((a, b) => a.offset - b.offset);
      for (const [index, { name }] of segments.entries()) {
        const next = segments[index + 1];
        if (!next || next.offset > position) return;
        unlinkSync(join(this.directory, name));
      }
    } catch {
      // It goes with the directory.
    }
  }

  #remove(): void {
    try {
      rmSync(this.directory, { recursive: true, force: true });
    } catch {
      // Still open (Windows), or gone with the container: the next open sweeps what is left.
    }
  }
}
