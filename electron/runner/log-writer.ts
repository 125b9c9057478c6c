/** Appends to a container's log in the format of base/log-format.ts: the one writer of these files while a run lives. */
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { nowNano } from '../base/clock.ts';
import {
  formatTime,
  parseTime,
  PREFIX_LENGTH,
  segmentName,
  segmentOffset,
  TAG_MARK,
  TIME_LENGTH,
} from '../base/log-format.ts';

const NEWLINE = 10;
const PARTIAL = 0x50;
const BUFFER_SIZE = 1 << 19;
const NONE = -1;

/** The buffer of the last writer that was closed: starts come by the thousand, and a fresh half megabyte each would be garbage each. */
let spareBuffer: Buffer | undefined;

function takeBuffer(): Buffer {
  const buffer = spareBuffer ?? Buffer.allocUnsafeSlow(BUFFER_SIZE);
  spareBuffer = undefined;
  return buffer;
}

/** Same shape as LogSpec of supervisor/protocol.ts. */
export interface LogOptions {
  readonly directory: string;
  readonly maxSize?: number;
  readonly maxFiles: number;
}

/** fs.writeSync, or a disk that misbehaves, in tests. */
export type LogWrite = (fd: number, buffer: Buffer, offset: number, length: number) => number;

/**
 * Use: `begin()`, any number of `add()`, `end()`: one batch, one time. A failed write (disk full) loses nothing: the bytes stay here, `stuck` is
 * true, nobody should add more, and `retry()` tries again.
 */
export class LogWriter {
  readonly #options: LogOptions;
  #fd: number;
  /** Logical offsets: of the segment's first byte, and of the next byte to reach the file. */
  #segmentStart: number;
  #written: number;
  /** Offsets of older segments, oldest first. */
  #older: number[];
  #buffer = takeBuffer();
  /** Bytes in the buffer, and how many of them a short write has brought to the file already. */
  #filled = 0;
  #flushed = 0;
  readonly #prefixes = [Buffer.alloc(PREFIX_LENGTH), Buffer.alloc(PREFIX_LENGTH)] as const;
  #lastTime: bigint;
  /** The stream whose record is still without its newline, and where that record begins in the buffer. */
  #open: number = NONE;
  #openAt = 0;
  #error: NodeJS.ErrnoException | undefined;

  readonly #write: LogWrite;

  /** Opens the last segment, cuts off a torn record, or makes the first segment. @throws the file system's error. */
  constructor(options: LogOptions, write: LogWrite = writeSync) {
    this.#options = options;
    this.#write = write;
    mkdirSync(options.directory, { recursive: true });
    const segments = readdirSync(options.directory)
      .map(segmentOffset)
      .filter((offset) => offset !== undefined)
      .sort((a, b) => a - b);
    this.#segmentStart = segments.at(-1) ?? 0;
    this.#older = segments.slice(0, -1);
    const path = this.#path(this.#segmentStart);
    const { size, time } = segments.length > 0 ? cutTail(path) : { size: 0, time: undefined };
    const before = this.#older.at(-1);
    this.#lastTime = time ?? (before === undefined ? 0n : (cutTail(this.#path(before)).time ?? 0n));
    this.#fd = openSync(path, 'a', 0o640);
    this.#written = this.#segmentStart + size;
  }

  /** Logical end of the log on disk; at a record's end whenever `stuck` is undefined. */
  get offset(): number {
    return this.#written;
  }

  /** Why the last write did not succeed. */
  get stuck(): NodeJS.ErrnoException | undefined {
    return this.#error;
  }

  begin(): void {
    const now = nowNano();
    if (now > this.#lastTime) this.#lastTime = now;
    const time = formatTime(this.#lastTime);
    this.#prefixes[0].write(`${time} stdout F `, 'latin1');
    this.#prefixes[1].write(`${time} stderr F `, 'latin1');
  }

  /** Output bytes of a stream. Joins with what came before in this batch: a line written in pieces is one record. */
  add(stream: 0 | 1, bytes: Buffer, start = 0, end = bytes.length): void {
    let at = start;
    while (at < end) {
      const newline = bytes.indexOf(NEWLINE, at);
      const closes = newline >= 0 && newline < end;
      const stop = closes ? newline : end;
      if (this.#open !== stream) this.#startRecord(stream, stop - at);
      else if (this.#buffer.length - this.#filled < stop - at + 1) this.#makeRoom(stop - at + 1);
      this.#filled += bytes.copy(this.#buffer, this.#filled, at, stop);
      if (closes) {
        this.#buffer[this.#filled++] = NEWLINE;
        this.#open = NONE;
      }
      at = stop + 1;
    }
  }

  /** Ends the batch: a record without its newline becomes a partial one. Everything is handed to the file system. */
  end(): void {
    this.#closeRecord();
    this.#flush();
  }

  /** Tries to write again what is held back. True when nothing is. */
  retry(): boolean {
    this.#flush();
    return this.#error === undefined;
  }

  /** Bytes held back are given up: call it after `end`, and when stuck only after having tried for a while. */
  close(): void {
    if (this.#fd < 0) return;
    // A short write may have left half a record: take it away, readers and the next writer need not.
    if (this.#error) {
      try {
        this.#written = this.#segmentStart + cutTail(this.#path(this.#segmentStart)).size;
      } catch {
        // The next opening cuts it.
      }
    }
    closeSync(this.#fd);
    this.#fd = -1;
    if (this.#buffer.length === BUFFER_SIZE) spareBuffer = this.#buffer;
  }

  #path(offset: number): string {
    return join(this.#options.directory, segmentName(offset));
  }

  #startRecord(stream: 0 | 1, length: number): void {
    this.#closeRecord();
    const { maxSize } = this.#options;
    const size = this.#written - this.#segmentStart + this.#filled - this.#flushed;
    if (maxSize !== undefined && size >= maxSize && !this.#error) this.#rotate();
    if (this.#buffer.length - this.#filled < PREFIX_LENGTH + length + 1) this.#makeRoom(PREFIX_LENGTH + length + 1);
    this.#open = stream;
    this.#openAt = this.#filled;
    this.#prefixes[stream].copy(this.#buffer, this.#filled);
    this.#filled += PREFIX_LENGTH;
  }

  #closeRecord(): void {
    if (this.#open === NONE) return;
    if (this.#buffer.length === this.#filled) this.#grow(1);
    this.#buffer[this.#openAt + TAG_MARK] = PARTIAL;
    this.#buffer[this.#filled++] = NEWLINE;
    this.#open = NONE;
  }

  #makeRoom(length: number): void {
    // An open record stays in the buffer: its tag is not known yet.
    if (this.#open === NONE && !this.#error) this.#flush();
    if (this.#buffer.length - this.#filled < length) this.#grow(length);
  }

  #grow(length: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#filled + length));
    this.#buffer.copy(larger, 0, 0, this.#filled);
    this.#buffer = larger;
  }

  #flush(): void {
    try {
      while (this.#flushed < this.#filled) {
        const count = this.#write(this.#fd, this.#buffer, this.#flushed, this.#filled - this.#flushed);
        this.#flushed += count;
        this.#written += count;
      }
    } catch (error) {
      this.#error = error as NodeJS.ErrnoException;
      return;
    }
    this.#error = undefined;
    this.#filled = 0;
    this.#flushed = 0;
    if (this.#buffer.length > 4 * BUFFER_SIZE) this.#buffer = Buffer.allocUnsafeSlow(BUFFER_SIZE);
  }

  /** The next segment begins here. When it cannot be made, this one simply goes on. */
  #rotate(): void {
    this.#flush();
    if (this.#error) return;
    let fd: number;
    try {
      fd = openSync(this.#path(this.#written), 'a', 0o640);
    } catch {
      return;
    }
    closeSync(this.#fd);
    this.#fd = fd;
    this.#older.push(this.#segmentStart);
    this.#segmentStart = this.#written;
    while (this.#older.length >= Math.max(1, this.#options.maxFiles)) {
      try {
        unlinkSync(this.#path(this.#older[0] as number));
      } catch {
        // Somebody else removed it: it is gone either way.
      }
      this.#older.shift();
    }
  }
}

/** Cuts off what follows the last newline of a segment (a record torn by a crash). Returns the size, and the last record's time. */
function cutTail(path: string): { size: number; time: bigint | undefined } {
  let { size } = statSync(path);
  if (size === 0) return { size, time: undefined };
  const fd = openSync(path, 'r+');
  try {
    const end = lastNewline(fd, size) + 1;
    if (end < size) ftruncateSync(fd, end);
    size = end;
    if (size === 0) return { size, time: undefined };
    const head = Buffer.alloc(TIME_LENGTH);
    readSync(fd, head, 0, TIME_LENGTH, lastNewline(fd, size - 1) + 1);
    try {
      return { size, time: parseTime(head.toString('latin1')) };
    } catch {
      return { size, time: undefined };
    }
  } finally {
    closeSync(fd);
  }
}

/** Position of the last newline before `end`, or -1. */
function lastNewline(fd: number, end: number): number {
  const block = Buffer.alloc(1 << 16);
  while (end > 0) {
    const start = Math.max(0, end - block.length);
    const count = readSync(fd, block, 0, end - start, start);
    const found = block.lastIndexOf(NEWLINE, count - 1);
    if (found >= 0 && count > 0) return start + found;
    end = start;
  }
  return -1;
}
