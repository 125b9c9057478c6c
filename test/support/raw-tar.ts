import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** A header and what follows it, field by field: for archives that no writer of tars would make. */
export interface RawEntry {
  readonly name?: string | Uint8Array;
  /** The type's character; '0' = file. */
  readonly type?: string;
  readonly linkname?: string | Uint8Array;
  readonly mode?: number;
  /** Seconds, or the field's bytes. */
  readonly mtime?: number | Uint8Array;
  readonly body?: string | Uint8Array;
  /** In place of the body's length; bytes are the field itself. */
  readonly size?: number | Uint8Array;
  /** Records of a pax header before it. */
  readonly pax?: Readonly<Record<string, string | Uint8Array>>;
  readonly magic?: string;
  readonly prefix?: string;
}

const block = 512;
const padded = (bytes: Uint8Array): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((block - (bytes.length % block)) % block)]);

/** Decimal length, blank, KEY=VALUE, newline; the length counts itself. */
function paxRecord(key: string, value: string | Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value as string), Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function header({
  name = 'f',
  type = '0',
  linkname = '',
  mode = 0o644,
  mtime = 1_577_836_800,
  ...rest
}: RawEntry): Buffer {
  const { size = rest.body?.length ?? 0, magic = 'ustar\x0000', prefix = '' } = rest;
  const bytes = Buffer.alloc(block);
  const put = (value: string | Uint8Array, at: number, length: number): void =>
    void Buffer.from(value as string).copy(bytes, at, 0, length);
  const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`;
  put(name, 0, 100);
  put(octal(mode, 8), 100, 8);
  put(octal(0, 8), 108, 8);
  put(octal(0, 8), 116, 8);
  put(typeof size === 'number' ? octal(size, 12) : size, 124, 12);
  put(typeof mtime === 'number' ? octal(mtime, 12) : mtime, 136, 12);
  put(' '.repeat(8), 148, 8);
  put(type, 156, 1);
  put(linkname, 157, 100);
  put(magic, 257, 8);
  put(prefix, 345, 155);
  put(
    `${bytes
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
    8,
  );
  return bytes;
}

/** One entry, with the pax header that it may need. */
export function rawEntry(entry: RawEntry): Buffer {
  const body = Buffer.from((entry.body ?? '') as string);
  const own = [header({ ...entry, body }), padded(body)];
  if (!entry.pax) return Buffer.concat(own);
  const records = Buffer.concat(Object.entries(entry.pax).map(([key, value]) => paxRecord(key, value)));
  return Buffer.concat([header({ name: 'PaxHeader', type: 'x', body: records }), padded(records), ...own]);
}

export const tarEnd = Buffer.alloc(2 * block);
export const rawTar = (...entries: readonly RawEntry[]): Buffer => Buffer.concat([...entries.map(rawEntry), tarEnd]);

/** The size field in GNU's base 256. */
export function base256(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(12);
  let rest = BigInt.asUintN(96, value);
  for (let i = 11; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return bytes;
}

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** A docker-archive of one image `hostile:1` with this layer. `before`: other entries of the archive, before its own. */
export function dockerArchive(
  layer: Uint8Array,
  options: { readonly diffId?: string; readonly before?: Buffer } = {},
): Buffer {
  const config = JSON.stringify({
    architecture: 'wasm',
    os: 'wasi',
    config: { Entrypoint: ['/m.wasm'] },
    rootfs: { type: 'layers', diff_ids: [options.diffId ?? `sha256:${sha256(layer)}`] },
  });
  const manifest = JSON.stringify([{ Config: 'config.json', RepoTags: ['hostile:1'], Layers: ['layer.tar'] }]);
  return Buffer.concat([
    options.before ?? Buffer.alloc(0),
    rawTar(
      { name: 'layer.tar', body: layer },
      { name: 'config.json', body: config },
      { name: 'manifest.json', body: manifest },
    ),
  ]);
}

/**
 * Gzip that inflates to a tar of one file of zeros: a thousandth of it. Its pieces are all the same, so even a large one costs nothing to make. Deflate blocks
 * that end with a full flush may follow each other as often as one likes.
 */
export function gzipBomb(bytes: number): Buffer {
  const piece = 1 << 20;
  const head = rawEntry({ name: 'zeros', size: base256(BigInt(bytes)) });
  // Members follow each other: gzip says that they are one.
  const member = gzipSync(Buffer.alloc(piece));
  return Buffer.concat([gzipSync(head), ...Array.from({ length: Math.ceil(bytes / piece) }, () => member)]);
}
