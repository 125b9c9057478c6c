/** The component layer (component model, Binary.md): the top-level imports and exports, and whether there is any code inside. */
import type { ModuleExport, ModuleImport, ModuleSection } from './describe.ts';
import { Reader } from './reader.ts';

export interface Component {
  readonly sections: readonly ModuleSection[];
  readonly imports: readonly ModuleImport[];
  readonly exports: readonly ModuleExport[];
  /** False for a WIT package: types, nothing to run. */
  readonly hasCode: boolean;
}

const sectionNames = [
  'custom',
  'core module',
  'core instance',
  'core type',
  'component',
  'instance',
  'alias',
  'type',
  'canon',
  'start',
  'import',
  'export',
  'value',
] as const;

const sorts = ['core module', 'function', 'value', 'type', 'component', 'instance'] as const;

/** 0x00 and 0x01 are plain names, 0x02 adds a version suffix. */
function externName(r: Reader): string {
  const form = r.byte();
  if (form > 2) r.fail(`unknown name form 0x${form.toString(16)}`);
  const name = r.name();
  return form === 2 ? name + r.name() : name;
}

function externDescription(r: Reader): (typeof sorts)[number] {
  const code = r.byte();
  if (code === 0) {
    r.byte();
    r.u32();
  } else if (code === 2 || code === 3) {
    const bound = r.byte();
    if (bound === 0) r.u32();
    else if (code === 2) r.s33();
  } else if (code === 1 || code === 4 || code === 5) r.u32();
  return sorts[code] ?? r.fail(`unknown kind 0x${code.toString(16)}`);
}

/** @throws invalid with the place of the first thing that is wrong. */
export function parseComponent(bytes: Uint8Array): Component {
  const sections: ModuleSection[] = [];
  const imports: ModuleImport[] = [];
  const exports: ModuleExport[] = [];
  let hasCode = false;
  const r = new Reader(bytes, 'the section list of a component', 8);
  while (!r.done) {
    const id = r.byte();
    const part = sectionNames[id] ?? r.fail(`unknown section ${id}`);
    const payload = r.slice(r.u32(), `section '${part}'`);
    const name = id === 0 ? `custom:${new Reader(bytes, payload.part, payload.position, payload.end).name()}` : part;
    sections.push({ name, offset: payload.position, size: payload.end - payload.position });
    if (id === 1 || id === 8) hasCode = true;
    if (id === 4) hasCode ||= nestedCode(payload);
    if (id === 10) {
      for (let n = payload.count(100_000, 'imports'); n > 0; n--) {
        const module = externName(payload);
        imports.push({ module, name: '', kind: externDescription(payload) });
      }
    } else if (id === 11) {
      for (let n = payload.count(100_000, 'exports'); n > 0; n--) {
        const exported = externName(payload);
        const code = payload.byte();
        if (code === 0) payload.byte();
        payload.u32();
        const kind = sorts[code] ?? payload.fail(`unknown kind 0x${code.toString(16)}`);
        if (payload.byte() === 1) externDescription(payload);
        exports.push({ name: exported, kind });
      }
    }
  }
  return { sections, imports, exports, hasCode };
}

/** A nested component counts as code when it holds a core module itself; nested types alone are how WIT packages are written. */
function nestedCode(payload: Reader): boolean {
  const r = new Reader(payload.bytes, payload.part, payload.position + 8, payload.end);
  while (!r.done) {
    const id = r.byte();
    const inner = r.slice(r.u32(), payload.part);
    if (id === 1 || (id === 4 && nestedCode(inner))) return true;
  }
  return false;
}
