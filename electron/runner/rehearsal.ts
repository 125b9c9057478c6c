/**
 * A first run that nobody sees: a fresh process has compiled none of its own JavaScript yet, which made the first start of a module that was never
 * seen 15 ms instead of 5. So before a runner says `ready` it runs a small module of its own through everything that a start uses.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { core, funcType, section, utf8 } from '../module/wasm-bytes.ts';
import type { RunSpec } from '../supervisor/protocol.ts';

export interface Rehearsal {
  readonly spec: RunSpec;
  /** Removes its files. */
  dispose(): void;
}

/** Imports with their number of i32 arguments, and the arguments of the one call: what wasi-libc does between `_start` and `main`, then a line of output. */
const calls: readonly (readonly [name: string, args: readonly number[]])[] = [
  ['args_sizes_get', [64, 68]],
  ['args_get', [128, 256]],
  ['environ_sizes_get', [64, 68]],
  ['environ_get', [128, 512]],
  ['fd_prestat_get', [3, 64]],
  ['fd_prestat_dir_name', [3, 128, 1]],
  ['fd_prestat_get', [4, 64]],
  ['fd_fdstat_get', [1, 64]],
  ['fd_fdstat_get', [0, 64]],
  ['fd_read', [0, 16, 1, 64]],
  ['fd_write', [1, 16, 1, 64]],
  ['fd_write', [2, 16, 1, 64]],
  ['proc_exit', [0]],
];

/** [pointer 32, length 10], and the bytes there. */
const data = [
  ...Buffer.from(Uint32Array.of(32, 10).buffer),
  ...Array<number>(8).fill(0),
  ...Buffer.from('rehearsal\n'),
];

/** A command that makes these calls. Small enough that every length fits one LEB128 byte where `section` does not do it. */
function program(): Uint8Array {
  const names = [...new Set(calls.map(([name]) => name))];
  const i32 = 0x7f;
  const arity = (name: string): number => calls.find(([other]) => other === name)?.[1].length ?? 0;
  const types = names.map((name) => funcType(Array<number>(arity(name)).fill(i32), name === 'proc_exit' ? [] : [i32]));
  // Signed LEB128 of a number below 8192.
  const constant = (value: number): number[] => [0x41, ...(value < 64 ? [value] : [(value & 127) | 128, value >> 7])];
  const body = calls.flatMap(([name, args]) => [
    ...args.flatMap(constant),
    0x10,
    names.indexOf(name),
    ...(name === 'proc_exit' ? [] : [0x1a]),
  ]);
  const code = [0, ...body, 0x0b];
  const length = code.length < 128 ? [code.length] : [(code.length & 127) | 128, code.length >> 7];
  return core(
    section(1, [...types, funcType([], [])]),
    section(
      2,
      names.map((name, index) => [...utf8('wasi_snapshot_preview1'), ...utf8(name), 0, index]),
    ),
    section(3, [[names.length]]),
    section(5, [[0, 1]]),
    section(7, [
      [...utf8('_start'), 0, names.length],
      [...utf8('memory'), 2, 0],
    ]),
    section(10, [[...length, ...code]]),
    section(11, [[0, 0x41, 16, 0x0b, data.length, ...data]]),
  );
}

/** Its files are made in the system's temporary directory. Undefined when that cannot be written: the first start is slower then. */
export function prepareRehearsal(): Rehearsal | undefined {
  try {
    const root = mkdtempSync(join(tmpdir(), 'drydock-rehearsal-'));
    const at = (name: string): string => join(root, name);
    for (const name of ['lower', 'upper', 'logs']) mkdirSync(at(name));
    writeFileSync(join(at('lower'), 'rehearsal.wasm'), program());
    return {
      spec: {
        id: 'rehearsal',
        module: '/rehearsal.wasm',
        args: ['rehearsal'],
        env: ['PATH=/', 'PWD=/'],
        mounts: [{ type: 'overlay', target: '/', lower: at('lower'), upper: at('upper'), readOnly: false }],
        stdin: 'closed',
        log: { directory: at('logs'), maxFiles: 1 },
      },
      dispose: () => rmSync(root, { recursive: true, force: true }),
    };
  } catch {
    return undefined;
  }
}
