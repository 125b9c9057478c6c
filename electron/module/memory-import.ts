/**
 * `--memory` without a compilation for each limit: the module's own memory becomes an import, and whoever links it passes a memory as small as the
 * limit wants; `malloc` then fails as on a small machine. Only the head of the file (up to the end of the memory section) is written anew, into
 * free room in front of it: 7 µs instead of 49 ms for copying 26 MB (reference runner.md §5).
 */
import { coreSections, limits } from './core.ts';
import { Reader } from './reader.ts';

/** Names of the import that stands for the module's own memory. */
export const MEMORY_MODULE = 'drydock';
export const MEMORY_NAME = 'memory';

/** Free bytes in front of a file that are always enough: the new import entry, longer lengths, and a whole import section if there was none. */
export const MEMORY_HEADROOM = 64;

export interface MemoryAsImport {
  /** The module, sharing `buffer`'s bytes. Offsets in it are `shift` larger than in the file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly shift: number;
  /** What memory to pass, in pages of 64 KiB; undefined when the module was left as it is (it has no memory, imports it, or it is 64-bit). */
  readonly memory: { readonly initial: number; readonly maximum?: number; readonly shared: boolean } | undefined;
}

function leb(value: number): number[] {
  const out: number[] = [];
  for (;;) {
    const byte = value % 128;
    value = Math.floor(value / 128);
    if (value === 0) return [...out, byte];
    out.push(byte | 0x80);
  }
}

const text = (value: string): number[] => [...leb(value.length), ...Buffer.from(value, 'latin1')];

const section = (id: number, payload: readonly Uint8Array[]): Uint8Array[] => {
  const size = payload.reduce((sum, part) => sum + part.length, 0);
  return [Uint8Array.from([id, ...leb(size)]), ...payload];
};

/**
 * @param buffer `headroom` free bytes, then the file. The free bytes and the file's head are written over.
 * @throws invalid when the file is not a well-formed core module.
 */
export function memoryAsImport(buffer: Buffer, headroom: number): MemoryAsImport {
  const file = buffer.subarray(headroom) as Buffer<ArrayBuffer>;
  const untouched: MemoryAsImport = { bytes: file, shift: 0, memory: undefined };
  let importAt: { start: number; payload: Reader } | undefined;
  /** End of the type section, before which no import section may stand. */
  let afterTypes = 8;
  for (const { id, start, payload } of coreSections(file)) {
    if (id === 1) afterTypes = payload.end;
    if (id === 2) {
      importAt = { start, payload };
      if (importsMemory(payload)) return untouched;
    }
    if (id === 5) {
      const end = payload.end;
      const count = payload.u32();
      if (count === 0) return untouched;
      const limitsStart = payload.position;
      const type = limits(payload);
      if (type.is64) return untouched;
      const entry = Uint8Array.from([
        ...text(MEMORY_MODULE),
        ...text(MEMORY_NAME),
        2,
        ...file.subarray(limitsStart, payload.position),
      ]);
      const others = file.subarray(payload.position, end);
      const head: Uint8Array[] = [];
      if (importAt) {
        const r = new Reader(file, "section 'import'", importAt.payload.position, importAt.payload.end);
        const imports = r.u32();
        const old = file.subarray(r.position, r.end);
        head.push(file.subarray(0, importAt.start));
        head.push(...section(2, [Uint8Array.from(leb(imports + 1)), old, entry]));
        head.push(file.subarray(importAt.payload.end, start));
      } else {
        head.push(file.subarray(0, afterTypes));
        head.push(...section(2, [Uint8Array.from([1]), entry]));
        head.push(file.subarray(afterTypes, start));
      }
      if (count > 1) head.push(...section(5, [Uint8Array.from(leb(count - 1)), others]));
      const fresh = Buffer.concat(head);
      const shift = fresh.length - end;
      const memory = {
        initial: type.initial,
        ...(type.maximum === undefined ? {} : { maximum: type.maximum }),
        shared: type.shared,
      };
      if (shift > headroom) return { bytes: Buffer.concat([fresh, file.subarray(end)]), shift, memory };
      buffer.set(fresh, headroom - shift);
      return { bytes: buffer.subarray(headroom - shift) as Buffer<ArrayBuffer>, shift, memory };
    }
    if (id > 5 && id !== 13) return untouched;
  }
  return untouched;
}

/** Imported memories come first in the index space, so a module that imports one keeps its own as it is. */
function importsMemory(payload: Reader): boolean {
  const r = new Reader(payload.bytes, payload.part, payload.position, payload.end);
  for (let n = r.u32(); n > 0; n--) {
    r.name();
    r.name();
    const kind = r.byte();
    if (kind === 2) return true;
    if (kind === 0) r.u32();
    else if (kind === 1) {
      if (r.byte() < 0x65) r.s33();
      limits(r);
    } else if (kind === 3) {
      if ([0x63, 0x64].includes(r.byte())) r.s33();
      r.byte();
    } else if (kind === 4) {
      r.byte();
      r.u32();
    } else r.fail(`unknown import kind ${kind}`);
  }
  return false;
}
