/** Writes logs for tests, independently of the runner's writer. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatTime, segmentName } from '../../../base/log-format.ts';

export interface TestRecord {
  readonly time: bigint;
  readonly stream: 1 | 2;
  readonly partial: boolean;
  /** Without a newline. */
  readonly text: string;
}

export const bytesOf = (record: TestRecord): Buffer =>
  Buffer.from(
    `${formatTime(record.time)} ${record.stream === 1 ? 'stdout' : 'stderr'} ${record.partial ? 'P' : 'F'} ${record.text}\n`,
  );

/** A log directory; a new segment begins where a record would make one larger than `segmentSize`. `torn`: bytes at the very end. */
export function writeLog(records: readonly TestRecord[], segmentSize = Infinity, torn = ''): string {
  const directory = join(mkdtempSync(join(tmpdir(), 'drydock-log-')), 'logs');
  mkdirSync(directory);
  let offset = 0;
  let begin = 0;
  let chunks: Buffer[] = [];
  const flush = (): void => {
    writeFileSync(join(directory, segmentName(begin)), Buffer.concat(chunks));
    begin = offset;
    chunks = [];
  };
  for (const record of records) {
    const bytes = bytesOf(record);
    if (chunks.length > 0 && offset - begin + bytes.length > segmentSize) flush();
    chunks.push(bytes);
    offset += bytes.length;
  }
  if (torn !== '') chunks.push(Buffer.from(torn));
  if (chunks.length > 0) flush();
  return directory;
}

/** A small repeatable generator of numbers in [0, below). */
export function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
