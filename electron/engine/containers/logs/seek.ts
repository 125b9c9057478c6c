/** Places in a log: the first record of a time by binary search over offsets, the last n lines by reading backwards. Neither reads everything. */
import { formatTime, TIME_LENGTH } from '../../../base/log-format.ts';
import { isPartial, isRecord, isStdout, type Wanted } from './entry.ts';
import type { LogFiles, Segment } from './files.ts';

const blockSize = 64 * 1024;
const newline = 10;

/** Reads [from, to) of one segment whole. Shorter only when the file is. */
async function bytesOf(files: LogFiles, from: number, to: number): Promise<Buffer> {
  const block = Buffer.allocUnsafe(to - from);
  let done = 0;
  while (done < block.length) {
    const { at, bytes } = await files.read(from + done, block.subarray(done), block.length - done);
    if (bytes === 0 || at !== from + done) break;
    done += bytes;
  }
  return block.subarray(0, done);
}

/** Is the record at `start` before the wanted time? RFC 3339 in UTC with a fixed width sorts as bytes. */
const isBefore = (block: Buffer, start: number, time: Buffer, orAt: boolean): boolean => {
  const order = block.compare(time, 0, TIME_LENGTH, start, start + TIME_LENGTH);
  return order < 0 || (orAt && order === 0);
};

/**
 * Offset of the first record whose time is ≥ `time` (or > `time` with `after`), in segments that are cut off at `end`; `end` when there is none.
 * Times never go back within a log.
 */
export async function findTime(
  files: LogFiles,
  segments: readonly Segment[],
  end: number,
  time: bigint,
  after = false,
): Promise<number> {
  if (time < 0n) return segments[0]?.offset ?? end;
  // The last nanosecond of year 9999 is the last that sorts as text.
  const wanted = Buffer.from(formatTime(time > 253402300799999999999n ? 253402300799999999999n : time), 'latin1');
  // Newest first: what people ask for is mostly near the end.
  for (let index = segments.length - 1; index >= 0; index--) {
    const segment = segments[index] as Segment;
    const stop = Math.min(segment.end, end);
    if (stop - segment.offset < TIME_LENGTH) continue;
    const head = await bytesOf(files, segment.offset, segment.offset + TIME_LENGTH);
    if (head.length === TIME_LENGTH && isBefore(head, 0, wanted, after))
      return searchSegment(files, segment.offset, stop, wanted, after);
  }
  return segments[0]?.offset ?? end;
}

/** In [low, high) of one segment; the record at `low` is before the wanted time. */
async function searchSegment(
  files: LogFiles,
  begin: number,
  end: number,
  wanted: Buffer,
  after: boolean,
): Promise<number> {
  let low = begin;
  let high = end;
  let answer = end;
  while (high - low > blockSize) {
    const middle = Math.floor((low + high) / 2);
    const start = await recordAfter(files, middle, high, end);
    if (start === undefined) high = middle;
    else if (isBefore(start.head, 0, wanted, after)) low = start.offset;
    else {
      answer = start.offset;
      high = middle;
    }
  }
  // Records that begin before `high` are left to look at; the last of them may reach beyond it.
  const block = await bytesOf(files, low, Math.min(high + TIME_LENGTH, end));
  for (let at = 0; at + TIME_LENGTH <= block.length && low + at < high;) {
    if (!isBefore(block, at, wanted, after)) return low + at;
    const next = block.indexOf(newline, at);
    if (next < 0) break;
    at = next + 1;
  }
  return answer;
}

/** The first record that begins in (from, to), with its time. */
async function recordAfter(
  files: LogFiles,
  from: number,
  to: number,
  end: number,
): Promise<{ readonly offset: number; readonly head: Buffer } | undefined> {
  for (let at = from; at < to; at += blockSize) {
    const block = await bytesOf(files, at, Math.min(at + blockSize, end));
    const found = block.indexOf(newline);
    if (found < 0) continue;
    const offset = at + found + 1;
    if (offset >= to) return undefined;
    const head = await bytesOf(files, offset, Math.min(offset + TIME_LENGTH, end));
    return head.length === TIME_LENGTH ? { offset, head } : undefined;
  }
  return undefined;
}

/**
 * Where the last `lines` lines before `end` begin, counting only the wanted streams. A line is its partial records and the full one that ends it;
 * an unfinished line at the end is one as well.
 */
export async function findTail(
  files: LogFiles,
  segments: readonly Segment[],
  end: number,
  lines: number,
  wanted: Wanted,
): Promise<number> {
  if (lines <= 0) return end;
  let count = 0;
  let first = true;
  for (let index = segments.length - 1; index >= 0; index--) {
    const segment = segments[index] as Segment;
    let size = blockSize;
    // `stop` is always just behind a record.
    for (let stop = Math.min(segment.end, end); stop > segment.offset;) {
      const from = Math.max(segment.offset, stop - size);
      const block = await bytesOf(files, from, stop);
      if (block.length < stop - from) break;
      let last = block.length;
      while (last > 0) {
        const before = last >= 2 ? block.lastIndexOf(newline, last - 2) : -1;
        if (before < 0 && from > segment.offset) break;
        const start = before + 1;
        if (isRecord(block, start, last - 1) && (isStdout(block, start) ? wanted.stdout : wanted.stderr)) {
          if (first || !isPartial(block, start)) {
            if (count === lines) return from + last;
            count++;
          }
          first = false;
        }
        last = start;
      }
      // A record longer than the block: look at more of it at once.
      size = last === block.length ? size * 2 : blockSize;
      stop = from + last;
    }
  }
  return segments[0]?.offset ?? end;
}
