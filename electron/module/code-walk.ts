/** A walk over function bodies, instruction by instruction, without decoding what they do (WebAssembly 3.0 binary format, "Instructions"). */
import type { Reader } from './reader.ts';

const MEMORY_GROW = 0x40;
const END = 0x0b;

/** Immediates of the opcodes of one byte, 0x00–0xd6. */
type Immediates =
  'none' | 'block' | 'index' | 'two' | 'table' | 'types' | 'tryTable' | 'memory' | 'constant' | 'f32' | 'f64' | 'heap';

const plain: (Immediates | undefined)[] = [];
const set = (immediates: Immediates, ...codes: readonly (number | readonly [first: number, last: number])[]): void => {
  for (const code of codes) {
    const [first, last] = typeof code === 'number' ? [code, code] : code;
    for (let each = first; each <= last; each++) plain[each] = immediates;
  }
};
set('none', 0x00, 0x01, 0x05, 0x0a, END, 0x0f, 0x19, 0x1a, 0x1b, [0x45, 0xc4], 0xd1, 0xd3, 0xd4);
set('block', 0x02, 0x03, 0x04, 0x06);
set('index', [0x07, 0x09], 0x0c, 0x0d, 0x10, 0x12, 0x14, 0x15, 0x18, [0x20, 0x26], 0x3f, MEMORY_GROW, 0xd2, 0xd5, 0xd6);
set('two', 0x11, 0x13);
set('table', 0x0e);
set('types', 0x1c);
set('tryTable', 0x1f);
set('memory', [0x28, 0x3e]);
set('constant', 0x41, 0x42);
set('f32', 0x43);
set('f64', 0x44);
set('heap', 0xd0);

/** A LEB128 of whatever kind and size. */
function skipNumber(r: Reader): void {
  for (let length = 1; r.byte() >= 0x80; length++) if (length >= 10) r.fail('number too long');
}

function skipNumbers(r: Reader, count: number): void {
  for (let i = 0; i < count; i++) skipNumber(r);
}

function skipBytes(r: Reader, count: number): void {
  if (count > r.end - r.position) r.fail('truncated');
  r.position += count;
}

function skipType(r: Reader): void {
  const code = r.byte();
  if (code === 0x63 || code === 0x64) skipNumber(r);
}

function skipBlockType(r: Reader): void {
  const code = r.peek();
  if (code === 0x63 || code === 0x64) skipType(r);
  else skipNumber(r);
}

/** Alignment (bit 6: a memory's index follows), then the offset. */
function skipMemoryArgument(r: Reader): void {
  if (r.u32() & 0x40) skipNumber(r);
  skipNumber(r);
}

/** Number of LEB128s after each opcode of the garbage collection group; casts that carry a byte of flags apart. */
const gcIndexes = [1, 1, 2, 2, 2, 2, 1, 1, 2, 2, 2, 1, 1, 1, 1, 0, 1, 2, 2, 2, 1, 1, 1, 1, -1, -1, 0, 0, 0, 0, 0];
/** The same for the group of 0xfc: conversions, bulk memory, tables, wide arithmetic. */
const bulkIndexes: (number | undefined)[] = [
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  2,
  1,
  2,
  1,
  2,
  1,
  2,
  1,
  1,
  1,
  undefined,
  0,
  0,
  0,
  0,
];

function skipGc(r: Reader): boolean {
  const indexes = gcIndexes[r.u32()];
  if (indexes === undefined) return false;
  if (indexes < 0) {
    skipBytes(r, 1);
    skipNumbers(r, 3);
  } else skipNumbers(r, indexes);
  return true;
}

function skipBulk(r: Reader): boolean {
  const indexes = bulkIndexes[r.u32()];
  if (indexes === undefined) return false;
  skipNumbers(r, indexes);
  return true;
}

function skipVector(r: Reader): boolean {
  const code = r.u32();
  if (code > 0x113) return false;
  if (code <= 11 || code === 92 || code === 93) skipMemoryArgument(r);
  else if (code === 12 || code === 13) skipBytes(r, 16);
  else if (code >= 21 && code <= 34) skipBytes(r, 1);
  else if (code >= 84 && code <= 91) {
    skipMemoryArgument(r);
    skipBytes(r, 1);
  }
  return true;
}

function skipAtomic(r: Reader): boolean {
  const code = r.u32();
  if (code === 3) skipBytes(r, 1);
  else if (code <= 2 || (code >= 0x10 && code <= 0x4e)) skipMemoryArgument(r);
  else return false;
  return true;
}

function skipTryTable(r: Reader): void {
  skipBlockType(r);
  for (let n = r.u32(); n > 0; n--) skipNumbers(r, r.byte() <= 1 ? 2 : 1);
}

function skipImmediates(r: Reader, kind: Immediates): void {
  switch (kind) {
    case 'none':
      return;
    case 'block':
      return skipBlockType(r);
    case 'index':
    case 'constant':
    case 'heap':
      return skipNumber(r);
    case 'two':
      return skipNumbers(r, 2);
    case 'table':
      return skipNumbers(r, r.u32() + 1);
    case 'types':
      for (let n = r.u32(); n > 0; n--) skipType(r);
      return;
    case 'tryTable':
      return skipTryTable(r);
    case 'memory':
      return skipMemoryArgument(r);
    case 'f32':
      return skipBytes(r, 4);
    case 'f64':
      return skipBytes(r, 8);
  }
}

/** Where a `memory.grow` of memory 0 stands: its first byte and the byte after it. */
export interface GrowSite {
  readonly start: number;
  readonly end: number;
}

/**
 * The places in one function body (from its locals to its last `end`) that grow memory 0. Undefined when an instruction is not known: then nothing
 * that was found can be trusted. @throws invalid when the body is cut short.
 */
export function growSites(r: Reader): readonly GrowSite[] | undefined {
  const sites: GrowSite[] = [];
  for (let n = r.u32(); n > 0; n--) {
    skipNumber(r);
    skipType(r);
  }
  let last = -1;
  while (!r.done) {
    const start = r.position;
    const code = (last = r.byte());
    const kind = plain[code];
    if (code === MEMORY_GROW) {
      if (r.u32() === 0) sites.push({ start, end: r.position });
    } else if (kind !== undefined) skipImmediates(r, kind);
    else if (
      code === 0xfd
        ? !skipVector(r)
        : code === 0xfc
          ? !skipBulk(r)
          : code === 0xfe
            ? !skipAtomic(r)
            : code !== 0xfb || !skipGc(r)
    )
      return undefined;
  }
  return last === END ? sites : undefined;
}
