import { isUtf8 } from 'node:buffer';
import { invalid } from '../../base/errors.ts';
import { hostile } from './tar-names.ts';

export type TarType =
  | 'file'
  | 'contiguous-file'
  | 'link'
  | 'symlink'
  | 'character-device'
  | 'block-device'
  | 'directory'
  | 'fifo'
  /** What no reader here has a use for: volume labels, dumps of directories. */
  | null;

/** One entry of a tar, whatever its dialect. */
export interface TarHeader {
  readonly name: string;
  readonly type: TarType;
  /** Permission bits and the three above them. */
  readonly mode: number;
  readonly mtime: Date;
  /** Bytes that follow; 0 for what has no body. */
  readonly size: number;
  /** Links only. */
  readonly linkname: string;
}

export const blockSize = 512;

/** A header block as it stands, before what the extended headers before it say. */
export interface RawHeader {
  readonly flag: string;
  readonly name: Uint8Array;
  readonly linkname: Uint8Array;
  readonly mode: number;
  /** Seconds. */
  readonly mtime: number;
  readonly size: number;
}

const types: Readonly<Record<string, TarType>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character-device',
  '4': 'block-device',
  '5': 'directory',
  '6': 'fifo',
  '7': 'contiguous-file',
};

/** Only files have a body, whatever the size field of the others says (POSIX pax, ustar; Go archive/tar isHeaderOnly). */
const bodiless = new Set<TarType>(['link', 'symlink', 'character-device', 'block-device', 'directory', 'fifo']);

export const isZeroBlock = (block: Uint8Array): boolean => block[0] === 0 && block.every((byte) => byte === 0);

/** The header block of a tar has a checksum; this tells a tar from other bytes. The sum of a block without anything is none. */
export function looksLikeTar(block: Uint8Array): boolean {
  if (block.length < blockSize) return false;
  const stored = octal(block, 148, 8);
  let unsigned = 8 * 32;
  let signed = 8 * 32;
  for (let i = 0; i < blockSize; i++) {
    if (i >= 148 && i < 156) continue;
    const byte = block[i] ?? 0;
    unsigned += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  // Sun's old tar added signed bytes.
  return unsigned !== 8 * 32 && (stored === unsigned || stored === signed);
}

/** POSIX ustar, GNU, and the plain header of V7. @throws invalid for a wrong checksum or a size that is no number of bytes */
export function decodeHeader(block: Uint8Array, what: string): RawHeader {
  if (!looksLikeTar(block))
    throw invalid(`the ${what} is not a whole tar archive: a header's checksum is wrong`, {
      hint: 'It may be damaged, or compressed in a way that is not known here.',
    });
  const text = field(block, 0, 100);
  const magic = Buffer.from(block.buffer, block.byteOffset + 257, 6).toString('latin1');
  const prefix = magic === 'ustar\0' ? field(block, 345, 155) : field(block, 0, 0);
  const name = prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), text]) : Buffer.from(text);
  const size = numeric(block, 124, 12);
  if (!Number.isSafeInteger(size) || size < 0)
    throw invalid(`refused entry ${quoted(name)} of the ${what}: its size is no number of bytes`, {
      data: { entry: name.toString() },
    });
  return {
    flag: String.fromCharCode(block[156] ?? 0),
    name,
    linkname: Buffer.from(field(block, 157, 100)),
    mode: numeric(block, 100, 8),
    mtime: numeric(block, 136, 12),
    size,
  };
}

/** What extended headers say of the next entry: pax records, GNU's long names. */
export interface Extended {
  readonly name?: Uint8Array | undefined;
  readonly linkname?: Uint8Array | undefined;
  readonly records: ReadonlyMap<string, Uint8Array>;
}

/** @throws invalid, the entry named, for what no reader could make sense of: names that are not UTF-8, sparse files, sizes that are no sizes */
export function completeHeader(raw: RawHeader, extended: Extended, what: string): TarHeader {
  const { records } = extended;
  const nameBytes = records.get('path') ?? extended.name ?? raw.name;
  if (!isUtf8(nameBytes)) throw hostile(quoted(nameBytes).slice(1, -1), what, 'its name is not UTF-8');
  const name = Buffer.from(nameBytes).toString('utf8');
  const linkBytes = records.get('linkpath') ?? extended.linkname ?? raw.linkname;
  if (!isUtf8(linkBytes)) throw hostile(name, what, 'the target of the link is not UTF-8');
  if (raw.flag === 'S' || [...records.keys()].some((key) => key.startsWith('GNU.sparse.')))
    throw hostile(name, what, 'it is a sparse file of GNU tar', 'Make the archive without --sparse.');
  const type = types[raw.flag] ?? null;
  const stated = records.get('size');
  const size = stated === undefined ? raw.size : decimal(stated);
  if (!Number.isSafeInteger(size) || size < 0) throw hostile(name, what, 'its size is no number of bytes');
  return {
    name,
    // How directories were told before there was a type for them; what follows such a one is passed.
    type: type === 'file' && name.endsWith('/') ? 'directory' : type,
    mode: Number.isSafeInteger(raw.mode) ? raw.mode & 0o7777 : 0,
    mtime: timeOf(records.get('mtime'), raw.mtime),
    size: bodiless.has(type) ? 0 : size,
    linkname: Buffer.from(linkBytes).toString('utf8'),
  };
}

/**
 * The records of a pax header: "LENGTH KEY=VALUE\n" each, the length counting itself (POSIX pax, "pax Header Block"). Later ones win.
 * @throws invalid for records that are none
 */
export function decodePax(bytes: Uint8Array, what: string): Map<string, Uint8Array> {
  const records = new Map<string, Uint8Array>();
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const length = space < 0 || space - at > 12 ? NaN : decimal(bytes.subarray(at, space));
    const end = at + length;
    const equals = bytes.indexOf(0x3d, space);
    if (!(length > 0) || end > bytes.length || bytes[end - 1] !== 0x0a || equals < 0 || equals >= end)
      throw invalid(`the ${what} is not a whole tar archive: a pax header holds what is no record`);
    const key = Buffer.from(bytes.subarray(space + 1, equals)).toString('utf8');
    // An empty value takes a record away; what nobody here reads need not be kept.
    const value = bytes.subarray(equals + 1, end - 1);
    if (value.length === 0) records.delete(key);
    else if (wanted.has(key) || key.startsWith('GNU.sparse.')) records.set(key, Uint8Array.from(value));
    at = end;
  }
  return records;
}

const wanted = new Set(['path', 'linkpath', 'size', 'mtime']);

/** Bytes up to the first NUL, as a copy does not need to live as long as the block. */
function field(block: Uint8Array, start: number, length: number): Uint8Array {
  const bytes = block.subarray(start, start + length);
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** Octal digits, or GNU's base 256 when the first bit is set. NaN for anything else. */
function numeric(block: Uint8Array, start: number, length: number): number {
  const first = block[start] ?? 0;
  if ((first & 0x80) === 0) return octal(block, start, length);
  const isNegative = (first & 0x40) !== 0;
  let value = isNegative ? (first & 0x7f) - 0x80 : first & 0x7f;
  for (let i = start + 1; i < start + length; i++) value = value * 256 + (block[i] ?? 0);
  return value;
}

function octal(block: Uint8Array, start: number, length: number): number {
  const text = Buffer.from(field(block, start, length))
    .toString('latin1')
    .trim();
  if (text === '') return 0;
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : NaN;
}

function decimal(bytes: Uint8Array): number {
  const text = Buffer.from(bytes).toString('latin1');
  return /^\d{1,20}$/.test(text) ? Number(text) : NaN;
}

/** A pax time has a fraction. Times that no calendar holds are the epoch. */
function timeOf(exact: Uint8Array | undefined, seconds: number): Date {
  const stated = exact === undefined ? NaN : Number(Buffer.from(exact).toString('latin1'));
  const time = new Date((Number.isFinite(stated) ? stated : seconds) * 1000);
  return Number.isNaN(time.getTime()) || time.getTime() < 0 ? new Date(0) : time;
}

/** Bytes that may be no text, as text. */
const quoted = (bytes: Uint8Array): string =>
  JSON.stringify(isUtf8(bytes) ? Buffer.from(bytes).toString('utf8') : Buffer.from(bytes).toString('latin1'));
