import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { demangle, functionNames } from './names.ts';

test('names of a real module, by index', () => {
  const file = readFileSync(join(import.meta.dirname, '../../node_modules/@wasmer/wasi/tests/envvar.wasm'));
  const payload = WebAssembly.Module.customSections(new WebAssembly.Module(file), 'name')[0];
  const names = functionNames(new Uint8Array(payload as ArrayBuffer));
  expect([...names.values()]).toContain('_start');
  expect(names.size).toBeGreaterThan(100);
});

test('a damaged section gives the names before the damage', () => {
  expect(functionNames(Uint8Array.from([1, 20, 2, 0, 1, 0x61]))).toEqual(new Map());
  expect(functionNames(Uint8Array.from([1, 5, 2, 0, 1, 0x61, 9]))).toEqual(new Map([[0, 'a']]));
});

test.each([
  ['_ZN4core9panicking5panic17h0123456789abcdefE', 'core::panicking::panic'],
  ['_ZN3foo3BarC2Ev', 'foo::Bar'],
  ['_Z4mainv', 'main'],
  [
    '_ZN4core3ptr42drop_in_place$LT$alloc..string..String$GT$17h0123456789abcdefE',
    'core::ptr::drop_in_place<alloc::string::String>',
  ],
  ['plain_name', 'plain_name'],
  ['_ZN99x', '_ZN99x'],
])('%s is %s', (name, readable) => expect(demangle(name)).toBe(readable));
