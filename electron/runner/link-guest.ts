import { FsError } from '../fs/error.ts';
import type { ModuleImport } from '../module/describe.ts';
import type { RunOutcome, RunSpec } from '../supervisor/protocol.ts';
import { entryPoints } from './entry-points.ts';
import { type Ending, exiting } from './host-calls.ts';
import { hasStart, instantiate } from './instantiate.ts';
import { linkImports } from './link.ts';
import { createMemory } from './memory.ts';
import { cannotRun, engineFault } from './not-runnable.ts';
import { markOutOfMemory } from './out-of-memory.ts';
import { outcomeOf } from './outcome.ts';
import { plainHost } from './plain-host.ts';
import type { FoundProgram } from './program.ts';
import { BLOCKING_IMPORTS, createPreview1, type Preview1 } from './wasi/preview1.ts';
import { isThreadSpawn } from './threads/thread-spawn.ts';
import { traced } from './trace/traced.ts';
import { createUnstable } from './wasi/unstable.ts';
import type { GuestWorld, HostFunction } from './wasi/world.ts';

/** A guest that is ready to be instantiated; how it waits is its driver's affair. */
export interface LinkedGuest {
  /** A start section runs guest code inside of `instantiate`: from there on it is the guest that fails. */
  readonly runsAtOnce: boolean;
  /** Returns the functions to call, in order. @throws NotRunnable, or what the start section threw */
  instantiate(): (() => unknown)[];
  /** What a guest that threw has ended with. */
  outcomeOf(error: unknown): RunOutcome;
  /** Tells the world the size of linear memory as it is now. */
  noteMemory(): void;
  dispose(): void;
}

/**
 * Links a program to its world. `waiting` makes an import of a host function that may answer with a Wait; `ending` is shared with it.
 * @throws NotRunnable
 */
export function linkGuest(
  { program, func }: FoundProgram,
  spec: RunSpec,
  world: GuestWorld,
  ending: Ending,
  waiting: (host: HostFunction) => HostFunction,
): LinkedGuest {
  const { description, module } = program;
  if (description.imports.some(isThreadSpawn))
    throw engineFault(
      'unsupported',
      `${spec.module} starts threads, which cannot be had where many programs share one; use isolation "process"`,
    );
  const entries = entryPoints(program, spec.module, func);
  let memory = createMemory(program, spec.memoryLimit);
  const noteMemory = (): void => {
    if (memory) world.noteMemory(memory.buffer.byteLength);
  };
  noteMemory();
  const preview1 = openHost(world, spec.module);
  const plain = plainHost(
    () => memory,
    (line) => world.stderr.write([Buffer.from(line)]),
  );
  const wasi = wasiOf(preview1);
  const imports = linkImports(program, spec.module, memory, (entry) => {
    const host = wasi(entry) ?? plain(entry);
    if (!host) return undefined;
    if (entry.name === 'proc_exit') return exiting(host, ending);
    return BLOCKING_IMPORTS.has(entry.name) ? waiting(host) : host;
  });
  if (memory) preview1.bindMemory(memory);
  const runsAtOnce = hasStart(description);
  let instance: WebAssembly.Instance | undefined;

  return {
    runsAtOnce,
    instantiate: () => {
      const { exports } = (instance = instantiate(module, imports, runsAtOnce, spec.module));
      const exported = exports['memory'];
      if (!memory && exported instanceof WebAssembly.Memory) {
        memory = exported;
        preview1.bindMemory(memory);
      }
      return entries.map((entry) => exports[entry] as () => unknown);
    },
    outcomeOf: (error) => markOutOfMemory(outcomeOf(error, ending, program), program, spec.memoryLimit, instance),
    noteMemory,
    dispose: () => {
      noteMemory();
      preview1.dispose();
    },
  };
}

/** @throws NotRunnable when a directory that is to be preopened is none */
export function openHost(world: GuestWorld, name: string): Preview1 {
  try {
    return createPreview1(world);
  } catch (error) {
    if (error instanceof FsError) throw cannotRun(name, `cannot preopen a directory: ${error.message}`);
    throw error;
  }
}

/** Both ABIs of WASI; the older one is made when a module asks for it. */
export function wasiOf(preview1: Preview1): (entry: ModuleImport) => HostFunction | undefined {
  let unstable: Record<string, HostFunction> | undefined;
  const find = ({ module, name, params }: ModuleImport): HostFunction | undefined => {
    if (module === 'wasi_snapshot_preview1') return preview1.find(name, params);
    return module === 'wasi_unstable' ? (unstable ??= createUnstable(preview1))[name] : undefined;
  };
  const { memory, world } = preview1.host;
  const { trace } = world;
  if (!trace) return find;
  return (entry) => {
    const host = find(entry);
    return host && traced(host, entry.name, entry.params?.length ?? host.length, memory, trace);
  };
}
