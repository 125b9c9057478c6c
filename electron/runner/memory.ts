import type { CompiledProgram } from './compiled-program.ts';
import { engineFault } from './not-runnable.ts';

const PAGE = 65536;
const MIB = 1 << 20;
const MAX_PAGES = 65536;

/** The module's own memory (which has become an import) or the one it imports. */
export const typeOfMemory = ({
  ownMemory,
  description,
}: Pick<CompiledProgram, 'ownMemory' | 'description'>): CompiledProgram['ownMemory'] =>
  ownMemory ?? (description.memory?.imported ? description.memory : undefined);

/**
 * The memory to link: the module's own (which has become an import) or the one it imports, never larger than `limit` bytes.
 * @throws NotRunnable 125 when it starts larger than that, or when the process has no address space left.
 */
export function createMemory(program: CompiledProgram, limit: number | undefined): WebAssembly.Memory | undefined {
  const type = typeOfMemory(program);
  if (!type) return undefined;
  const limitPages = limit === undefined ? MAX_PAGES : Math.floor(limit / PAGE);
  if (type.initial > limitPages)
    throw engineFault(
      'invalid',
      `module needs at least ${mib(type.initial * PAGE)} MiB of memory, the limit is ${mib(limit ?? 0)} MiB`,
    );
  const maximum = Math.min(type.maximum ?? MAX_PAGES, limitPages);
  // A maximum only where there is one, because a shared memory reserves (and macOS commits) what it may become.
  const bounded = type.maximum !== undefined || limit !== undefined || type.shared;
  try {
    return new WebAssembly.Memory({ initial: type.initial, ...(bounded ? { maximum } : {}), shared: type.shared });
  } catch (error) {
    throw engineFault(
      'unavailable',
      `no memory of ${mib(type.initial * PAGE)} MiB could be made: ${(error as Error).message}`,
    );
  }
}

export const mib = (bytes: number): string => String(Math.ceil((bytes / MIB) * 10) / 10);
