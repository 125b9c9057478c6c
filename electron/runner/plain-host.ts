/** The few functions outside WASI that need no glue: Emscripten's standalone mode and AssemblyScript's defaults. */
import type { ModuleImport } from '../module/describe.ts';
import type { HostFunction } from './wasi/world.ts';

/** What AssemblyScript's `abort` says goes on as a trap: thrown through the guest, and the driver writes it down. */
export class AssemblyAbort extends Error {}

/** AssemblyScript strings: UTF-16 at the pointer, their length in bytes in the word before it. */
function readString(memory: WebAssembly.Memory | undefined, pointer: number): string {
  if (!memory || pointer === 0) return '';
  const view = new DataView(memory.buffer);
  if (pointer < 4 || pointer > view.byteLength) return '';
  const length = Math.min(view.getUint32(pointer - 4, true), 4096, view.byteLength - pointer) & ~1;
  return Buffer.from(memory.buffer, pointer, length).toString('utf16le');
}

/** `memory`: asked at call time, because a module may define its own. `trace` writes a line to stderr. */
export function plainHost(
  memory: () => WebAssembly.Memory | undefined,
  trace: (line: string) => void,
): (entry: ModuleImport) => HostFunction | undefined {
  const functions: Record<string, HostFunction> = {
    emscripten_notify_memory_growth: (_index: number) => undefined,
    seed: () => Date.now(),
    abort: (message: number, file: number, line: number, column: number) => {
      throw new AssemblyAbort(
        `abort: ${readString(memory(), message)} at ${readString(memory(), file)}:${line >>> 0}:${column >>> 0}`,
      );
    },
    trace: (message: number, count: number, ...values: number[]) =>
      trace(`trace: ${[readString(memory(), message), ...values.slice(0, count)].join(' ')}\n`),
  };
  return (entry) => (entry.module === 'env' ? functions[entry.name] : undefined);
}
