/**
 * What a guest dies of when its memory is at the limit is a trap of its own (`abort` is `unreachable`), and no engine tells its host that `memory.grow`
 * has answered -1. So for runs with a limit the module is changed: each `memory.grow` becomes a call of a function that is added at the end, which
 * grows and notes in a global, also added and exported, whether that failed. Nothing that is there gets another index. Only the bodies in
 * which the bytes of a `memory.grow` occur are walked. CPython's 26 MB: 25 ms, once for a process; its compilation takes 40.
 */
import { coreSections, limits } from './core.ts';
import { growSites, type GrowSite } from './code-walk.ts';
import { Reader } from './reader.ts';

/** The exported global: 1 when the last attempt to grow memory 0 (by at least a page) has failed, else 0. One for each instance. */
export const GROW_FAILED = 'drydock.growFailed';

/** From byte `at` of the changed module on, offsets are `by` larger than in the file (until the next entry). */
export interface Move {
  readonly at: number;
  readonly by: number;
}

export interface GrowNoted {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Ascending. */
  readonly moves: readonly Move[];
}

const I32 = 0x7f;

function leb(value: number): number[] {
  const out: number[] = [];
  for (;;) {
    const byte = value % 128;
    value = Math.floor(value / 128);
    if (value === 0) return [...out, byte];
    out.push(byte | 0x80);
  }
}

const name = [...leb(GROW_FAILED.length), ...Buffer.from(GROW_FAILED, 'latin1')];

/**
 * (func (param $pages i32) (result i32) (local $was i32)
 *   (local.set $was (memory.grow (local.get $pages)))
 *   (global.set $failed (select (i32.eq (local.get $was) (i32.const -1)) (global.get $failed) (local.get $pages)))
 *   (local.get $was))
 */
function growBody(failed: number): number[] {
  const global = leb(failed);
  const code = [
    ...[1, 1, I32],
    ...[0x20, 0, 0x40, 0, 0x22, 1, 0x41, 0x7f, 0x46],
    ...[0x23, ...global, 0x20, 0, 0x1b, 0x24, ...global],
    ...[0x20, 1, 0x0b],
  ];
  return [...leb(code.length), ...code];
}

interface Section {
  readonly id: number;
  readonly start: number;
  readonly payload: Reader;
}

/** The bytes of a changed module as they are put together: runs of the file, and what is new. */
class Assembly {
  readonly #file: Uint8Array<ArrayBuffer>;
  readonly #parts: Uint8Array[] = [];
  readonly #moves: Move[] = [];
  #length = 0;
  #taken = 0;

  constructor(file: Uint8Array<ArrayBuffer>) {
    this.#file = file;
  }

  /** The file up to `end`. */
  copy(end: number): void {
    if (end <= this.#taken) return;
    const by = this.#length - this.#taken;
    if (by !== (this.#moves.at(-1)?.by ?? 0)) this.#moves.push({ at: this.#length, by });
    this.#parts.push(this.#file.subarray(this.#taken, end));
    this.#length += end - this.#taken;
    this.#taken = end;
  }

  /** Leaves out the file up to `end`. */
  skip(end: number): void {
    this.#taken = end;
  }

  add(bytes: readonly number[]): void {
    this.#parts.push(Uint8Array.from(bytes));
    this.#length += bytes.length;
  }

  done(): GrowNoted {
    this.copy(this.#file.length);
    return { bytes: Buffer.concat(this.#parts), moves: this.#moves };
  }
}

/**
 * @param file a core module, memory imported or not.
 * @returns undefined when it never grows memory 0, or holds something that is not known here: then it is to be run as it is.
 * @throws invalid when the file is not a well-formed core module.
 */
export function noteFailedGrow(file: Uint8Array<ArrayBuffer>): GrowNoted | undefined {
  const sections = [...coreSections(file)];
  const find = (id: number): Section | undefined => sections.find((section) => section.id === id);
  const [types, functions, code] = [find(1), find(3), find(10)];
  if (!types || !functions || !code) return undefined;
  const bodies = growingBodies(file, code.payload);
  if (!bodies || bodies.length === 0) return undefined;
  const imported = countImports(file, find(2));
  const counted = (section: Section | undefined): number => (section ? again(file, section).u32() : 0);
  const typeCount = countTypes(file, types);
  if (!imported || typeCount === undefined || growsBy64(file, find(5))) return undefined;
  const helper = imported.functions + counted(functions);
  const failed = imported.globals + counted(find(6));
  const additions: Readonly<Record<number, readonly number[]>> = {
    1: [0x60, 1, I32, 1, I32],
    3: leb(typeCount),
    6: [I32, 1, 0x41, 0, 0x0b],
    7: [...name, 3, ...leb(failed)],
  };

  const out = new Assembly(file);
  /** Sections that are missing are put in front of the first that must stand behind them. */
  const missing = [6, 7].filter((id) => !find(id));
  for (const section of sections) {
    if (section.id >= 6 && section.id !== 13)
      while (missing[0] !== undefined && (section.id > missing[0] || section.id === 12)) {
        const id = missing.shift() as number;
        const entry = additions[id] as readonly number[];
        out.copy(section.start);
        out.add([id, ...leb(entry.length + 1), 1, ...entry]);
      }
    const addition = additions[section.id];
    if (addition) append(out, file, section, addition);
    else if (section === code) writeCode(out, file, section, bodies, helper, growBody(failed));
  }
  return out.done();
}

/** An offset in the changed module as it is in the file. */
export function movedFrom(offset: number, moves: readonly Move[]): number {
  const last = moves.findLast(({ at }) => at <= offset);
  return offset - (last?.by ?? 0);
}

/** A reader of a section from its beginning. */
const again = (file: Uint8Array, { payload }: Section): Reader =>
  new Reader(file, payload.part, payload.position, payload.end);

/** Puts one more entry at the end of a section that is a list. */
function append(out: Assembly, file: Uint8Array, section: Section, entry: readonly number[]): void {
  const r = again(file, section);
  const count = leb(r.u32() + 1);
  out.copy(section.start);
  out.add([section.id, ...leb(count.length + r.end - r.position + entry.length), ...count]);
  out.skip(r.position);
  out.copy(r.end);
  out.add(entry);
}

interface GrowingBody {
  /** Where its length is written. */
  readonly start: number;
  /** Where its locals begin. */
  readonly inside: number;
  readonly end: number;
  readonly sites: readonly GrowSite[];
}

/** The bodies that grow memory 0; undefined when one of them cannot be read. */
function growingBodies(file: Uint8Array<ArrayBuffer>, code: Reader): readonly GrowingBody[] | undefined {
  const r = new Reader(file, code.part, code.position, code.end);
  const hits = candidates(file, r.position, r.end);
  const found: GrowingBody[] = [];
  let next = 0;
  for (let n = r.u32(); n > 0; n--) {
    const start = r.position;
    const body = r.slice(r.u32(), 'a function body');
    while ((hits[next] ?? Infinity) < body.position) next++;
    if ((hits[next] ?? Infinity) >= body.end) continue;
    const inside = body.position;
    const sites = growSites(body);
    if (!sites) return undefined;
    if (sites.length > 0) found.push({ start, inside, end: body.end, sites });
  }
  return found;
}

/** Where `memory.grow 0` may stand, also when its index is written in more bytes than it needs. */
function candidates(file: Uint8Array<ArrayBuffer>, start: number, end: number): readonly number[] {
  const view = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const hits: number[] = [];
  for (const pair of [Buffer.of(0x40, 0x00), Buffer.of(0x40, 0x80)])
    for (let at = view.indexOf(pair, start); at >= 0 && at < end; at = view.indexOf(pair, at + 1)) hits.push(at);
  return hits.sort((a, b) => a - b);
}

function writeCode(
  out: Assembly,
  file: Uint8Array,
  section: Section,
  bodies: readonly GrowingBody[],
  helper: number,
  helperBody: readonly number[],
): void {
  const r = again(file, section);
  const count = leb(r.u32() + 1);
  const call = [0x10, ...leb(helper)];
  const sized = bodies.map((body) => {
    const grown = body.sites.reduce((sum, { start, end }) => sum + call.length - (end - start), 0);
    return { ...body, size: leb(body.end - body.inside + grown), grown };
  });
  const grown = sized.reduce((sum, { grown, size, inside, start }) => sum + grown + size.length - (inside - start), 0);
  out.copy(section.start);
  out.add([section.id, ...leb(count.length + r.end - r.position + grown + helperBody.length), ...count]);
  out.skip(r.position);
  for (const { start, inside, size, sites } of sized) {
    out.copy(start);
    out.add(size);
    out.skip(inside);
    for (const site of sites) {
      out.copy(site.start);
      out.add(call);
      out.skip(site.end);
    }
  }
  out.copy(r.end);
  out.add(helperBody);
}

/** Undefined when a form of import is not known. */
function countImports(
  file: Uint8Array,
  section: Section | undefined,
): { readonly functions: number; readonly globals: number } | undefined {
  let functions = 0;
  let globals = 0;
  if (!section) return { functions, globals };
  const r = again(file, section);
  for (let n = r.u32(); n > 0; n--) {
    r.name();
    r.name();
    switch (r.byte()) {
      case 0:
        functions++;
        r.u32();
        break;
      case 1:
        if ([0x63, 0x64].includes(r.byte())) r.s33();
        limits(r);
        break;
      case 2:
        if (limits(r).is64) return undefined;
        break;
      case 3:
        globals++;
        if ([0x63, 0x64].includes(r.byte())) r.s33();
        r.byte();
        break;
      case 4:
        r.byte();
        r.u32();
        break;
      default:
        return undefined;
    }
  }
  return { functions, globals };
}

/** A memory of 64-bit addresses grows by an i64; Drydock does not limit those. */
function growsBy64(file: Uint8Array, memories: Section | undefined): boolean {
  if (!memories) return false;
  const r = again(file, memories);
  return r.u32() > 0 && limits(r).is64;
}

/** Types in the index space: a group counts as many as it holds. Undefined unless all are function types, which is what compilers for WASI write. */
function countTypes(file: Uint8Array, section: Section): number | undefined {
  const r = again(file, section);
  const count = r.u32();
  for (let n = count; n > 0; n--) {
    if (r.byte() !== 0x60) return undefined;
    for (let list = 0; list < 2; list++)
      for (let values = r.u32(); values > 0; values--) if ([0x63, 0x64].includes(r.byte())) r.s33();
  }
  return count;
}
