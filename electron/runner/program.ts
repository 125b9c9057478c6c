import { DrydockError } from '../base/errors.ts';
import { codeOf } from '../fs/error.ts';
import type { MountTable } from '../fs/mount-table.ts';
import { describeModule } from '../module/describe-module.ts';
import { noteFailedGrow } from '../module/memory-grow.ts';
import { MEMORY_HEADROOM, memoryAsImport } from '../module/memory-import.ts';
import { type CompiledProgram, PROGRAM_LIMIT } from './compiled-program.ts';
import { candidates, splitFunction } from './lookup.ts';
import { cannotRun, engineFault, isDirectory, missing, NotRunnable } from './not-runnable.ts';

export interface FoundProgram {
  readonly program: CompiledProgram;
  /** Where it was found, absolute. */
  readonly path: string;
  /** Exported function to call instead of `_start`. */
  readonly func: string | undefined;
}

/** Compiled modules of this thread; `compiled` is told of each new one. */
export class Programs {
  readonly #cache = new Map<string, CompiledProgram>();
  readonly #compiled: (program: CompiledProgram) => void;

  constructor(known: readonly CompiledProgram[], compiled: (program: CompiledProgram) => void) {
    for (const program of known) this.#cache.set(program.key, program);
    this.#compiled = compiled;
  }

  /**
   * The program of a run, compiled. The name as it is comes first, so that a file with '#' in its name can be run. `limited`: the run has a memory limit,
   * so that it must be known when the guest meets it.
   * @throws NotRunnable
   */
  find(mounts: MountTable, module: string, env: readonly string[], limited = false): FoundProgram {
    const whole = this.#along(mounts, module, env, limited);
    if (whole) return { ...whole, func: undefined };
    const { path, func } = splitFunction(module);
    const part = func === undefined ? undefined : this.#along(mounts, path, env, limited);
    if (part) return { ...part, func };
    throw missing(path);
  }

  #along(mounts: MountTable, name: string, env: readonly string[], limited: boolean) {
    if (name === '')
      throw new NotRunnable('invalid', 125, 'no module given: the image names none and neither does the command');
    let directory: string | undefined;
    for (const path of candidates(name, env)) {
      const program = this.#open(mounts, path, name, limited);
      if (program === 'directory') directory ??= path;
      else if (program) return { program, path };
    }
    if (directory !== undefined) throw isDirectory(name);
    return undefined;
  }

  #open(mounts: MountTable, path: string, name: string, limited: boolean): CompiledProgram | 'directory' | undefined {
    try {
      const file = mounts.openProgram(path);
      const key = limited ? `${file.key}:limited` : file.key;
      const known = this.#cache.get(key);
      if (known) {
        // The one used last goes last.
        this.#cache.delete(key);
        this.#cache.set(key, known);
        return known;
      }
      const program = compile(key, file.read(MEMORY_HEADROOM), name, limited);
      this.#cache.set(program.key, program);
      if (this.#cache.size > PROGRAM_LIMIT) this.#cache.delete(this.#cache.keys().next().value as string);
      this.#compiled(program);
      return program;
    } catch (error) {
      if (error instanceof NotRunnable) throw error;
      switch (codeOf(error)) {
        case 'ENOENT':
        case 'ENOTDIR':
          return undefined;
        case 'EISDIR':
          return 'directory';
        case 'EACCES':
        case 'EPERM':
        case 'ENXIO':
        case 'ELOOP':
          throw cannotRun(name, (error as Error).message);
        default:
          throw engineFault('internal', `cannot read ${path}: ${(error as Error).message}`);
      }
    }
  }
}

function compile(key: string, buffer: Buffer, name: string, limited: boolean): CompiledProgram {
  try {
    const description = describeModule(buffer.subarray(MEMORY_HEADROOM));
    if (description.refusal !== null) throw cannotRun(name, description.refusal);
    const { bytes, memory, shift } = memoryAsImport(buffer, MEMORY_HEADROOM);
    const noted = limited ? noteFailedGrow(bytes) : undefined;
    const module = new WebAssembly.Module(noted?.bytes ?? bytes);
    return { key, module, description, ownMemory: memory, shift, ...(noted ? { moves: noted.moves } : {}) };
  } catch (error) {
    if (error instanceof NotRunnable) throw error;
    if (error instanceof DrydockError) throw cannotRun(name, error.message);
    if (error instanceof WebAssembly.CompileError)
      throw cannotRun(
        name,
        `not a valid WebAssembly module: ${error.message.replace(/^WebAssembly\.Module\(\): /, '')}`,
      );
    throw engineFault('internal', `cannot compile ${name}: ${(error as Error).message}`);
  }
}
