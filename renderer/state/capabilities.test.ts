import { expect, test } from 'vitest';
import { asksOf, importGroups, languageMark, neverOf, wasiOf } from './capabilities.ts';
import { sampleModule } from './sample-modules.ts';

const wasi = (name: string): { module: string; name: string; kind: string } => ({
  module: 'wasi_snapshot_preview1',
  name,
  kind: 'function',
});

test('asks come in the order of the sheet; writing includes reading', () => {
  const module = sampleModule({
    capabilities: { env: true, filesRead: true, filesWrite: true, listen: true, clock: true },
  });
  expect(asksOf(module)).toEqual(['listen', 'filesWrite', 'env', 'harmless']);
  expect(asksOf(sampleModule({ capabilities: { filesRead: true } }))).toEqual(['filesRead']);
  expect(asksOf(null)).toEqual([]);
});

test('what it does not ask for', () => {
  expect(neverOf(sampleModule())).toEqual(['files', 'connect', 'threads']);
  expect(
    neverOf(sampleModule({ capabilities: { filesRead: true, listen: true, connect: true, threads: true } })),
  ).toEqual([]);
  expect(neverOf(sampleModule({ capabilities: { connect: true } }))).toEqual(['files', 'listen', 'threads']);
});

test('imports are grouped by what they are for', () => {
  const imports = ['fd_write', 'path_open', 'fd_seek', 'clock_time_get', 'proc_exit', 'sock_accept'].map(wasi);
  expect(importGroups(sampleModule({ imports, capabilities: { filesRead: true } }))).toEqual([
    { group: 'files', names: ['path_open', 'fd_seek'] },
    { group: 'sockets', names: ['sock_accept'] },
    { group: 'terminal', names: ['fd_write'] },
    { group: 'time', names: ['clock_time_get'] },
    { group: 'end', names: ['proc_exit'] },
  ]);
});

test('seeking on the terminal is not a wish for files', () => {
  expect(importGroups(sampleModule({ imports: ['fd_write', 'fd_seek', 'fd_prestat_get'].map(wasi) }))).toEqual([
    { group: 'terminal', names: ['fd_write', 'fd_seek', 'fd_prestat_get'] },
  ]);
});

test('languages and flavours', () => {
  expect(['Rust', 'C++', 'C11', 'C', 'TinyGo', undefined, 'Crystal'].map(languageMark)).toEqual([
    '.rs',
    '.cc',
    '.c',
    '.c',
    '.go',
    '.wasm',
    '.wasm',
  ]);
  expect(wasiOf('component-http')).toEqual({ version: 'WASI 0.2', extra: 'http' });
});
