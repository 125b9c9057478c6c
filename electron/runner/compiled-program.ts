import type { ModuleDescription } from '../module/describe.ts';
import type { Move } from '../module/memory-grow.ts';

/** Modules kept compiled in one runner: an image has one program or a few; a builder's compiler makes new ones all the time. */
export const PROGRAM_LIMIT = 8;

/** A module, compiled once for this process and shared between its threads. */
export interface CompiledProgram {
  /** Identity of the file's content. */
  readonly key: string;
  readonly module: WebAssembly.Module;
  readonly description: ModuleDescription;
  /** The memory to link as drydock.memory; undefined when the module imports its memory or has none. */
  readonly ownMemory: { readonly initial: number; readonly maximum?: number; readonly shared: boolean } | undefined;
  /** See MemoryAsImport.shift. */
  readonly shift: number;
  /** For runs with a memory limit: it exports GROW_FAILED, and its code has moved so (see noteFailedGrow). */
  readonly moves?: readonly Move[];
}
