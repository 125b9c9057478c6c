/**
 * The container log on disk: CRI text records `TIME STREAM TAG BYTES\n` in segment files. The runner writes, the engine reads.
 *   TIME    RFC 3339, nine digits, Z: 30 bytes; one time for each drained batch, never going back within a log
 *   STREAM  "stdout" | "stderr"
 *   TAG     "F": BYTES and the newline after them are output · "P": BYTES are output, the newline is not
 * BYTES never hold a newline. A segment is named by the logical offset of its first byte, 16 digits, ".log"; offsets go on over segments, so
 * a cursor is one number. The last segment may end in a torn record after a crash: readers stop before it, writers cut it off.
 */
export const TIME_LENGTH = 30;
/** Bytes before the payload: time, space, stream, space, tag, space. */
export const PREFIX_LENGTH = TIME_LENGTH + 10;
/** Offset of the character that tells the streams apart ('o' of stdout, 'e' of stderr) in a record: "stdout"[3] / "stderr"[3]. */
export const STREAM_MARK = TIME_LENGTH + 4;
/** Offset of 'F' or 'P' in a record. */
export const TAG_MARK = TIME_LENGTH + 8;

/** "0000000000001234.log" */
export const segmentName = (offset: number): string => `${String(offset).padStart(16, '0')}.log`;

/** The offset in a segment's name, or undefined when it is not one. */
export function segmentOffset(name: string): number | undefined {
  const match = /^(\d{16})\.log$/.exec(name);
  return match ? Number(match[1]) : undefined;
}

/** RFC 3339 with nine digits for nanoseconds since the epoch. */
export function formatTime(nanoseconds: bigint): string {
  const milliseconds = Number(nanoseconds / 1_000_000n);
  const rest = String(nanoseconds % 1_000_000n).padStart(6, '0');
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${rest}Z`;
}

/** Nanoseconds since the epoch of an RFC 3339 time with up to nine digits of fraction and Z or an offset. NaN-free: throws on anything else. */
export function parseTime(text: string): bigint {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) throw new Error(`not an RFC 3339 time: ${text}`);
  const seconds = Date.parse(`${match[1]}${match[3]}`) / 1000;
  return BigInt(seconds) * 1_000_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'));
}
