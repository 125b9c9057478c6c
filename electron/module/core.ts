/** The binary format of core modules (WebAssembly 3.0, binary section), as far as it tells what a module is: everything but code and data. */
import type { ModuleExport, ModuleImport, ModuleSection } from './describe.ts';
import { Reader } from './reader.ts';

export interface FunctionType {
  readonly params: readonly string[];
  readonly results: readonly string[];
}

export interface MemoryType {
  readonly initial: number;
  readonly maximum?: number;
  readonly shared: boolean;
  readonly is64: boolean;
}

export interface CoreModule {
  readonly sections: readonly ModuleSection[];
  readonly imports: readonly ModuleImport[];
  readonly exports: readonly ModuleExport[];
  /** Memory 0. */
  readonly memory: (MemoryType & { readonly imported: boolean }) | undefined;
  readonly any64: boolean;
  readonly importedFunctions: number;
}

const sectionNames = [
  'custom',
  'type',
  'import',
  'function',
  'table',
  'memory',
  'global',
  'export',
  'start',
  'element',
  'code',
  'data',
  'datacount',
  'tag',
] as const;

/** Where each section must stand among the others; custom sections stand anywhere. */
const order: Record<number, number> = {
  1: 1,
  2: 2,
  3: 3,
  4: 4,
  5: 5,
  13: 6,
  6: 7,
  7: 8,
  8: 9,
  9: 10,
  12: 11,
  10: 12,
  11: 13,
};

const kinds = ['function', 'table', 'memory', 'global', 'tag'] as const;

const valueTypes: Record<number, string> = {
  0x7f: 'i32',
  0x7e: 'i64',
  0x7d: 'f32',
  0x7c: 'f64',
  0x7b: 'v128',
  0x78: 'i8',
  0x77: 'i16',
  0x74: 'nullexnref',
  0x73: 'nullfuncref',
  0x72: 'nullexternref',
  0x71: 'nullref',
  0x70: 'funcref',
  0x6f: 'externref',
  0x6e: 'anyref',
  0x6d: 'eqref',
  0x6c: 'i31ref',
  0x6b: 'structref',
  0x6a: 'arrayref',
  0x69: 'exnref',
  0x68: 'contref',
};

const heapName = (heap: number): string =>
  heap >= 0 ? String(heap) : (valueTypes[heap + 0x80] ?? '?').replace(/ref$/, '');

function valueType(r: Reader): string {
  const code = r.byte();
  if (code === 0x63) return `(ref null ${heapName(r.s33())})`;
  if (code === 0x64) return `(ref ${heapName(r.s33())})`;
  return valueTypes[code] ?? r.fail(`unknown type 0x${code.toString(16)}`);
}

const types = (r: Reader): string[] => Array.from({ length: r.count(1000, 'values') }, () => valueType(r));

function compositeType(r: Reader): FunctionType | undefined {
  for (;;) {
    const form = r.byte();
    if (form === 0x60) return { params: types(r), results: types(r) };
    if (form === 0x5e || form === 0x5f) {
      const fields = form === 0x5e ? 1 : r.count(10_000, 'fields');
      for (let i = 0; i < fields; i++) {
        valueType(r);
        r.byte();
      }
      return undefined;
    }
    // sub, sub final: super types, then the type itself; shared is a mere prefix.
    if (form === 0x50 || form === 0x4f) for (let n = r.count(1, 'super types'); n > 0; n--) r.u32();
    else if (form !== 0x65) r.fail(`unknown type form 0x${form.toString(16)}`);
  }
}

function typeSection(r: Reader): (FunctionType | undefined)[] {
  const found: (FunctionType | undefined)[] = [];
  for (let n = r.count(1_000_000, 'types'); n > 0; n--) {
    if (r.peek() === 0x4e) {
      r.byte();
      for (let m = r.count(1_000_000, 'types'); m > 0; m--) found.push(compositeType(r));
    } else found.push(compositeType(r));
  }
  return found;
}

/** Limits of a memory or table: bit 0 maximum, bit 1 shared, bit 2 64-bit, bit 3 custom page size. */
export function limits(r: Reader): MemoryType {
  const flags = r.byte();
  if (flags > 0x0f) r.fail(`unknown limits 0x${flags.toString(16)}`);
  const is64 = (flags & 4) !== 0;
  const number = () => (is64 ? r.u64() : r.u32());
  const initial = number();
  const maximum = flags & 1 ? number() : undefined;
  if (flags & 8) r.u32();
  return { initial, ...(maximum === undefined ? {} : { maximum }), shared: (flags & 2) !== 0, is64 };
}

/** Walks the section headers only: id, where it begins (id byte), where its payload lies. */
export function* coreSections(bytes: Uint8Array): Generator<{ id: number; start: number; payload: Reader }> {
  const r = new Reader(bytes, 'the section list', 8);
  let last = 0;
  while (!r.done) {
    const start = r.position;
    const id = r.byte();
    const name = sectionNames[id];
    if (name === undefined) {
      r.position = start;
      r.fail(`unknown section ${id}`);
    }
    const payload = r.slice(r.u32(), `section '${name}'`);
    if (id !== 0) {
      const place = order[id] as number;
      if (place <= last) payload.fail(place === last ? 'second section of this kind' : 'section out of order');
      last = place;
    }
    yield { id, start, payload };
  }
}

/** @throws invalid with the place of the first thing that is wrong. */
export function parseCore(bytes: Uint8Array): CoreModule {
  const sections: ModuleSection[] = [];
  const imports: ModuleImport[] = [];
  const exports: ModuleExport[] = [];
  let functionTypes: (FunctionType | undefined)[] = [];
  const functions: number[] = [];
  let memory: CoreModule['memory'];
  let any64 = false;

  const typed = (index: number | undefined) => {
    const type = index === undefined ? undefined : functionTypes[index];
    return type ? { params: type.params, results: type.results } : {};
  };
  const memoryFound = (type: MemoryType, imported: boolean) => {
    memory ??= { ...type, imported };
    any64 ||= type.is64;
  };

  for (const { id, payload: r } of coreSections(bytes)) {
    const name =
      id === 0 ? `custom:${new Reader(bytes, r.part, r.position, r.end).name()}` : (sectionNames[id] as string);
    sections.push({ name, offset: r.position, size: r.end - r.position });
    if (id === 1) functionTypes = typeSection(r);
    else if (id === 2) {
      for (let n = r.count(1_000_000, 'imports'); n > 0; n--) {
        const [module, field, kind] = [r.name(), r.name(), r.byte()];
        if (kind === 0) {
          const type = r.u32();
          functions.push(type);
          imports.push({ module, name: field, kind: 'function', ...typed(type) });
          continue;
        }
        if (kind === 1) {
          valueType(r);
          any64 ||= limits(r).is64;
        } else if (kind === 2) memoryFound(limits(r), true);
        else if (kind === 3) {
          valueType(r);
          r.byte();
        } else if (kind === 4) {
          r.byte();
          r.u32();
        }
        imports.push({ module, name: field, kind: kinds[kind] ?? r.fail(`unknown import kind ${kind}`) });
      }
    } else if (id === 3) for (let n = r.count(1_000_000, 'functions'); n > 0; n--) functions.push(r.u32());
    else if (id === 5) for (let n = r.count(100_000, 'memories'); n > 0; n--) memoryFound(limits(r), false);
    else if (id === 7) {
      for (let n = r.count(1_000_000, 'exports'); n > 0; n--) {
        const [field, code, index] = [r.name(), r.byte(), r.u32()];
        const kind = kinds[code] ?? r.fail(`unknown export kind ${code}`);
        exports.push({ name: field, kind, ...(code === 0 ? typed(functions[index]) : {}) });
      }
    }
    if ([1, 2, 3, 5, 7].includes(id) && !r.done) r.fail('bytes left over');
  }
  return {
    sections,
    imports,
    exports,
    memory,
    any64,
    importedFunctions: imports.filter((entry) => entry.kind === 'function').length,
  };
}
