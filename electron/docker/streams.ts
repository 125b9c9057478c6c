import type { Writable } from 'node:stream';
import type { LogEntry } from '../engine/api/index.ts';
import { atLeast } from './versions.ts';

/** Longest payload of a frame that several entries are gathered into; the CLI's copy loop works best when a frame fits in its buffer. */
const FRAME = 64 << 10;
const HEADER = 8;
const NEWLINE = 10;

/** What stands before each line of `docker logs`. */
export interface Decoration {
  readonly timestamps: boolean;
  /** Attributes of `--details` with the space after them; '' = none. */
  readonly details: string;
}

export interface OutputEncoder {
  /** One buffer for the whole batch, so that a batch is one write. */
  encode(batch: readonly LogEntry[]): Buffer;
}

/** The bytes of a batch of output: framed (`[stream,0,0,0,length BE]`, neighbours of one stream joined) or, with a TTY, raw. */
export function outputEncoder(tty: boolean, decoration?: Decoration): OutputEncoder {
  const decorate = decoration && (decoration.timestamps || decoration.details) ? lineDecorator(decoration) : undefined;
  return {
    encode(batch) {
      const pieces: readonly Piece[] = decorate ? decorate(batch) : batch;
      return tty ? Buffer.concat(pieces.map((piece) => piece.data)) : frame(pieces);
    },
  };
}

type Piece = Pick<LogEntry, 'stream' | 'data'>;

function frame(pieces: readonly Piece[]): Buffer {
  // First the lengths of the frames, then one allocation, then the copy. Bytes are asked for once: the engine's entries make them on demand.
  const parts: Uint8Array[] = [];
  const streams: number[] = [];
  const lengths: number[] = [];
  let total = 0;
  let stream = 0;
  let length = 0;
  for (const piece of pieces) {
    const { data } = piece;
    if (data.length === 0) continue;
    if (piece.stream !== stream || length + data.length > FRAME) {
      if (stream !== 0) lengths.push(length);
      stream = piece.stream;
      streams.push(stream);
      length = 0;
    }
    length += data.length;
    total += data.length;
    parts.push(data);
  }
  if (stream !== 0) lengths.push(length);
  const out = Buffer.allocUnsafe(total + lengths.length * HEADER);
  let at = 0;
  let left = 0;
  let next = 0;
  for (const part of parts) {
    if (left === 0) {
      left = lengths[next] ?? 0;
      out.writeUInt32BE((streams[next++] ?? 0) << 24, at);
      out.writeUInt32BE(left, at + 4);
      at += HEADER;
    }
    out.set(part, at);
    at += part.length;
    left -= part.length;
  }
  return out;
}

/** Puts time and details before each line; a line that comes in parts gets them once. */
function lineDecorator({ timestamps, details }: Decoration): (batch: readonly LogEntry[]) => Piece[] {
  const inLine = { 1: false, 2: false };
  return (batch) => {
    const pieces: Piece[] = [];
    for (const { stream, time, data } of batch) {
      const prefix = Buffer.from(`${timestamps ? `${time} ` : ''}${details}`);
      for (let at = 0; at < data.length;) {
        const newline = data.indexOf(NEWLINE, at);
        const end = newline < 0 ? data.length : newline + 1;
        if (!inLine[stream]) pieces.push({ stream, data: prefix });
        pieces.push({ stream, data: data.subarray(at, end) });
        inLine[stream] = newline < 0;
        at = end;
      }
    }
    return pieces;
  };
}

/** Content type of a stream of output. Clients before 1.42 know only the raw one. */
export function outputType(tty: boolean, version: string): string {
  return !tty && atLeast(version, '1.42')
    ? 'application/vnd.docker.multiplexed-stream'
    : 'application/vnd.docker.raw-stream';
}

/** Writes and waits until there is room for more. False when the other side is gone. */
export async function write(out: Writable, chunk: Buffer | string): Promise<boolean> {
  if (out.destroyed || out.writableEnded) return false;
  if (out.write(chunk)) return true;
  if (!out.destroyed) {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        out.off('drain', done);
        out.off('close', done);
        resolve();
      };
      out.on('drain', done);
      out.on('close', done);
    });
  }
  return !out.destroyed;
}
