import { MEMORY_MODULE, MEMORY_NAME } from '../module/memory-import.ts';
import type { ModuleImport } from '../module/describe.ts';
import type { CompiledProgram } from './compiled-program.ts';
import { cannotRun } from './not-runnable.ts';
import { typeMismatch } from './wasi/signatures.ts';
import type { HostFunction } from './wasi/world.ts';

/** Finds the host's function for an import of WASI, or undefined. */
export type Resolve = (entry: ModuleImport) => HostFunction | undefined;

/**
 * The import object of a module.
 * @throws NotRunnable 126 that names the imports which nothing here provides, or the first one of another type.
 */
export function linkImports(
  { description, ownMemory }: CompiledProgram,
  name: string,
  memory: WebAssembly.Memory | undefined,
  resolve: Resolve,
): WebAssembly.Imports {
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  const missing: string[] = [];
  for (const entry of description.imports) {
    let value: WebAssembly.ImportValue | undefined;
    if (entry.kind === 'memory') value = memory;
    else if (entry.kind === 'function') value = resolve(entry) as WebAssembly.ImportValue | undefined;
    if (value === undefined) missing.push(`${entry.module}.${entry.name}`);
    else (imports[entry.module] ??= {})[entry.name] = value;
    const mismatch = entry.module.startsWith('wasi_') ? typeMismatch(entry) : undefined;
    if (mismatch !== undefined) throw cannotRun(name, `${entry.module}.${entry.name} ${mismatch}`);
  }
  if (missing.length > 0) {
    const shown = missing.slice(0, 5).join(', ') + (missing.length > 5 ? ` and ${missing.length - 5} more` : '');
    throw cannotRun(name, `the module imports ${shown}, which Drydock does not provide`);
  }
  if (ownMemory && memory) (imports[MEMORY_MODULE] ??= {})[MEMORY_NAME] = memory;
  return imports;
}
