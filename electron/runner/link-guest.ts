import { FsError } from '../fs/error.ts';
import type { ModuleImport } from '../module/describe.ts';
import { functionNames } from '../module/names.ts';
import type { RunOutcome, RunSpec } from '../supervisor/protocol.ts';
import type { CompiledProgram } from './compiled-program.ts';
import { type Ending, exiting } from './host-calls.ts';
import { linkImports } from './link.ts';
import { createMemory } from './memory.ts';
import { cannotRun, engineFault, type NotRunnable } from './not-runnable.ts';
import { plainHost } from './plain-host.ts';
import type { FoundProgram } from './program.ts';
import { describeTrap } from './trap.ts';
import { BLOCKING_IMPORTS, createPreview1, type Preview1 } from './wasi/preview1.ts';
import { createUnstable } from './wasi/unstable.ts';
import { type GuestWorld, type HostFunction, ProcExit } from './wasi/world.ts';

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
  const runsAtOnce = description.sections.some((section) => section.name === 'start');

  return {
    runsAtOnce,
    instantiate: () => {
      let instance: WebAssembly.Instance;
      try {
        instance = new WebAssembly.Instance(module, imports);
      } catch (error) {
        if (!runsAtOnce) throw notLinked(spec.module, error);
        throw error;
      }
      const exported = instance.exports['memory'];
      if (!memory && exported instanceof WebAssembly.Memory) {
        memory = exported;
        preview1.bindMemory(memory);
      }
      return entries.map((entry) => instance.exports[entry] as () => unknown);
    },
    outcomeOf: (error) => outcomeOf(error, ending, program),
    noteMemory,
    dispose: () => {
      noteMemory();
      preview1.dispose();
    },
  };
}

/** @throws NotRunnable when a directory that is to be preopened is none */
function openHost(world: GuestWorld, name: string): Preview1 {
  try {
    return createPreview1(world);
  } catch (error) {
    if (error instanceof FsError) throw cannotRun(name, `cannot preopen a directory: ${error.message}`);
    throw error;
  }
}

/** Both ABIs of WASI; the older one is made when a module asks for it. */
function wasiOf(preview1: Preview1): (entry: ModuleImport) => HostFunction | undefined {
  let unstable: Record<string, HostFunction> | undefined;
  return ({ module, name }) => {
    if (module === 'wasi_snapshot_preview1') return preview1.imports[name];
    return module === 'wasi_unstable' ? (unstable ??= createUnstable(preview1))[name] : undefined;
  };
}

function outcomeOf(error: unknown, { reason }: Ending, { module, shift }: CompiledProgram): RunOutcome {
  if (reason instanceof ProcExit) return { kind: 'exit', code: reason.code & 255 };
  if (reason) return { kind: 'terminated' };
  const section = WebAssembly.Module.customSections(module, 'name')[0];
  const names = section ? functionNames(new Uint8Array(section)) : new Map<number, string>();
  return { kind: 'trap', ...describeTrap(error, names, shift) };
}

/** What to call, in order. @throws NotRunnable 126 */
function entryPoints({ description }: CompiledProgram, name: string, func: string | undefined): string[] {
  const functionOf = (wanted: string) =>
    description.exports.find((entry) => entry.kind === 'function' && entry.name === wanted);
  const first = description.entry === 'reactor' ? ['_initialize'] : [];
  if (func !== undefined) {
    const found = functionOf(func);
    if (!found) throw cannotRun(name, `the module exports no function "${func}" (${listed(description.exports)})`);
    if ((found.params?.length ?? 0) > 0)
      throw cannotRun(
        name,
        `the function "${func}" takes parameters (${found.params?.join(', ')}), so it cannot be run`,
      );
    return func === '_initialize' ? first : [...first, func];
  }
  if (description.entry === 'command') return ['_start'];
  const callable = description.exports.filter((entry) => entry.kind === 'function' && !entry.params?.length);
  throw cannotRun(
    name,
    `the module is a ${description.entry}, it exports no _start; name a function as ${name}#function (${listed(callable)})`,
  );
}

function listed(exports: readonly { readonly kind: string; readonly name: string }[]): string {
  const names = exports
    .filter((entry) => entry.kind === 'function' && entry.name !== '_initialize')
    .map((entry) => entry.name);
  if (names.length === 0) return 'it exports none that takes no parameters';
  return `it exports ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`;
}

function notLinked(name: string, error: unknown): NotRunnable {
  const text = (error as Error).message.replace(/^WebAssembly\.Instance\(\): /, '');
  if (error instanceof WebAssembly.LinkError) return cannotRun(name, `the module cannot be linked: ${text}`);
  // Out-of-bounds data or element segments: the module is built wrong.
  if (error instanceof WebAssembly.RuntimeError) return cannotRun(name, `the module cannot be instantiated: ${text}`);
  return engineFault('unavailable', `the module cannot be instantiated: ${text}`);
}
