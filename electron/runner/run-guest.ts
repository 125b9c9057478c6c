import { openMountTable, type MountTable } from '../fs/mount-table.ts';
import type { ModuleImport } from '../module/describe.ts';
import { functionNames } from '../module/names.ts';
import type { RunOutcome, RunSpec } from '../supervisor/protocol.ts';
import type { InputReader } from './bridge/input-ring.ts';
import type { Bridge } from './bridge/layout.ts';
import type { OutputWriter } from './bridge/output-ring.ts';
import type { CompiledProgram } from './compiled-program.ts';
import { guestWorld, noteMemory } from './guest-world.ts';
import { blocking, exiting, type Ending } from './host-calls.ts';
import { linkImports } from './link.ts';
import { createMemory } from './memory.ts';
import { cannotRun, engineFault, NotRunnable } from './not-runnable.ts';
import { plainHost } from './plain-host.ts';
import type { FoundProgram, Programs } from './program.ts';
import { describeTrap } from './trap.ts';
import { BLOCKING_IMPORTS, createPreview1, type Preview1 } from './wasi/preview1.ts';
import { createUnstable } from './wasi/unstable.ts';
import { type HostFunction, ProcExit } from './wasi/world.ts';

export interface GuestThreadContext {
  readonly bridge: Bridge;
  readonly input: InputReader;
  readonly output: OutputWriter;
  readonly programs: Programs;
}

/**
 * One run, from the module's path to its end. `started` is called when the module is linked.
 * @throws NotRunnable when the guest never ran.
 */
export function runGuest(context: GuestThreadContext, spec: RunSpec, started: (path: string) => void): RunOutcome {
  let mounts: MountTable;
  try {
    mounts = openMountTable(spec.mounts);
  } catch (error) {
    throw engineFault('internal', `cannot open the file system: ${(error as Error).message}`);
  }
  try {
    const found = context.programs.find(mounts, spec.module, spec.env);
    return runProgram(context, spec, mounts, found, () => started(found.path));
  } finally {
    mounts.close();
  }
}

function runProgram(
  { bridge, input, output }: GuestThreadContext,
  spec: RunSpec,
  mounts: MountTable,
  { program, func }: FoundProgram,
  started: () => void,
): RunOutcome {
  const { description, module } = program;
  const entries = entryPoints(program, spec.module, func);
  const world = guestWorld(spec, mounts, bridge, input, output);
  const ending: Ending = { reason: undefined };
  let memory = createMemory(program, spec.memoryLimit);
  if (memory) noteMemory(bridge.gauges, memory.buffer.byteLength);
  const preview1 = createPreview1(world);
  const plain = plainHost(
    () => memory,
    (line) => world.stderr.write([Buffer.from(line)]),
  );
  const wasi = wasiOf(preview1);
  const imports = linkImports(program, spec.module, memory, (entry) => {
    const host = wasi(entry) ?? plain(entry);
    if (!host) return undefined;
    if (entry.name === 'proc_exit') return exiting(host, ending);
    return BLOCKING_IMPORTS.has(entry.name) ? blocking(host, bridge.words, ending) : host;
  });

  if (memory) preview1.bindMemory(memory);
  // A start section runs guest code inside of `new Instance`: from here on it is the guest that fails.
  const runsAtOnce = description.sections.some((section) => section.name === 'start');
  if (runsAtOnce) started();
  try {
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
    if (!runsAtOnce) started();
    for (const entry of entries) (instance.exports[entry] as () => unknown)();
    return { kind: 'exit', code: 0 };
  } catch (error) {
    if (error instanceof NotRunnable) throw error;
    return outcomeOf(error, ending, program);
  } finally {
    if (memory) noteMemory(bridge.gauges, memory.buffer.byteLength);
    preview1.dispose();
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
